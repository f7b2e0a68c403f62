/**
 * Which bits of what user space hands over, and of what filters see, were both 0 and 1: of each member of each
 * structure, of each word of the context. `measure.ts` prints it; `spread.test.ts` holds it.
 */
import { contextWords } from '../oracle/model/evaluate.ts';
import { effectiveProgram, programAddress } from '../oracle/scenario/memory.ts';
import { opName, opSpec } from '../oracle/opcodes/index.ts';
import { ARENA_BASE } from '../oracle/scenario/layout.ts';
import type { PrepOutcome } from '../oracle/opcodes/types.ts';
import type { BpfArg, Restriction, Sqe, TaskRestrictionsArg } from '../oracle/scenario/types.ts';
import { filterOf, requestsOf } from '../oracle/steps/index.ts';
import type { Scenario, Step } from '../oracle/steps/index.ts';
import type { AbiProfile } from '../oracle/uapi/abi.ts';
import { validate } from '../oracle/bpf/validate.ts';
import { arenaImage } from '../oracle/world/arena.ts';
import { formContext } from './roles.ts';

/** A member of a structure, and which of its bits were seen in both states. */
export class Member {
  readonly bits: number;
  #ones = 0n;
  #zeros = 0n;
  #last: bigint | undefined;

  constructor(bits: number) {
    this.bits = bits;
  }

  /** Takes a value into account. */
  add(value: number | bigint): void {
    const word = BigInt.asUintN(this.bits, BigInt(value));
    if (word === this.#last) return;
    this.#last = word;
    this.#ones |= word;
    this.#zeros |= ~word;
  }

  /** The bits that were seen in both states. */
  get varied(): bigint {
    return BigInt.asUintN(this.bits, this.#ones & this.#zeros);
  }

  /** The bytes, from the lowest on, none of whose bits was. */
  get stillBytes(): readonly number[] {
    const { varied } = this;
    return Array.from({ length: this.bits >>> 3 }, (_, i) => i).filter(
      (i) => ((varied >> BigInt(8 * i)) & 0xffn) === 0n,
    );
  }
}

/** Members of struct io_uring_sqe beside opcode and flags, and their bits. */
const SQE_BITS = {
  opcode: 8,
  flags: 8,
  ioprio: 16,
  fd: 32,
  off: 64,
  addr: 64,
  len: 32,
  op_flags: 32,
  user_data: 64,
  buf_index: 16,
  personality: 16,
  file_index: 32,
  addr3: 64,
  pad2: 64,
} as const satisfies Record<keyof Sqe, number>;

/** Bytes of the argument of another register call that are looked at: the longest structures have fewer. */
const ARGUMENT_BYTES = 64;
const LD_W_ABS = 0x20;
/** jeq, jgt, jge, jset against k. */
const COMPARES: ReadonlySet<number> = new Set([0x15, 0x25, 0x35, 0x45]);
const CONNECT = 16;
const OPENAT2 = 28;
const OPEN_HOW_SIZE = 24;

type Prepared = Extract<PrepOutcome, { ok: true }>;

/** Counts over scenarios. */
export class Spread {
  /** By name: `io_uring_bpf.resv`, `context SOCKET 16`. */
  readonly members = new Map<string, Member>();
  /** Words of the context that programs on an opcode load, `SOCKET 16`, and what they compare them with. */
  readonly compared = new Map<string, Member>();
  readonly #prepared = new Map<string, Prepared | undefined>();

  /** Takes a scenario into account. */
  add(scenario: Scenario, abi: AbiProfile): void {
    for (const step of scenario.steps) {
      for (const sqe of requestsOf(step)) this.#sqe(sqe, abi);
      const filter = filterOf(step);
      if (filter !== undefined) this.#filter(filter, abi);
      this.#call(step);
    }
  }

  #put(name: string, bits: number, value: number | bigint): void {
    let member = this.members.get(name);
    if (member === undefined) {
      member = new Member(bits);
      this.members.set(name, member);
    }
    member.add(value);
  }

  #sqe(sqe: Sqe, abi: AbiProfile): void {
    for (const [name, bits] of Object.entries(SQE_BITS)) this.#put(`sqe.${name}`, bits, sqe[name as keyof Sqe] ?? 0);
    const spec = opSpec(sqe.opcode);
    if (spec?.payload === undefined || sqe.opcode >= abi.op_last) return;
    if (sqe.opcode === OPENAT2) this.#structure('open_how', sqe.off ?? 0n, OPEN_HOW_SIZE, abi);
    if (sqe.opcode === CONNECT) this.#structure('sockaddr', sqe.addr ?? 0n, Number((sqe.off ?? 0n) & 0x1fn), abi);
    const seen = this.#payload(sqe, abi);
    if (seen === undefined) return;
    const flags = ((sqe.flags ?? 0) | seen.adds_flags) & abi.sqe_flags;
    const words = contextWords(abi, sqe.opcode, flags, sqe.user_data ?? 0n, seen.payload);
    for (const [i, word] of words.entries()) this.#put(`context ${spec.name} ${4 * i}`, 32, word);
  }

  /** What prep makes of a request, if it passes; many requests are alike. */
  #payload(sqe: Sqe, abi: AbiProfile): Prepared | undefined {
    const { user_data: _data, ...rest } = sqe;
    const key = Object.values(rest).join(' ');
    if (!this.#prepared.has(key)) {
      const prep = opSpec(sqe.opcode)!.prep(formContext({ name: '', sqe, fixtures: [] }, abi, 0));
      this.#prepared.set(key, prep.ok === true ? prep : undefined);
    }
    return this.#prepared.get(key);
  }

  /** Words of a structure in the arena's constant image. */
  #structure(name: string, address: bigint, size: number, { little_endian: le }: AbiProfile): void {
    const image = arenaImage(le);
    const at = Number(address - BigInt(ARENA_BASE));
    if (!(at >= 0 && at + size <= image.length)) return;
    for (let i = 0; i < size; i++) this.#put(`${name}[${i}]`, 8, image[at + i]!);
  }

  #filter(arg: BpfArg, abi: AbiProfile): void {
    this.#put('io_uring_bpf.cmd_type', 16, arg.cmd_type);
    this.#put('io_uring_bpf.cmd_flags', 16, arg.cmd_flags);
    this.#put('io_uring_bpf.resv', 32, arg.resv);
    this.#put('io_uring_bpf_filter.opcode', 32, arg.opcode);
    this.#put('io_uring_bpf_filter.flags', 32, arg.flags);
    this.#put('io_uring_bpf_filter.filter_len', 32, arg.filter_len);
    this.#put('io_uring_bpf_filter.pdu_size', 8, arg.pdu_size);
    for (const [i, byte] of arg.resv_filter.entries()) this.#put(`io_uring_bpf_filter.resv[${i}]`, 8, byte);
    for (const [i, word] of arg.resv2.entries()) this.#put(`io_uring_bpf_filter.resv2[${i}]`, 64, word);
    this.#put('io_uring_bpf_filter.filter_ptr', 64, programAddress(arg));
    for (const { code, jt, jf, k } of arg.program) {
      this.#put('sock_filter.code', 16, code);
      this.#put('sock_filter.jt', 8, jt);
      this.#put('sock_filter.jf', 8, jf);
      this.#put('sock_filter.k', 32, k);
    }
    this.#loads(arg, abi);
  }

  /** What an accepted program compares the words with that it has just loaded. */
  #loads(arg: BpfArg, abi: AbiProfile): void {
    const program = effectiveProgram(arg);
    if (program.length === 0 || validate(program, abi).verdict === 'rejected') return;
    program.forEach(({ code, k }, pc) => {
      if (code !== LD_W_ABS) return;
      const key = `${opName(arg.opcode)} ${k}`;
      let member = this.compared.get(key);
      if (member === undefined) {
        member = new Member(32);
        this.compared.set(key, member);
      }
      // jeq, jgt, jge and jset against k, one behind the other.
      for (let next = pc + 1; COMPARES.has(program[next]?.code ?? 0); next++) member.add(program[next]!.k);
    });
  }

  #call(step: Step): void {
    switch (step.do) {
      case 'ring':
        this.#put('io_uring_setup.entries', 32, step.entries);
        this.#put('io_uring_params.flags', 32, step.flags);
        break;
      case 'register_restrictions':
        this.#restrictions(step.arg.restrictions);
        break;
      case 'register_task_restrictions':
        this.#taskRestrictions(step.arg);
        break;
      case 'register': {
        this.#put('io_uring_register.opcode', 32, step.opcode);
        const bytes = step.bytes?.subarray(0, ARGUMENT_BYTES) ?? [];
        for (const [i, byte] of bytes.entries()) this.#put(`argument of ${step.opcode}[${i}]`, 8, byte);
        break;
      }
      default:
    }
    if ('nr_args' in step) this.#put('io_uring_register.nr_args', 32, step.nr_args);
  }

  #restrictions(list: readonly Restriction[]): void {
    for (const { opcode, value, resv, resv2 } of list) {
      this.#put('io_uring_restriction.opcode', 16, opcode);
      this.#put('io_uring_restriction.sqe_op', 8, value);
      this.#put('io_uring_restriction.resv', 8, resv);
      for (const [i, word] of resv2.entries()) this.#put(`io_uring_restriction.resv2[${i}]`, 32, word);
    }
  }

  #taskRestrictions({ flags, nr_res: count, resv, restrictions }: TaskRestrictionsArg): void {
    this.#put('io_uring_task_restriction.flags', 16, flags);
    this.#put('io_uring_task_restriction.nr_res', 16, count);
    for (const [i, word] of resv.entries()) this.#put(`io_uring_task_restriction.resv[${i}]`, 32, word);
    this.#restrictions(restrictions);
  }
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => a.localeCompare(b, 'en');

/** Members and words, how many bits they have and how many of them were both; arguments of other calls in bytes. */
export function spreadTable({ members, compared }: Spread): string[] {
  const bits = (member: Member | undefined): number =>
    member === undefined ? 0 : member.varied.toString(2).replaceAll('0', '').length;
  const lines = ['| member or word | bits | seen as 0 and 1 | compared with |', '| --- | --- | --- | --- |'];
  const bytes = new Map<string, [seen: number, all: number]>();
  for (const [name, member] of [...members].sort(byName)) {
    const array = /^(.*)\[\d+\]$/.exec(name)?.[1];
    if (array !== undefined && member.bits === 8) {
      const [seen, all] = bytes.get(array) ?? [0, 0];
      bytes.set(array, [seen + (member.varied === 0n ? 0 : 1), all + 1]);
      continue;
    }
    const word = compared.get(name.replace('context ', ''));
    lines.push(`| ${name} | ${member.bits} | ${bits(member)} | ${word === undefined ? '' : bits(word)} |`);
  }
  lines.push('', '| bytes of | there | that differ |', '| --- | --- | --- |');
  for (const [name, [seen, all]] of [...bytes].sort(byName)) lines.push(`| ${name} | ${all} | ${seen} |`);
  return lines;
}
