/** Requests with two things wrong, for every opcode: which of them is told shows the order of the checks. */
import { initCheck, OP, opSpec } from '../../oracle/opcodes/index.ts';
import { IORING_REGISTER } from '../../oracle/register/index.ts';
import type { Sqe } from '../../oracle/scenario/types.ts';
import { AF, CLONE, FILE_INDEX_ALLOC, IORING_SETUP, IOSQE, SOCK } from '../../oracle/uapi/constants.ts';
import { MAX_TASKS } from '../../oracle/scenario/layout.ts';
import { onRing } from '../builder.ts';
import type { Builder } from '../builder.ts';
import { formContext, roleTable } from '../roles.ts';
import type { Role } from '../roles.ts';
import { request, stageOn } from './looks.ts';

type Fault = Partial<Sqe>;

/** What is wrong with any request, in places that each opcode checks or that are checked before. */
const ANY_FAULT: readonly Fault[] = [
  { ioprio: 0x8000 },
  { personality: 0xffff },
  { buf_index: 1 },
  { addr: 1n << 63n },
  { file_index: FILE_INDEX_ALLOC },
];

/** Flags that are wrong, by being there or by being not. */
const FLAG_FAULTS: readonly number[] = [0x80, IOSQE.BUFFER_SELECT, IOSQE.FIXED_FILE];

/** Members in which a request that is refused differs from one that is not. */
function faultOf(refused: Sqe, good: Sqe): Fault {
  const fault: Record<string, unknown> = {};
  for (const name of new Set([...Object.keys(good), ...Object.keys(refused)]) as Set<keyof Sqe>) {
    const value = refused[name];
    if (value !== good[name]) fault[name] = value ?? (typeof good[name] === 'bigint' ? 0n : 0);
  }
  return fault;
}

/** A request with both at once; of flags each turns its own. */
function withBoth({ flags = 0, ...sqe }: Sqe, one: Fault, other: Fault): Sqe {
  const turned = ({ flags: wrong = flags }: Fault): number => wrong ^ flags;
  return { ...sqe, ...one, ...other, flags: flags ^ (turned(one) | turned(other)) };
}

/** Requests of these roles, all of one opcode, with each pair of faults, where they are refused before filters. */
function pairsOf({ abi, fixtures }: Builder, roles: readonly Role[]): Sqe[] {
  const base = roles.find(({ prepared }) => prepared) ?? roles[0]!;
  const flags = base.form.sqe.flags ?? 0;
  const faults = [
    ...roles.flatMap(({ prepared, form }) => (prepared ? [] : [faultOf(form.sqe, base.form.sqe)])),
    ...FLAG_FAULTS.map((flag): Fault => ({ flags: flags ^ flag })),
    ...ANY_FAULT,
  ];
  for (const { form } of [base, ...roles]) for (const fixture of form.fixtures) fixtures.add(fixture);
  const spec = opSpec(base.opcode)!;
  return faults.flatMap((one, i) =>
    faults.slice(i + 1).flatMap((other): Sqe[] => {
      const sqe = withBoth(base.form.sqe, one, other);
      const context = formContext({ ...base.form, sqe }, abi, IORING_SETUP.SUBMIT_ALL);
      return !initCheck(context).ok || spec.prep(context).ok === false ? [sqe] : [];
    }),
  );
}

/** Every pair of faults of the opcodes whose number leaves `part` when divided by `parts`. */
export function everyFaultPair(part: number, parts: number): (b: Builder) => void {
  return (b) => {
    const ring = b.ring(0, IORING_SETUP.SUBMIT_ALL, 64);
    if (ring === undefined) return;
    const refused: Sqe[] = [];
    for (const [opcode, roles] of roleTable(b.abi).byOpcode.entries()) {
      const plain = roles.filter(({ form }) => form.need_setup === undefined && form.linked !== true);
      if (opcode % parts === part && plain.length > 0) refused.push(...pairsOf(b, plain));
    }
    for (let from = 0; from < refused.length; from += 64) {
      const sqes = refused.slice(from, from + 64).map((sqe, i) => ({ ...sqe, user_data: BigInt(from + i) }));
      b.push({ do: 'submit', task: 0, ring, sqes });
    }
  };
}

const RAW: readonly Sqe[] = [AF.INET, AF.INET6].map((fd) => ({
  opcode: OP.SOCKET,
  fd,
  off: BigInt(SOCK.RAW),
  len: 255,
}));

/** Numbers of credentials that are off by a bit; requests as somebody who may what the submitter may not, and back. */
export function everyCredential(b: Builder): void {
  const ring = b.ring(0, IORING_SETUP.SUBMIT_ALL, 64);
  if (ring === undefined) return;
  const give = (task: number): void => b.register(task, onRing(ring), IORING_REGISTER.REGISTER_PERSONALITY);
  give(0);
  give(0);
  const ids = [0, 1, 2, 3, ...Array.from({ length: 16 }, (_, bit) => 1 ^ (1 << bit)), 0x8001, 0xff01, 0x202];
  const nops = ids.map((personality, i) => ({ opcode: OP.NOP, personality, user_data: BigInt(i + 1) }));
  b.push({ do: 'submit', task: 0, ring, sqes: nops });
  // The child may do nothing to the network, its parent may; each as itself and as the other.
  const child = b.spawn(0, b.d.pick(['fork', 'clone3']), MAX_TASKS, CLONE.NEWUSER);
  if (child === undefined) return;
  give(child);
  for (const task of [child, 0]) {
    const stage = stageOn(b, task, ring, false);
    // user_data of their own.
    stage.next += 64 * (task + 1);
    for (const personality of [0, 1, 3, 0x101, 0x301])
      for (const flags of [0, IOSQE.ASYNC]) for (const sqe of RAW) request(stage, { ...sqe, personality, flags });
  }
  b.register(0, onRing(ring), IORING_REGISTER.UNREGISTER_PERSONALITY, 1);
  b.push({ do: 'submit', task: 0, ring, sqes: nops.map((sqe) => ({ ...sqe, user_data: sqe.user_data + 0x1000n })) });
  b.register(0, onRing(ring), IORING_REGISTER.UNREGISTER_PERSONALITY, 0x102);
}
