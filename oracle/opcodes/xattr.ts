/** FSETXATTR, SETXATTR, FGETXATTR, GETXATTR: names and values are read by prep, the rest runs in a worker. */
import { defineOpen, Open } from '../open-answer.ts';
import { WORLD } from '../world/open.ts';
import { ARENA, FD } from '../scenario/layout.ts';
import { DATA, data, PATH, XATTR } from '../world/arena.ts';
import { AT_FDCWD, E, IOSQE } from '../uapi/constants.ts';
import type { Node } from '../world/files.ts';
import { lookup } from './fs.ts';
import { memoryNames } from '../world/memory.ts';
import {
  anything,
  EBADF,
  EFAULT,
  EINVAL,
  isFixed,
  pathError,
  pathText,
  PREP_ASYNC,
  prepOpen,
  prepError,
  result,
  withFile,
  quietAlways,
  quietOnFile,
  form,
  unknownFile,
} from './support.ts';
import type { SqeFields, FormSpec, IssueOutcome, OpContext, OpSpec, PrepOutcome } from './types.ts';

/** What can have extended attributes here. */
type Attributed = Node & { type: 'file' | 'dir' };
const file = { fixtures: ['file'] } as const;
const refused = { prep_error: true } as const;
const CREATE = 1;
const REPLACE = 2;
const NAME_MAX = 255;
const SIZE_MAX = 65536;

const OPEN = defineOpen({
  'xattr.namespace': ['not-modelled', "Extended attributes outside of 'user.', which have rules of their own."],
  'xattr.node': ['not-modelled', 'Extended attributes of sockets and symbolic links.'],
});

function prepName(c: OpContext): PrepOutcome | undefined {
  const name = c.sandbox.memory.text(c.sqe.addr);
  if (name === 'fault') return EFAULT;
  if (Open.is(name)) return prepOpen(name);
  return name.text.length === 0 || name.text.length > NAME_MAX ? prepError(E.RANGE) : undefined;
}

function prepSet(c: OpContext): PrepOutcome | undefined {
  if ((c.sqe.op_flags & ~(CREATE | REPLACE)) !== 0) return EINVAL;
  const bad = prepName(c);
  if (bad) return bad;
  const size = c.sqe.len >>> 0;
  if (size > SIZE_MAX) return prepError(E['2BIG']);
  const value = c.sandbox.memory.read(c.sqe.off, size);
  return value === 'fault' ? EFAULT : Open.is(value) ? prepOpen(value) : undefined;
}

function prepGet(c: OpContext): PrepOutcome | undefined {
  return c.sqe.op_flags !== 0 ? EINVAL : prepName(c);
}

/** Sets an attribute; without a condition the answer is the same whatever was there. */
function set(c: OpContext, node: Attributed): IssueOutcome {
  const outcome = setWhere(c, node);
  return (c.sqe.op_flags & (CREATE | REPLACE)) === 0 ? outcome : { ...outcome, looksInside: true };
}

function setWhere(c: OpContext, node: Attributed): IssueOutcome {
  const name = pathText(c, c.sqe.addr);
  const value = c.sandbox.memory.read(c.sqe.off, c.sqe.len >>> 0);
  if (Open.is(name)) return anything(name);
  if (value === 'fault') return anything(WORLD['memory.written-late']);
  if (Open.is(value)) return anything(value);
  // Other name spaces have rules of their own.
  if (!name.startsWith('user.')) return anything(OPEN['xattr.namespace']);
  const there = node.xattrs.has(name);
  if ((c.sqe.op_flags & CREATE) !== 0 && there) return result(-E.EXIST);
  if ((c.sqe.op_flags & REPLACE) !== 0 && !there) return result(-E.NODATA);
  return result(0, { effect: () => void node.xattrs.set(name, value) });
}

function get(c: OpContext, node: Attributed): IssueOutcome {
  return { ...attribute(c, node), looksInside: true };
}

function attribute(c: OpContext, node: Attributed): IssueOutcome {
  const name = pathText(c, c.sqe.addr);
  if (Open.is(name)) return anything(name);
  if (!name.startsWith('user.')) return anything(OPEN['xattr.namespace']);
  const value = node.xattrs.get(name);
  if (value === undefined) return result(-E.NODATA);
  const size = c.sqe.len >>> 0;
  if (size === 0) return result(value.length);
  if (size < value.length) return result(-E.RANGE);
  const mapped = c.sandbox.memory.mapped(c.sqe.off, value.length);
  if (Open.is(mapped)) return anything(mapped);
  if (!mapped) return result(-E.FAULT);
  return result(value.length, {
    touches: memoryNames(c.sqe.off, value.length),
    effect: () => c.sandbox.memory.write(c.sqe.off, value),
  });
}

/** Runs `body` on the file a path names. */
function byPath(c: OpContext, changes: boolean, body: (node: Attributed) => IssueOutcome): IssueOutcome {
  const path = pathText(c, c.sqe.addr3);
  if (Open.is(path)) return anything(path);
  const at = lookup(c, AT_FDCWD, path);
  const touches = [`path:${path}`];
  if (Open.is(at)) return { ...anything(at), touches };
  if (typeof at === 'number') return result(at, { touches, changes: [] });
  if (at.node === undefined) return result(-E.NOENT, { touches, changes: [] });
  if (at.node.type !== 'file' && at.node.type !== 'dir') return { ...anything(OPEN['xattr.node']), touches };
  const outcome = body(at.node);
  const more = outcome.touches ?? [];
  return {
    ...outcome,
    touches: [...touches, at.node.id, ...more],
    changes: [...more, ...(changes ? [at.node.id] : [])],
    ...(outcome.looksInside === true ? {} : { blind: [at.node.id] }),
  };
}

function byFd(c: OpContext, changes: boolean, body: (node: Attributed) => IssueOutcome): IssueOutcome {
  return withFile(c, changes, (open) =>
    open.kind === 'file' || open.kind === 'dir' ? body(open.node) : anything(unknownFile(open)),
  );
}

const VALUE_LENGTH = 8;
const setting = { addr: XATTR.user, off: XATTR.value, len: VALUE_LENGTH };
const getting = { addr: XATTR.user, off: data(DATA.xattr), len: 64 };
const seen = { probe: { memory: { at: ARENA.data + DATA.xattr, length: VALUE_LENGTH } } } as const;

function setForms(target: SqeFields): FormSpec[] {
  const make = (name: string, fields: SqeFields = {}, extra: Partial<FormSpec> = {}): FormSpec =>
    form(name, { ...setting, ...target, ...fields }, { ...file, ...extra });
  return [
    make('set'),
    make('set-empty', { len: 0 }),
    make('create', { op_flags: CREATE }),
    make('replace', { op_flags: REPLACE }),
    make('unknown-flag', { op_flags: 4 }, refused),
    make('null-name', { addr: 0n }, refused),
    make('empty-name', { addr: XATTR.empty }, refused),
    make('too-big', { len: SIZE_MAX + 1 }, refused),
    make('null-value', { off: 0n }, refused),
  ];
}

function getForms(target: SqeFields): FormSpec[] {
  const make = (name: string, fields: SqeFields = {}, extra: Partial<FormSpec> = {}): FormSpec =>
    form(name, { ...getting, ...target, ...fields }, { ...file, ...extra });
  return [
    make('unset', { addr: XATTR.unset }),
    make('get', {}, seen),
    make('size', { len: 0 }),
    make('flags-set', { op_flags: 1 }, refused),
    make('null-name', { addr: 0n }, refused),
    make('empty-name', { addr: XATTR.empty }, refused),
  ];
}

function pathForms(base: SqeFields): FormSpec[] {
  return [
    form('missing', { ...base, addr3: PATH.missing }),
    form('null-path', { ...base, addr3: 0n }, refused),
    form('fixed-file', { ...base, addr3: PATH.f0, flags: IOSQE.FIXED_FILE }, { ...file, ...refused }),
  ];
}

/** IORING_OP_FSETXATTR: sets an extended attribute of an open file. */
export const FSETXATTR: OpSpec = {
  opcode: 41,
  since: '5.19',
  manual: 'fsetxattr(2)',
  quiet: quietOnFile,
  prep: (c) => prepSet(c) ?? PREP_ASYNC,
  issue: (c) => byFd(c, true, (node) => set(c, node)),
  forms: [...setForms({ fd: FD.file }), form('bad-fd', { ...setting, fd: FD.closed })],
};

/** IORING_OP_SETXATTR: sets an extended attribute of a path. */
export const SETXATTR: OpSpec = {
  opcode: 42,
  since: '5.19',
  manual: 'setxattr(2)',
  quiet: quietAlways,
  prep: (c) => (isFixed(c) ? EBADF : (prepSet(c) ?? pathError(c, c.sqe.addr3) ?? PREP_ASYNC)),
  issue: (c) => byPath(c, true, (node) => set(c, node)),
  forms: [...setForms({ addr3: PATH.f0 }), ...pathForms(setting)],
};

/** IORING_OP_FGETXATTR: reads an extended attribute of an open file. */
export const FGETXATTR: OpSpec = {
  opcode: 43,
  since: '5.19',
  manual: 'fgetxattr(2)',
  quiet: quietOnFile,
  prep: (c) => prepGet(c) ?? PREP_ASYNC,
  issue: (c) => byFd(c, false, (node) => get(c, node)),
  forms: [...getForms({ fd: FD.file }), form('bad-fd', { ...getting, fd: FD.closed })],
};

/** IORING_OP_GETXATTR: reads an extended attribute of a path. */
export const GETXATTR: OpSpec = {
  opcode: 44,
  since: '5.19',
  manual: 'getxattr(2)',
  quiet: quietAlways,
  prep: (c) => (isFixed(c) ? EBADF : (prepGet(c) ?? pathError(c, c.sqe.addr3) ?? PREP_ASYNC)),
  issue: (c) => byPath(c, false, (node) => get(c, node)),
  forms: [...getForms({ addr3: PATH.f0 }), ...pathForms(getting)],
};
