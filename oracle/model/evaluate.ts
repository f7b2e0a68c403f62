/** Evaluation: classic restrictions and filter stacks, for one request. */
import type { AbiProfile } from '../uapi/abi.ts';
import { run } from '../bpf/interpret.ts';
import type { FilterVerdict } from './trace.ts';
import type { FeatureRuleId } from './feature-rules.ts';
import type { Classic, RuleSet } from './ruleset.ts';
import type { World } from './world.ts';

/** First rule of the classic restrictions that refuses the request, or undefined. */
export function classicRefusal(
  world: World,
  classic: Classic,
  opcode: number,
  sqeFlags: number,
): FeatureRuleId | undefined {
  if (!classic.names_sqe) {
    return world.decide('oneAllowlist') ? 'classic.allowlist-whole' : undefined;
  }
  if (!classic.sqe_op.has(opcode)) return 'classic.sqe-op';
  if ((sqeFlags & classic.sqe_flags_required) !== classic.sqe_flags_required) return 'classic.flags-required';
  if ((sqeFlags & ~(classic.sqe_flags_allowed | classic.sqe_flags_required)) !== 0) return 'classic.flags-allowed';
  return undefined;
}

/** Whether a register opcode is refused by classic restrictions. */
export function registerRefusal(world: World, classic: Classic, opcode: number): FeatureRuleId | undefined {
  if (!classic.names_register) {
    return world.decide('oneAllowlist') ? 'classic.allowlist-whole' : undefined;
  }
  return classic.register_op.has(opcode) ? undefined : 'register.restricted';
}

const wide = new BigUint64Array(1);
const halves = new Uint32Array(wide.buffer);
const HOST_LITTLE = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/**
 * struct io_uring_bpf_ctx as machine words. `payload` are the six words of the union.
 * Source: linux/io_uring/bpf_filter.h; unused bytes are zero.
 */
export function contextWords(
  abi: AbiProfile,
  opcode: number,
  sqeFlags: number,
  userData: bigint,
  payload: Uint32Array | undefined,
): Uint32Array {
  const words = new Uint32Array(Math.max(10, abi.ctx_size >>> 2));
  wide[0] = userData;
  const low = halves[HOST_LITTLE ? 0 : 1]!;
  const high = halves[HOST_LITTLE ? 1 : 0]!;
  const pdu = abi.pdu_size[opcode] ?? 0;
  if (abi.little_endian) {
    words[0] = low;
    words[1] = high;
    words[2] = opcode | (sqeFlags << 8) | (pdu << 16);
  } else {
    words[0] = high;
    words[1] = low;
    words[2] = (opcode << 24) | (sqeFlags << 16) | (pdu << 8);
  }
  if (payload !== undefined && pdu > 0) words.set(payload, 4);
  return words;
}

/** What a stack of filters says of a request, and the rule that decided. */
export interface FilterAnswer {
  readonly allowed: boolean;
  readonly rule: FeatureRuleId;
}

/** Notes a verdict; filters that one step registered over and over, and that all say the same, share one. */
function note(verdicts: FilterVerdict[], verdict: FilterVerdict): void {
  const last = verdicts.at(-1);
  const { step, program, ctx, value } = verdict;
  if (last !== undefined && last.step === step && last.program === program && last.ctx === ctx && last.value === value)
    last.times = (last.times ?? 1) + 1;
  else verdicts.push(verdict);
}

/** Runs the stack of `opcode`: most recent first, until one denies. */
export function runFilters(
  world: World,
  rules: RuleSet,
  opcode: number,
  ctx: Uint32Array,
  verdicts?: FilterVerdict[],
): FilterAnswer {
  let node = rules.table?.heads[opcode];
  if (node === undefined) return { allowed: true, rule: world.hit('filter.none') };
  if (node.next !== undefined) world.hit('filter.stack-all');
  let first = true;
  for (; node !== undefined; node = node.next) {
    if (node.program === undefined) {
      verdicts?.push({ step: node.step, program: undefined, ctx, value: 0 });
      return { allowed: false, rule: world.hit(first ? 'filter.deny-rest' : 'filter.deny-rest.kept') };
    }
    const value = run(node.program, ctx, world.abi.ctx_size, world.seen);
    if (verdicts !== undefined) note(verdicts, { step: node.step, program: node.program, ctx, value });
    if (value === 0) return { allowed: false, rule: world.hit('filter.deny') };
    first = false;
  }
  return { allowed: true, rule: world.hit('filter.allow') };
}
