/** Sample requests for people who try a filter: what they might ask of each opcode. */
import { MODEL } from '../model/open.ts';
import { SPECIFIED } from '../quirks/index.ts';
import type { AbiProfile } from '../uapi/abi.ts';
import { IOSQE } from '../uapi/constants.ts';
import { opSpec } from '../opcodes/index.ts';
import { Sandbox } from '../world/sandbox.ts';
import { fullSqe, SAMPLE_DATA } from '../opcodes/support.ts';
import type { OpContext, PrepOutcome } from '../opcodes/types.ts';
import type { Fixture } from '../scenario/layout.ts';
import type { Sqe } from '../scenario/types.ts';

/** Requests of `opcode`, all of which pass prep. */
export function sampleRequests(opcode: number, abi: AbiProfile): readonly Sqe[] {
  const spec = opSpec(opcode);
  const own = spec?.samples?.(abi);
  if (own !== undefined) return own.map((fields) => ({ opcode, ...fields }));
  const good = (spec?.forms ?? []).filter(({ prep_error }) => prep_error !== true).map(({ sqe }) => sqe);
  const form = good[0] ?? { opcode };
  const payload = !((abi.pdu_size[opcode] ?? 0) > 0) ? [] : good.slice(1, 8);
  return [
    form,
    { ...form, user_data: SAMPLE_DATA },
    { ...form, flags: (form.flags ?? 0) | IOSQE.ASYNC },
    { ...form, flags: (form.flags ?? 0) | IOSQE.IO_LINK },
    ...payload,
  ];
}

/** What prep makes of a request of the root task, on a ring and at a place in a chain that suit its opcode. */
export function prepare(sqe: Sqe, abi: AbiProfile): PrepOutcome {
  const spec = opSpec(sqe.opcode);
  if (spec === undefined) return { ok: 'unknown', place: MODEL['opcode.unknown'] };
  const fixtures: readonly Fixture[] = spec.forms.flatMap((form) => form.fixtures);
  const good = spec.forms.filter(({ prep_error }) => prep_error !== true);
  const context: OpContext = {
    abi,
    decisions: SPECIFIED,
    sqe: fullSqe(sqe),
    setup_flags: good[0]?.need_setup ?? 0,
    ring: 0,
    linked: good[0]?.linked ?? false,
    sandbox: new Sandbox([...new Set(fixtures)], abi),
    ringAt: () => undefined,
  };
  return spec.prep(context);
}
