/** Sample requests for people who try a filter: what they might ask of each opcode. */
import { SPECIFIED } from '../quirks/index.ts';
import type { AbiProfile } from '../uapi/abi.ts';
import { AF, AT_FDCWD, IOSQE, SOCK } from '../uapi/constants.ts';
import { OPEN_HOW, PATH } from '../world/arena.ts';
import { opSpec, Sandbox } from '../opcodes/index.ts';
import { fullSqe } from '../opcodes/support.ts';
import type { OpContext, PrepOutcome } from '../opcodes/types.ts';
import type { Fixture } from '../scenario/layout.ts';
import type { Sqe } from '../scenario/types.ts';

const DATA = 0x1234_5678_9abc_def0n;

function socket(family: number, type: number, len = 0): Sqe {
  return { opcode: 45, fd: family, off: BigInt(type), len };
}
function openat(op_flags: number, len = 0): Sqe {
  return { opcode: 18, fd: AT_FDCWD, addr: PATH.n0, op_flags, len };
}
function openat2(off: bigint): Sqe {
  return { opcode: 28, fd: AT_FDCWD, addr: PATH.n0, off, len: 24 };
}

/** Requests of `opcode`, all of which pass prep. */
export function sampleRequests(opcode: number, abi: AbiProfile): readonly Sqe[] {
  const o = abi.open;
  switch (opcode) {
    case 45:
      return [
        socket(AF.UNIX, SOCK.STREAM),
        socket(AF.INET, SOCK.STREAM),
        socket(AF.INET, SOCK.DGRAM),
        socket(AF.INET, SOCK.RAW, 1),
        socket(AF.INET6, SOCK.STREAM),
        socket(AF.INET6, SOCK.DGRAM),
        socket(AF.NETLINK, SOCK.RAW),
        socket(AF.PACKET, SOCK.RAW, 0x300),
        { ...socket(AF.INET, SOCK.STREAM | SOCK.NONBLOCK), user_data: DATA },
      ];
    case 18:
      return [
        openat(0),
        openat(1),
        openat(2),
        openat(o.O_CREAT | 1, 0o644),
        openat(o.O_CREAT | o.O_EXCL | 2, 0o600),
        openat(o.O_TRUNC | 1),
        openat(o.O_APPEND | 1),
        openat(o.O_DIRECTORY),
        openat(o.O_CLOEXEC),
        openat(o.O_PATH),
        openat(o.O_NOFOLLOW),
        { ...openat(0), user_data: DATA },
      ];
    case 28:
      return [
        OPEN_HOW.rdonly,
        OPEN_HOW.rdwr,
        OPEN_HOW.create,
        OPEN_HOW.create_excl,
        OPEN_HOW.trunc,
        OPEN_HOW.cloexec,
        OPEN_HOW.path,
        OPEN_HOW.beneath,
        OPEN_HOW.in_root,
        OPEN_HOW.no_symlinks,
      ].map(openat2);
    default: {
      const good = (opSpec(opcode)?.forms ?? []).filter(({ prep_error }) => prep_error !== true).map(({ sqe }) => sqe);
      const form = good[0] ?? { opcode };
      const payload = !((abi.pdu_size[opcode] ?? 0) > 0) ? [] : good.slice(1, 8);
      return [
        form,
        { ...form, user_data: DATA },
        { ...form, flags: (form.flags ?? 0) | IOSQE.ASYNC },
        { ...form, flags: (form.flags ?? 0) | IOSQE.IO_LINK },
        ...payload,
      ];
    }
  }
}

/** What prep makes of a request of the root task, on a ring and at a place in a chain that suit its opcode. */
export function prepare(sqe: Sqe, abi: AbiProfile): PrepOutcome {
  const spec = opSpec(sqe.opcode);
  if (spec === undefined) return { ok: 'unknown' };
  const fixtures: readonly Fixture[] = spec.forms.flatMap((form) => form.fixtures);
  const good = spec.forms.filter(({ prep_error }) => prep_error !== true);
  const setup_flags = good[0]?.need_setup ?? 0;
  const linked = good[0]?.linked ?? false;
  const context: OpContext = {
    abi,
    decisions: SPECIFIED,
    sqe: fullSqe(sqe),
    setup_flags,
    ring: 0,
    linked,
    sandbox: new Sandbox([...new Set(fixtures)], abi),
    ringAt: () => undefined,
  };
  return spec.prep(context);
}
