/** Archives as they are written and read, and as somebody might forge them. */
import { describe, expect, test } from 'vitest';
import { packTar, unpackTar } from './tar.ts';
import type { TarFile } from './tar.ts';

/** A header as ringfence 0.1 wrote it, with whatever a forger would put in. */
function header(path: string, size: number | string, type = '0'): Buffer {
  const block = Buffer.alloc(512);
  const octal = (value: number, at: number, digits: number): void =>
    void block.write(`${value.toString(8).padStart(digits, '0')}\0`, at, 'latin1');
  block.write(path);
  octal(0o644, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  if (typeof size === 'number') octal(size, 124, 11);
  else block.write(size, 124, 12, 'latin1');
  octal(0, 136, 11);
  block.write('        ', 148, 'latin1');
  block.write(type, 156, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}
const body = (content: string | Buffer): Buffer => {
  const bytes = Buffer.from(content);
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
};
const entry = (path: string, content = 'x', type = '0'): Buffer =>
  Buffer.concat([header(path, Buffer.byteLength(content), type), body(content)]);
const END = Buffer.alloc(1024);

/** The bytes in pieces of a size that fits nothing. */
async function* pieces(bytes: Buffer, size = 701): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(...parts: readonly Buffer[]): Promise<[string, string][]> {
  const files: [string, string][] = [];
  for await (const { path, size, content } of unpackTar(pieces(Buffer.concat(parts)))) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of content) chunks.push(chunk);
    expect(Buffer.concat(chunks)).toHaveLength(size);
    files.push([path, Buffer.concat(chunks).toString()]);
  }
  return files;
}

async function write(...files: readonly TarFile[]): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of packTar(files)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const file = (path: string, text: string): TarFile => ({
  path,
  size: Buffer.byteLength(text),
  content: [Buffer.from(text)],
});

test('there and back', async () => {
  const long = 'y'.repeat(100_000);
  expect(await read(await write(file('a', 'x'), file('d/empty', ''), file('d/long', long)))).toEqual([
    ['a', 'x'],
    ['d/empty', ''],
    ['d/long', long],
  ]);
});
test('one that ringfence 0.1 wrote', async () =>
  expect(await read(entry('manifest.json', '{}'), entry('kernel/config', ''), END)).toEqual([
    ['manifest.json', '{}'],
    ['kernel/config', ''],
  ]));
test('a name that is too long for a plain header', async () => {
  const path = `${'d'.repeat(90)}/${'f'.repeat(90)}/${'g'.repeat(120)}`;
  expect(await read(await write(file(path, 'x')))).toEqual([[path, 'x']]);
});
test('a content that is not as long as was said', async () => {
  await expect(write({ ...file('a', 'xy'), size: 3 })).rejects.toThrow();
  await expect(write({ ...file('a', 'xy'), size: 1 })).rejects.toThrow();
  const fails = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.from('x');
    throw new Error('the disk is gone');
  };
  await expect(write({ path: 'a', size: 2, content: fails() })).rejects.toThrow('the disk is gone');
});

/** A record of an extended header: its own length, then the member. */
const extended = (member: string): string => {
  const rest = ` ${member}\n`;
  const length = [2, 3].map((digits) => rest.length + digits).find((one) => String(one).length === one - rest.length)!;
  return `${length}${rest}`;
};

describe('not taken', () => {
  test.each<[string, readonly Buffer[], RegExp]>([
    ['a link', [entry('a', '', '2'), END], /"a" is no regular file/],
    ['a hard link', [entry('a', '', '1'), END], /"a" is no regular file/],
    ['a device', [entry('a', '', '3'), END], /"a" is no regular file/],
    ['a pipe', [entry('a', '', '6'), END], /"a" is no regular file/],
    ['a directory', [entry('a/', '', '5'), END], /"a\/" is no regular file/],
    ['an absolute name', [entry('/etc/passwd'), END], /"\/etc\/passwd" is no name for a file in a bundle/],
    ['a name that leads up', [entry('../up'), END], /"\.\.\/up" is no name/],
    ['one that leads up later', [entry('a/../../b'), END], /no name/],
    ['a name with nothing in it', [entry('a//b'), END], /no name/],
    ['a dot', [entry('./a'), END], /no name/],
    ['no name', [entry(''), END], /"" is no name/],
    [
      'a name that leads up in an extended header',
      [entry('p', extended('path=../../etc/passwd'), 'x'), entry('a'), END],
      /"\.\.\/\.\.\/etc\/passwd" is no name/,
    ],
    ['a name twice', [entry('a'), entry('b'), entry('a'), END], /"a" is there twice/],
    ['more than a bundle ever holds', [header('a', 0o17777777777), body('x'), END], /more than 2 GB/],
    [
      'the same in an extended header',
      [entry('p', extended('size=9000000000000'), 'x'), entry('a'), END],
      /more than 2 GB/,
    ],
    [
      'a size beyond numbers',
      [header('a', `\x80${'\x7f'.repeat(11)}`), body('x'), END],
      /damaged before its first file/,
    ],
    ['a size below zero', [header('a', '\xff'.repeat(12)), body('x'), END], /damaged before its first file/],
    ['a size that is no number', [header('a', 'zzzzzzzzzzz\0'), body('x'), END], /damaged before its first file/],
    ['an extended header without end', [header('p', 900_000_000, 'x'), body('9 a=b\n'), END], /damaged before/],
    ['a damaged header', [entry('a'), Buffer.from(entry('b')).fill(1, 0, 1), END], /damaged in or behind "a"/],
    ['no archive', [Buffer.alloc(100, 1)], /ends too early, before its first file/],
    ['one without an end', [entry('a')], /ends too early, in or behind "a"/],
    ['one that ends in a file', [entry('a'), header('b', 1000), body('x')], /ends too early, in or behind "b"/],
    ['something behind the end', [entry('a'), END, entry('b')], /damaged in or behind "a"/],
  ])('%s', async (_, parts, message) => await expect(read(...parts)).rejects.toThrow(message));

  test('zeros without end behind the end', async () => {
    const bomb = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.concat([entry('a'), END]);
      for (const zeros = Buffer.alloc(1 << 20); ; ) yield zeros;
    };
    const all = async (): Promise<void> => {
      for await (const { content } of unpackTar(bomb())) for await (const _ of content);
    };
    await expect(all()).rejects.toThrow('it unpacks to more than 2 GB');
  });
});
