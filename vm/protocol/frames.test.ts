import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { GuestFrame } from './frames.ts';
import { benchFrame, byeFrame, FrameParser, imageFrame, MAX_GUEST_FRAME, readFrame, writeFrame } from './frames.ts';

interface Step {
  reached: boolean;
  returns: bigint[];
  cqes: { user_data: bigint; res: number; flags: number }[];
  memory: Uint8Array;
}

const frame = (magic: string, id: number, payload: Buffer): Buffer => {
  const bytes = Buffer.alloc(16 + ((payload.length + 7) & ~7));
  bytes.write(magic, 0, 'latin1');
  bytes.writeUInt32LE(bytes.length, 4);
  bytes.writeUInt32LE(id, 8);
  payload.copy(bytes, 16);
  return bytes;
};

function resultFrame(id: number, status: number, steps: readonly Step[]): Buffer {
  const head = Buffer.alloc(32);
  head.writeUInt32LE(status, 0);
  head.writeUInt32LE(7, 4);
  head.writeBigUInt64LE(123_456n, 8);
  head.writeBigUInt64LE(789n, 16);
  head.writeUInt32LE(steps.length, 24);
  head.writeUInt16LE(300, 28);
  head.writeUInt16LE(299, 30);
  const parts = [head];
  for (const { reached, returns, cqes, memory } of steps) {
    const part = Buffer.alloc(8 + 8 * returns.length + 16 * cqes.length + ((memory.length + 7) & ~7));
    part.writeUInt8(reached ? 1 : 0, 0);
    part.writeUInt8(returns.length, 1);
    part.writeUInt16LE(cqes.length, 2);
    part.writeUInt32LE(memory.length, 4);
    let at = 8;
    for (const value of returns) at = part.writeBigInt64LE(value, at);
    for (const cqe of cqes) {
      at = part.writeBigUInt64LE(cqe.user_data, at);
      at = part.writeInt32LE(cqe.res, at);
      at = part.writeUInt32LE(cqe.flags, at);
    }
    part.set(memory, at);
    parts.push(part);
  }
  return frame('RFRE', id, Buffer.concat(parts));
}

const hello = (): Buffer => {
  const payload = Buffer.alloc(144);
  payload.writeUInt32LE(1, 0);
  payload.writeUInt32LE(2, 4);
  payload.write('7.0.13', 8);
  payload.write('x86_64', 72);
  payload.writeUInt32LE(1, 136);
  return frame('RFHI', 0, payload);
};

function fileFrame(id: number, status: number, kind: number, bytes: Buffer, last: number): Buffer {
  const head = Buffer.alloc(16);
  head.writeInt32LE(status, 0);
  head.writeUInt32LE(kind, 4);
  head.writeUInt32LE(bytes.length, 8);
  head.writeUInt32LE(last, 12);
  return frame('RFFL', id, Buffer.concat([head, bytes]));
}

const step: fc.Arbitrary<Step> = fc.record({
  reached: fc.boolean(),
  returns: fc.array(fc.bigInt({ min: -(1n << 52n), max: 1n << 52n }), { maxLength: 5 }),
  cqes: fc.array(
    fc.record({ user_data: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), res: fc.integer(), flags: fc.nat() }),
    { maxLength: 5 },
  ),
  memory: fc.uint8Array({ maxLength: 20 }),
});
const valid = fc.oneof(
  fc.constant(hello()),
  fc.nat().map((id) => frame('RFGO', id, Buffer.alloc(0))),
  fc
    .tuple(fc.nat(), fc.nat(3), fc.array(step, { maxLength: 4 }))
    .map(([id, status, steps]) => resultFrame(id, status, steps)),
  fc.constant(frame('RFBD', 1, Buffer.alloc(16))),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => fileFrame(3, 0, 0, Buffer.from(bytes), 1)),
  fc.constant(frame('RFER', 9, Buffer.from('no arena'))),
);

function parse(bytes: Buffer, cuts: readonly number[]): { frames: GuestFrame[]; parser: FrameParser } {
  const parser = new FrameParser();
  const frames: GuestFrame[] = [];
  let from = 0;
  for (const cut of [...cuts.map((c) => c % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]) {
    frames.push(...parser.push(bytes.subarray(from, cut)));
    from = cut;
  }
  return { frames, parser };
}

describe('FrameParser', () => {
  it('reads each kind of frame', () => {
    const bytes = Buffer.concat([
      hello(),
      frame('RFGO', 5, Buffer.alloc(0)),
      resultFrame(5, 0, [
        {
          reached: true,
          returns: [-13n, 3n],
          cqes: [{ user_data: (1n << 64n) - 1n, res: -13, flags: 2 }],
          memory: Uint8Array.of(1, 2, 3),
        },
        { reached: false, returns: [], cqes: [], memory: new Uint8Array() },
      ]),
      fileFrame(6, 0, 1, Buffer.from('a/\0b\0'), 0),
      fileFrame(6, -2, 0, Buffer.alloc(0), 1),
      frame('RFER', 9, Buffer.from('no arena')),
    ]);
    expect(parse(bytes, []).frames).toEqual([
      {
        type: 'hello',
        hello: {
          version: 1,
          cpus: 2,
          release: '7.0.13',
          machine: 'x86_64',
          interpreter: true,
          jit: false,
          harden: false,
          traces: false,
          line: false,
        },
      },
      { type: 'begin', id: 5 },
      {
        type: 'result',
        result: {
          id: 5,
          status: 0,
          detail: 7,
          exec_ns: 123_456,
          idle_ns: 789,
          traced: 300,
          compiled: 299,
          observation: {
            steps: [
              {
                reached: true,
                returns: [-13, 3],
                cqes: [{ user_data: (1n << 64n) - 1n, res: -13, flags: 2 }],
                memory: Uint8Array.of(1, 2, 3),
              },
              { reached: false, returns: [], cqes: [] },
            ],
          },
        },
      },
      {
        type: 'file',
        part: { id: 6, status: 0, directory: true, bytes: Buffer.from('a/\0b\0'), last: false },
      },
      { type: 'file', part: { id: 6, status: -2, directory: false, bytes: Buffer.alloc(0), last: true } },
      { type: 'error', id: 9, text: 'no arena' },
    ]);
  });

  it('reads the same frames however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(valid, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 8 }), (list, cuts) => {
        const bytes = Buffer.concat(list);
        const { frames, parser } = parse(bytes, cuts);
        expect(frames).toEqual(parse(bytes, []).frames);
        expect(frames).toHaveLength(list.length);
        expect(parser.pending).toBe(0);
      }),
    );
  });

  it('keeps what came before garbage, says garbage once, and then stays silent', () => {
    fc.assert(
      fc.property(
        fc.array(valid, { maxLength: 4 }),
        fc.uint8Array({ minLength: 16, maxLength: 80 }),
        fc.array(fc.nat(), { maxLength: 6 }),
        (list, noise, cuts) => {
          noise[0] = 0x51;
          const { frames, parser } = parse(Buffer.concat([...list, noise]), cuts);
          expect(frames).toHaveLength(list.length + 1);
          expect(frames.at(-1)).toMatchObject({ type: 'garbage', detail: 'unknown kind of frame' });
          expect(parser.broken).toBe(true);
          expect(parser.push(hello())).toEqual([]);
        },
      ),
    );
  });

  it('neither throws nor loops on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.array(fc.nat(), { maxLength: 5 }), (bytes, cuts) => {
        parse(Buffer.from(bytes), cuts);
      }),
      { numRuns: 500 },
    );
  });

  it('survives any damage to a valid stream', () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(
        fc.array(valid, { minLength: 1, maxLength: 4 }),
        damage,
        fc.array(fc.nat(), { maxLength: 4 }),
        (list, hits, cuts) => {
          const bytes = Buffer.concat(list);
          for (const [at, value] of hits) bytes[at % bytes.length] = value;
          const { frames, parser } = parse(bytes, cuts);
          expect(frames.filter((f) => f.type === 'garbage').length).toBe(parser.broken ? 1 : 0);
          expect(parser.pending).toBeLessThanOrEqual(bytes.length);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it.each([
    ['a length that is no multiple of 8', 4, 20, 'impossible length 20'],
    ['a length below the head', 4, 8, 'impossible length 8'],
    ['a length beyond all reason', 4, MAX_GUEST_FRAME + 8, 'impossible length'],
    ['an unknown status', 16, 4, 'unknown status'],
    ['more steps than fit', 40, 1 << 30, 'impossible number of steps'],
  ])('calls %s garbage', (_name, at, value, why) => {
    const bytes = resultFrame(1, 0, []);
    bytes.writeUInt32LE(value, at);
    expect(parse(bytes, []).frames).toMatchObject([
      { type: 'garbage', detail: expect.stringContaining(why) as string },
    ]);
  });

  it('calls a FILE garbage whose bytes do not fill it', () => {
    const bytes = fileFrame(1, 0, 0, Buffer.alloc(8), 1);
    for (const length of [0, 9, 0x7fff_ffff]) {
      bytes.writeUInt32LE(length, 24);
      expect(parse(bytes, []).frames).toMatchObject([{ type: 'garbage', detail: 'a FILE of the wrong length' }]);
    }
    expect(parse(frame('RFFL', 1, Buffer.alloc(8)), []).frames).toMatchObject([{ type: 'garbage' }]);
  });

  it('calls a RESULT garbage whose steps do not fill it', () => {
    const bytes = frame('RFRE', 1, Buffer.alloc(40));
    expect(parse(bytes, []).frames).toMatchObject([{ type: 'garbage', detail: 'a RESULT of the wrong length' }]);
  });
});

describe('frames to the guest', () => {
  it('are padded and carry their length', () => {
    const [read, write] = [readFrame(4, '/proc/version'), writeFrame(5, '/proc/x', Buffer.from('abc'))];
    for (const bytes of [imageFrame(new Uint8Array(13).fill(7)), benchFrame(3, 6, 100), read, write, byeFrame()]) {
      expect(bytes.length % 8).toBe(0);
      expect(bytes.readUInt32LE(4)).toBe(bytes.length);
    }
    expect(imageFrame(new Uint8Array(13).fill(7)).subarray(0, 4).toString()).toBe('RFIM');
    expect(benchFrame(3, 6, 100).toString('latin1', 0, 4)).toBe('RFBN');
    expect(byeFrame().toString('latin1', 0, 4)).toBe('RFBY');
    expect(read.toString('latin1', 16)).toBe('/proc/version\0\0\0');
    expect([write.readUInt32LE(8), write.readUInt32LE(16)]).toEqual([5, 3]);
    expect(write.toString('latin1', 24)).toBe('abc/proc/x\0\0\0\0\0\0');
  });
});
