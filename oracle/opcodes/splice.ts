/** SPLICE and TEE: always from a worker, always non-blocking here. */
import { defineOpen } from '../open-answer.ts';
import { FILE_OPEN } from './open-answers.ts';
import { FD } from '../scenario/layout.ts';
import { E, IOSQE, SPLICE_F, SPLICE_F_FD_IN_FIXED } from '../uapi/constants.ts';
import type { OpenFile } from '../world/files.ts';
import { append } from '../world/files.ts';
import { overwrite } from './rw.ts';
import {
  anything,
  descriptor,
  direct,
  EINVAL,
  onFile,
  PREP_ASYNC,
  result,
  slotName,
  transfer,
  withFile,
} from './support.ts';
import type { SqeFields, FormSpec, IssueOutcome, OpContext, OpSpec } from './types.ts';

const OPEN = defineOpen({
  'splice.waits': [
    'timing',
    'A splice or tee that waits for bytes.',
    'Another request writes some.',
    'Nobody ever does.',
  ],
  'splice.pipe-full': ['not-modelled', 'How much of a splice fits in a pipe that holds more than a page.'],
  'splice.other': [
    'not-modelled',
    'A splice with a file that is neither a pipe nor a regular file, or is in append mode.',
  ],
});

const NONE = (1n << 64n) - 1n;

function flagsOk(c: OpContext): boolean {
  return (c.sqe.op_flags & ~(0xf | SPLICE_F_FD_IN_FIXED)) >>> 0 === 0;
}

/** Runs `body` with the output and the input file, looked up in this order. */
function withBoth(c: OpContext, body: (input: OpenFile, output: OpenFile) => IssueOutcome): IssueOutcome {
  const fixed = (c.sqe.op_flags & SPLICE_F_FD_IN_FIXED) !== 0;
  const fd = c.sqe.file_index | 0;
  const found = fixed ? direct(c, fd) : descriptor(c, fd);
  return withFile(c, true, (output) =>
    onFile(c, found, slotName(c, fixed, fd), true, (input) => (c.sqe.len === 0 ? result(0) : body(input, output))),
  );
}

function readable(file: OpenFile): boolean {
  return file.kind === 'pipe' ? file.end === 'read' : file.kind === 'file' ? file.readable : true;
}

function writable(file: OpenFile): boolean {
  return file.kind === 'pipe' ? file.end === 'write' : file.kind === 'file' ? file.writable : file.kind !== 'dir';
}

function nonblock(c: OpContext, ...files: readonly OpenFile[]): boolean {
  return (c.sqe.op_flags & SPLICE_F.NONBLOCK) !== 0 || files.some((file) => file.kind === 'pipe' && file.nonblock);
}

function issueTee(c: OpContext): IssueOutcome {
  return withBoth(c, (input, output) => {
    if (!readable(input) || !writable(output)) return result(-E.BADF);
    if (input.kind !== 'pipe' || output.kind !== 'pipe' || input.pipe === output.pipe) return result(-E.INVAL);
    const wanted = c.sqe.len >>> 0;
    if (input.pipe.bytes.length === 0)
      return nonblock(c, input, output) ? result(-E.AGAIN) : anything(OPEN['splice.waits']);
    if (output.pipe.bytes.length > 0x1000) return anything(OPEN['splice.pipe-full']);
    const bytes = input.pipe.bytes.slice(0, wanted);
    return transfer(bytes.length, wanted, {
      effect: () => {
        output.pipe.bytes = append(output.pipe.bytes, bytes);
      },
    });
  });
}

type Pipe = Extract<OpenFile, { kind: 'pipe' }>;

/** An offset argument; undefined for none. */
const offset = (value: bigint): bigint | undefined => (value === NONE ? undefined : value);

function pipeToPipe(c: OpContext, input: Pipe, output: Pipe): IssueOutcome {
  const wanted = c.sqe.len >>> 0;
  if (c.sqe.addr !== NONE || c.sqe.off !== NONE) return result(-E.SPIPE);
  if (input.pipe === output.pipe) return result(-E.INVAL);
  if (input.pipe.bytes.length === 0)
    return nonblock(c, input, output) ? result(-E.AGAIN) : anything(OPEN['splice.waits']);
  if (output.pipe.bytes.length > 0x1000) return anything(OPEN['splice.pipe-full']);
  const bytes = input.pipe.bytes.slice(0, wanted);
  return transfer(bytes.length, wanted, {
    effect: () => {
      input.pipe.bytes = input.pipe.bytes.slice(bytes.length);
      output.pipe.bytes = append(output.pipe.bytes, bytes);
    },
  });
}

function fromPipe(c: OpContext, { pipe }: Pipe, output: OpenFile): IssueOutcome {
  const { sqe } = c;
  const to = offset(sqe.off);
  if (sqe.addr !== NONE) return result(-E.SPIPE);
  if (output.kind !== 'file' || output.append) return anything(OPEN['splice.other']);
  if (to !== undefined && to > 0x1_0000n) return anything(FILE_OPEN['file.large']);
  if (pipe.bytes.length === 0)
    return (sqe.op_flags & SPLICE_F.NONBLOCK) !== 0 ? result(-E.AGAIN) : anything(OPEN['splice.waits']);
  const bytes = pipe.bytes.slice(0, sqe.len >>> 0);
  const at = to === undefined ? output.pos : Number(to);
  return transfer(bytes.length, sqe.len >>> 0, {
    effect: () => {
      pipe.bytes = pipe.bytes.slice(bytes.length);
      overwrite(output.node, at, bytes);
      if (to === undefined) output.pos = at + bytes.length;
    },
  });
}

function toPipe(c: OpContext, input: OpenFile, { pipe }: Pipe): IssueOutcome {
  const { sqe } = c;
  const wanted = sqe.len >>> 0;
  const from = offset(sqe.addr);
  if (sqe.off !== NONE) return result(-E.SPIPE);
  if (input.kind !== 'file') return anything(OPEN['splice.other']);
  if (from !== undefined && from > 0x1_0000n) return anything(FILE_OPEN['file.large']);
  if (pipe.bytes.length > 0x1000) return anything(OPEN['splice.pipe-full']);
  const at = from === undefined ? input.pos : Number(from);
  const bytes = input.node.content.slice(at, at + wanted);
  return transfer(bytes.length, wanted, {
    looksInside: true,
    effect: () => {
      pipe.bytes = append(pipe.bytes, bytes);
      if (from === undefined) input.pos = at + bytes.length;
    },
  });
}

function issueSplice(c: OpContext): IssueOutcome {
  return withBoth(c, (input, output) => {
    if (!readable(input) || !writable(output)) return result(-E.BADF);
    if (input.kind === 'pipe')
      return output.kind === 'pipe' ? pipeToPipe(c, input, output) : fromPipe(c, input, output);
    return output.kind === 'pipe' ? toPipe(c, input, output) : result(-E.INVAL);
  });
}

function form(
  name: string,
  from: number,
  to: number,
  len: number,
  fields: SqeFields,
  fixtures: FormSpec['fixtures'],
  refused = false,
): FormSpec {
  return {
    name,
    sqe: { fd: to, file_index: from >>> 0, len, op_flags: SPLICE_F.NONBLOCK, ...fields },
    fixtures,
    ...(refused ? { prep_error: true } : {}),
  };
}

const pipes = ['pipe', 'pipe_full'] as const;
const none: SqeFields = { addr: NONE, off: NONE };

/** IORING_OP_SPLICE: moves bytes between a pipe and a file. */
export const SPLICE: OpSpec = {
  opcode: 30,
  since: '5.7',
  manual: 'splice(2)',
  prep: (c) => (flagsOk(c) ? PREP_ASYNC : EINVAL),
  issue: issueSplice,
  forms: [
    form('pipe-to-pipe', FD.pipe2_read, FD.pipe_write, 16, none, pipes),
    form('empty', FD.pipe_read, FD.pipe2_write, 16, none, pipes),
    form('file-to-pipe', FD.file, FD.pipe_write, 32, { off: NONE, addr: 0n }, ['file', 'pipe']),
    form('pipe-to-file', FD.pipe2_read, FD.file, 8, { addr: NONE, off: 0n }, ['file', 'pipe_full']),
    form('file-to-file', FD.file, FD.file, 8, {}, ['file']),
    form('pipe-offset', FD.pipe2_read, FD.pipe_write, 8, { addr: 0n, off: NONE }, pipes),
    form('same-pipe', FD.pipe2_read, FD.pipe2_write, 8, none, ['pipe_full']),
    form('wrong-ends', FD.pipe2_write, FD.pipe_read, 8, none, pipes),
    form('zero', FD.pipe2_read, FD.pipe_write, 0, none, pipes),
    form('bad-in', FD.closed, FD.pipe_write, 8, none, ['pipe']),
    form('bad-out', FD.pipe2_read, FD.closed, 8, none, ['pipe_full']),
    form('fixed-in', 0, FD.pipe_write, 8, { ...none, op_flags: (SPLICE_F_FD_IN_FIXED | SPLICE_F.NONBLOCK) >>> 0 }, [
      'pipe',
    ]),
    form('fixed-out', FD.pipe2_read, 0, 8, { ...none, flags: IOSQE.FIXED_FILE }, ['pipe_full']),
    form('unknown-flag', FD.pipe2_read, FD.pipe_write, 8, { ...none, op_flags: 0x10 }, pipes, true),
  ],
};

/** IORING_OP_TEE: copies bytes from pipe to pipe. */
export const TEE: OpSpec = {
  opcode: 33,
  since: '5.8',
  manual: 'tee(2)',
  prep: (c) => (c.sqe.addr !== 0n || c.sqe.off !== 0n ? EINVAL : flagsOk(c) ? PREP_ASYNC : EINVAL),
  issue: issueTee,
  forms: [
    form('pipe-to-pipe', FD.pipe2_read, FD.pipe_write, 16, {}, pipes),
    form('more-than-there', FD.pipe2_read, FD.pipe_write, 128, {}, pipes),
    form('empty', FD.pipe_read, FD.pipe2_write, 16, {}, pipes),
    form('same-pipe', FD.pipe2_read, FD.pipe2_write, 8, {}, ['pipe_full']),
    form('file', FD.file, FD.pipe_write, 8, {}, ['file', 'pipe']),
    form('zero', FD.pipe2_read, FD.pipe_write, 0, {}, pipes),
    form('bad-in', FD.closed, FD.pipe_write, 8, {}, ['pipe']),
    form('bad-out', FD.pipe2_read, FD.closed, 8, {}, ['pipe_full']),
    form('addr-set', FD.pipe2_read, FD.pipe_write, 8, { addr: 1n }, pipes, true),
    form('off-set', FD.pipe2_read, FD.pipe_write, 8, { off: 1n }, pipes, true),
    form('unknown-flag', FD.pipe2_read, FD.pipe_write, 8, { op_flags: 0x40 }, pipes, true),
  ],
};
