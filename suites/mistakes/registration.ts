/** Mistakes about registration calls: arguments, privilege, atomicity. */
import type { Mistake } from './mutants.ts';

const FILTER = 'model/filter-registration.ts';
const CLASSIC = 'model/classic-registration.ts';
const mistake = (name: string, file: string, find: string, replace: string, ...likely: string[]): Mistake => ({
  name,
  file,
  find,
  replace,
  likely,
});

const WRITE_BACK = `  if (arg.pdu_size !== size) {
    memory = bpfArgBytes(arg, abi.little_endian);`;

/** They are about io_uring_register. */
export const REGISTRATION_MISTAKES: readonly Mistake[] = [
  mistake(
    'nr_args of a filter is not looked at',
    FILTER,
    "if (nrArgs !== 1) return refuse(E.INVAL, 'filter-reg.nr-args');",
    '',
    'arguments',
  ),
  mistake('cmd_type is not looked at', FILTER, 'arg.cmd_type !== CMD_FILTER', 'false', 'arguments'),
  mistake('cmd_flags is not looked at', FILTER, 'arg.cmd_flags !== 0', 'false', 'arguments'),
  mistake('resv is not looked at', FILTER, 'arg.resv !== 0', 'false', 'arguments'),
  mistake(
    'resv of the filter is not looked at',
    FILTER,
    'arg.resv_filter.some((byte) => byte !== 0)',
    'false',
    'arguments',
  ),
  mistake(
    'only the first resv2 word is looked at',
    FILTER,
    'arg.resv2.some((word) => word !== 0n)',
    'arg.resv2[0] !== 0n',
    'arguments',
  ),
  mistake('opcode 65 exists', FILTER, 'arg.opcode >= abi.op_last', 'arg.opcode > abi.op_last', 'arguments'),
  mistake('unknown filter flags are ignored', FILTER, '(arg.flags & ~abi.filter_flags) !== 0', 'false', 'arguments'),
  mistake('an empty program is taken', FILTER, 'arg.filter_len === 0 || ', '', 'arguments'),
  mistake('SZ_STRICT is ignored', FILTER, '(arg.flags & FILTER_SZ_STRICT) !== 0', 'false', 'arguments'),
  mistake('SZ_STRICT is always on', FILTER, '(arg.flags & FILTER_SZ_STRICT) !== 0', 'true', 'arguments'),
  mistake('a larger payload size is taken', FILTER, 'if (arg.pdu_size > size)', 'if (arg.pdu_size < 0)', 'arguments'),
  mistake(
    'a smaller payload size is refused',
    FILTER,
    'if (arg.pdu_size > size)',
    'if (arg.pdu_size !== size)',
    'arguments',
  ),
  mistake('the payload size is not written back', FILTER, 'memory[BPF_PDU_SIZE_OFFSET] = size;', '', 'arguments'),
  mistake(
    'the payload size is written back one byte off',
    FILTER,
    'memory[BPF_PDU_SIZE_OFFSET] = size;',
    'memory[BPF_PDU_SIZE_OFFSET + 1] = size;',
    'arguments',
  ),
  mistake(
    'write-back to read-only memory is not needed',
    FILTER,
    "if (where === 'read-only') return",
    'if (false) return',
    'arguments',
  ),
  mistake(
    'the program is fetched before the size is judged',
    FILTER,
    WRITE_BACK,
    `  if (addressKind(arg.program_placement) === 'unmapped') return refuse(E.FAULT, 'filter-reg.program-fault');\n` +
      `  if (addressKind(arg.program_placement) === 'null') return refuse(E.INVAL, 'filter-reg.program-null');\n` +
      `${WRITE_BACK}`,
    'arguments',
  ),
  mistake(
    'the program is checked before the size is judged',
    FILTER,
    WRITE_BACK,
    `  if (\n    addressKind(arg.program_placement) === 'readable' &&\n` +
      `    validate(effectiveProgram(arg), abi).verdict === 'rejected'\n` +
      `  )\n    return refuse(E.INVAL, 'filter-reg.program-invalid');\n${WRITE_BACK}`,
    'arguments',
  ),
  mistake(
    'a NULL program is a fault',
    FILTER,
    "refuse(E.INVAL, 'filter-reg.program-null', memory)",
    "refuse(E.FAULT, 'filter-reg.program-null', memory)",
    'arguments',
  ),
  mistake(
    'a NULL structure is -EINVAL',
    FILTER,
    "return refuse(E.FAULT, 'filter-reg.fault');",
    "return refuse(E.INVAL, 'filter-reg.fault');",
    'arguments',
  ),
  mistake(
    'a refused program is registered',
    FILTER,
    "if (checked.verdict === 'rejected') {",
    "if (checked.verdict === 'rejected') {\n" +
      '    rules.add(arg.opcode, program, (arg.flags & FILTER_DENY_REST) !== 0, abi.op_last, world.step);\n',
    'atomicity',
  ),
  mistake(
    'a refused payload size is registered',
    FILTER,
    'if (arg.pdu_size > size) return',
    'if (arg.pdu_size > size) rules.add(arg.opcode, arg.program, false, abi.op_last, world.step);\n' +
      '    if (arg.pdu_size > size) return',
    'atomicity',
    'arguments',
  ),
  mistake(
    'no_new_privs is not enough',
    FILTER,
    'if (task.no_new_privs) {',
    'if (task.no_new_privs && task.cap_sys_admin === true) {',
    'privilege',
  ),
  mistake(
    'no_new_privs is needed',
    FILTER,
    '  return task.cap_sys_admin;\n',
    '  return false;\n',
    'privilege',
    'inheritance',
  ),
  mistake('nobody needs a privilege', FILTER, '  return task.cap_sys_admin;\n', '  return true;\n', 'privilege'),
  mistake(
    'the capability of a user namespace does not count',
    FILTER,
    '  return task.cap_sys_admin;\n',
    '  return task.in_user_ns ? false : task.cap_sys_admin;\n',
    'privilege',
  ),
  mistake(
    'nr_args comes before privilege',
    FILTER,
    "if (!allowed) return { ret: -E.ACCES, rule: world.hit('filter-reg.privilege') };",
    "if (!allowed && call.nr_args === 1) return { ret: -E.ACCES, rule: world.hit('filter-reg.privilege') };",
    'privilege',
  ),
  mistake(
    'task restrictions: -EACCES before -EPERM',
    CLASSIC,
    "if (!task.rules.empty) return refuse(E.PERM, 'task-classic-reg.once');",
    "if (!task.rules.empty && privileged(world, task) === true) return refuse(E.PERM, 'task-classic-reg.once');",
    'privilege',
  ),
  mistake(
    'task restrictions can be set twice',
    CLASSIC,
    "if (!task.rules.empty) return refuse(E.PERM, 'task-classic-reg.once');",
    "if (task.rules.table !== undefined) return refuse(E.PERM, 'task-classic-reg.once');",
    'classic-restrictions',
    'inheritance',
  ),
  mistake(
    'task restrictions may follow filters',
    CLASSIC,
    "if (!task.rules.empty) return refuse(E.PERM, 'task-classic-reg.once');",
    "if (task.rules.classic !== undefined) return refuse(E.PERM, 'task-classic-reg.once');",
    'privilege',
    'classic-restrictions',
  ),
  mistake(
    'flags of task restrictions are ignored',
    CLASSIC,
    'if (arg.flags !== 0)',
    'if (false)',
    'classic-restrictions',
  ),
  mistake(
    'reserved words of task restrictions are ignored',
    CLASSIC,
    "if (arg.resv.some((word) => word !== 0)) return refuse(E.INVAL, 'task-classic-reg.resv');",
    '',
    'classic-restrictions',
  ),
  mistake(
    'reserved bytes of an entry are looked at',
    CLASSIC,
    "world.hit('classic-reg.entry-resv');",
    'return undefined;',
    'classic-restrictions',
    'atomicity',
  ),
  mistake(
    'restrictions are taken on a ring at work',
    CLASSIC,
    "if (!ring.disabled) return refuse(E.BADFD, 'classic-reg.not-disabled');",
    '',
    'classic-restrictions',
  ),
  mistake(
    'restrictions on a ring can be set twice',
    CLASSIC,
    "if (ring.rules.classic !== undefined) return refuse(E.BUSY, 'classic-reg.once');",
    '',
    'classic-restrictions',
  ),
  mistake(
    'an entry may name an opcode that does not exist',
    CLASSIC,
    'if (value >= world.abi.op_last) return undefined;',
    '',
    'classic-restrictions',
    'atomicity',
  ),
  mistake(
    'an entry may name a register opcode that does not exist',
    CLASSIC,
    'if (value >= world.abi.register_last) return undefined;',
    '',
    'classic-restrictions',
  ),
  mistake(
    'flags of several entries add up',
    CLASSIC,
    'sqe_flags_allowed = value;',
    'sqe_flags_allowed |= value;',
    'classic-restrictions',
  ),
];
