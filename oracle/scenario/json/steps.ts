/** Codecs of the steps, one per kind, and of the scenario. */
import { ARENA, ARENA_SIZE, FIXTURES } from '../layout.ts';
import { IORING_SETUP } from '../../uapi/constants.ts';
import { SCENARIO_VERSION } from '../types.ts';
import type { Scenario, Step, StepKind } from '../types.ts';
import {
  boolean,
  bytes,
  flags,
  int,
  list,
  maybe,
  Mistake,
  record,
  required,
  s32,
  tagged,
  text,
  u32,
  u64,
  withDefault,
  word,
} from '../../schema/codec.ts';
import type { Codec, Field } from '../../schema/codec.ts';
import {
  bpfArg,
  define,
  registerOpcode,
  ringRestrictionsArg,
  ringSlot,
  sqe,
  target,
  taskId,
  taskRestrictionsArg,
} from './parts.ts';

/** Largest number of steps, and of SQEs in one step. */
const STEPS_MAX = 4096;
const SQES_MAX = 32768;

type StepOf<K extends StepKind> = Extract<Step, { readonly do: K }>;
type Own<K extends StepKind> = {
  readonly [F in keyof Omit<StepOf<K>, 'do' | 'task'>]-?: Field<Exclude<Omit<StepOf<K>, 'do' | 'task'>[F], undefined>>;
};

function step<K extends StepKind>(kind: K, own: Own<K>, check?: (value: StepOf<K>, at: string) => void): Codec<Step> {
  const fields = { task: required(taskId, 'Task that does it, 0 (root) to 15'), do: required(word(kind)), ...own };
  const codec = record<StepOf<K>>(fields as unknown as Parameters<typeof record<StepOf<K>>>[0]);
  const decode = (value: unknown, at: string): StepOf<K> => {
    const found = codec.decode(value, at);
    check?.(found, at);
    return found;
  };
  return define(kind, { ...codec, decode }) as unknown as Codec<Step>;
}

const nrArgs = {
  one: withDefault(u32, 1, 'nr_args of the call'),
  count: (member: 'restrictions') =>
    withDefault(
      u32,
      (before) => (before.arg as Readonly<Record<string, readonly unknown[]>>)[member]!.length,
      'nr_args; default: the number of entries',
    ),
};
const ringOnly = { ring: required(ringSlot, 'Ring slot, 0 to 15') };
const PATH = /^(?!\/)(?!.*(?:^|\/)\.\.(?:\/|$))[^\u0000]+$/;

export const steps: Codec<Step> = tagged<Step>('do', {
  no_new_privs: step('no_new_privs', {}),
  drop_cap_sys_admin: step('drop_cap_sys_admin', {}),
  unshare_user: step('unshare_user', {}),
  ring: step('ring', {
    ...ringOnly,
    entries: withDefault(u32, 8, 'Queue entries, u32'),
    flags: withDefault(flags(IORING_SETUP, u32, 'IORING_SETUP_'), 0, 'IORING_SETUP_*, u32'),
  }),
  register_bpf_filter: step('register_bpf_filter', {
    on: required(target),
    arg: required(bpfArg, 'struct io_uring_bpf'),
    nr_args: nrArgs.one,
  }),
  register_restrictions: step('register_restrictions', {
    on: required(target),
    arg: required(ringRestrictionsArg, 'struct io_uring_restriction[]'),
    nr_args: nrArgs.count('restrictions'),
  }),
  register_task_restrictions: step('register_task_restrictions', {
    on: required(target),
    arg: required(taskRestrictionsArg, 'struct io_uring_task_restriction'),
    nr_args: nrArgs.one,
  }),
  register: step('register', {
    on: required(target),
    opcode: required(registerOpcode, 'io_uring_register opcode, u32'),
    nr_args: withDefault(u32, 0, 'nr_args of the call'),
    bytes: maybe(bytes(ARENA.args_size), 'Argument memory, hex'),
    raw_arg: maybe(u64, 'Pointer passed instead of the address of bytes'),
  }),
  submit: step('submit', {
    ...ringOnly,
    registered: maybe(s32, 'Enter through this registered-ring index'),
    sqes: required(list(sqe, SQES_MAX), 'One batch, in order'),
  }),
  spawn: step('spawn', {
    how: required(word('fork', 'vfork', 'thread', 'clone_vm', 'clone3')),
    child: required(int(1, 15, 'a child task from 1 to 15'), 'The new task'),
  }),
  exec: step('exec', {}),
  exit: step('exit', {}),
  send_ring: step('send_ring', ringOnly),
  receive_ring: step('receive_ring', ringOnly),
  take_ring: step('take_ring', { from: required(taskId, 'Task it is taken from'), ...ringOnly }),
  close_ring: step('close_ring', ringOnly),
  probe_path: step('probe_path', {
    path: required(text(255, PATH, "a path below the scenario's directory, at most 255 characters")),
  }),
  probe_fd: step('probe_fd', { fd: required(s32) }),
  probe_memory: step(
    'probe_memory',
    {
      at: required(int(0, ARENA_SIZE - 1), 'Offset in the arena, bytes'),
      length: required(int(1, 256), 'Bytes to read back'),
    },
    ({ at, length }, where) => {
      if (at + length > ARENA_SIZE)
        throw new Mistake(where, `at + length is ${at + length}, beyond the arena's ${ARENA_SIZE} bytes`);
    },
  ),
  reap: step('reap', ringOnly),
} satisfies Record<StepKind, Codec<Step>>);

const fields = record<Scenario>({
  version: required(
    {
      ...int(
        SCENARIO_VERSION,
        SCENARIO_VERSION,
        `${SCENARIO_VERSION}, the version of the scenario language this program speaks`,
      ),
      schema: { const: SCENARIO_VERSION },
    } as Codec<typeof SCENARIO_VERSION & number> as Codec<typeof SCENARIO_VERSION>,
    'Version of the scenario language',
  ),
  suite: maybe(text(100), 'Suite that drew it'),
  fixtures: withDefault(list(word(...FIXTURES), FIXTURES.length), [], 'What exists before the first step'),
  jit: withDefault(boolean, true, 'net.core.bpf_jit_enable'),
  steps: required(list(steps, STEPS_MAX), 'In the order in which they run, whichever task does them'),
});

export const scenario: Codec<Scenario> = define('scenario', {
  ...fields,
  decode: (value, at) => {
    const found = fields.decode(value, at);
    onceEach(found, at === '' ? 'steps' : `${at}.steps`);
    return found;
  },
});

/** Ring slots and tasks are made at most once. */
function onceEach({ steps: all }: Scenario, at: string): void {
  const made = new Map<string, number>();
  all.forEach((entry, i) => {
    const what =
      entry.do === 'ring' ? `ring slot ${entry.ring}` : entry.do === 'spawn' ? `task ${entry.child}` : undefined;
    if (what === undefined) return;
    const first = made.get(what);
    if (first !== undefined)
      throw new Mistake(`${at}[${i}]`, `${what} is made a second time (first by ${at}[${first}])`);
    made.set(what, i);
  });
}
