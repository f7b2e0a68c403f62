/** Mistakes about what rules do: stacks, DENY_REST, restrictions, inheritance, submission. */
import type { Mistake } from './mutants.ts';

const RULESET = 'model/ruleset.ts';
const EVALUATE = 'model/evaluate.ts';
const ADMISSION = 'model/admission.ts';
const CHAIN = 'model/chain.ts';
const COMPLETION = 'model/completion.ts';
const DRAINS = 'model/drains.ts';
const SUBMIT = 'model/submit.ts';
const TASKS = 'model/tasks.ts';
const REGISTER = 'model/register.ts';
const ATTACH = 'model/attach.ts';
const TAKE = 'steps/kind/take-ring.ts';
const ENTER = 'model/enter.ts';
const DROP_CAP = 'steps/kind/drop-cap-sys-admin.ts';
const FILTER_STEP = 'steps/kind/register-bpf-filter.ts';
const mistake = (name: string, file: string, find: string, replace: string, ...likely: string[]): Mistake => ({
  name,
  file,
  find,
  replace,
  likely,
});

const STACK = '  for (; node !== undefined; node = node.next) {';
const NODE = 'heads[opcode] = { program, next: heads[opcode], step };';
const REST = 'for (let op = 0; op < opLast; op++)';
const COPY = '} else copy.table = new FilterTable(this.table.heads);';
const INHERIT_CHILD = "const rules = inherited(world, task);\n  if (!rules.empty) world.hit('inherit.child-at-fork');";
const INHERIT_RING =
  "const rules = inherited(world, task);\n  if (!rules.empty) world.hit('inherit.ring-at-creation');";

/** They are about what registered rules do, to whom, and when. */
export const RULE_MISTAKES: readonly Mistake[] = [
  // Stacks and DENY_REST.
  mistake(
    'only the newest filter counts',
    RULESET,
    NODE,
    'heads[opcode] = { program, next: undefined, step };',
    'stacking',
  ),
  mistake(
    'only the oldest filter counts',
    RULESET,
    NODE,
    'heads[opcode] ??= { program, next: undefined, step };',
    'stacking',
  ),
  mistake(
    'only the last two filters count',
    EVALUATE,
    STACK,
    '  for (let depth = 0; node !== undefined && depth < 2; depth++, node = node.next) {',
    'stacking',
  ),
  mistake(
    'one filter that allows is enough',
    EVALUATE,
    '    first = false;',
    "    return { allowed: true, rule: world.hit('filter.allow') };",
    'stacking',
  ),
  mistake(
    'a filter binds the next opcode too',
    RULESET,
    NODE,
    `${NODE} heads[opcode + 1] ??= heads[opcode];`,
    'stacking',
  ),
  mistake('DENY_REST is ignored', RULESET, 'if (!denyRest) return;', 'return;', 'deny-rest'),
  mistake('every filter denies the rest', RULESET, 'if (!denyRest) return;', '', 'stacking', 'deny-rest'),
  mistake('DENY_REST skips the last opcode', RULESET, REST, 'for (let op = 0; op < opLast - 1; op++)', 'deny-rest'),
  mistake('DENY_REST skips opcode 0', RULESET, REST, 'for (let op = 1; op < opLast; op++)', 'deny-rest'),
  mistake('DENY_REST stops at the opcode itself', RULESET, REST, 'for (let op = 0; op < opcode; op++)', 'deny-rest'),
  mistake(
    'DENY_REST denies the opcode itself',
    RULESET,
    'heads[op] ??= {',
    'if (op === opcode || heads[op] === undefined) heads[op] = {',
    'deny-rest',
  ),
  mistake(
    'DENY_REST replaces earlier filters',
    RULESET,
    'heads[op] ??= { program: undefined',
    'if (op !== opcode) heads[op] = { program: undefined',
    'deny-rest',
  ),
  mistake(
    'a later filter lifts DENY_REST',
    RULESET,
    NODE,
    'heads[opcode] = { program, next: heads[opcode]?.program === undefined ? undefined : heads[opcode], step };',
    'deny-rest',
  ),
  mistake('a denial is -EPERM', ADMISSION, 'E.ACCES, answer.rule', 'E.PERM, answer.rule', 'stacking'),

  // Classic restrictions.
  mistake(
    'flags_required is ignored',
    EVALUATE,
    "if ((sqeFlags & classic.sqe_flags_required) !== classic.sqe_flags_required) return 'classic.flags-required';",
    '',
    'classic-restrictions',
  ),
  mistake(
    'one required flag is enough',
    EVALUATE,
    '(sqeFlags & classic.sqe_flags_required) !== classic.sqe_flags_required',
    'classic.sqe_flags_required !== 0 && (sqeFlags & classic.sqe_flags_required) === 0',
    'classic-restrictions',
  ),
  mistake(
    'flags_allowed is ignored',
    EVALUATE,
    'if ((sqeFlags & ~(classic.sqe_flags_allowed | classic.sqe_flags_required)) !== 0) return ' +
      "'classic.flags-allowed';",
    '',
    'classic-restrictions',
  ),
  mistake(
    'required flags are not allowed',
    EVALUATE,
    '~(classic.sqe_flags_allowed | classic.sqe_flags_required)',
    '~classic.sqe_flags_allowed',
    'classic-restrictions',
  ),
  mistake(
    'sqe_op is ignored',
    EVALUATE,
    "if (!classic.sqe_op.has(opcode)) return 'classic.sqe-op';",
    '',
    'classic-restrictions',
  ),
  mistake(
    'register_op is ignored',
    EVALUATE,
    "return classic.register_op.has(opcode) ? undefined : 'register.restricted';",
    'return undefined;',
    'classic-restrictions',
  ),
  mistake(
    'restrictions come after prep',
    ADMISSION,
    'if (refusal !== undefined) {\n        world.hit',
    'if (refusal !== undefined && initCheckRest(context).ok && opSpec(sqe.opcode)?.prep(context).ok === true) {\n' +
      '        world.hit',
    'classic-restrictions',
  ),
  mistake(
    'restrictions hold while the ring is being set up',
    REGISTER,
    "    world.hit('register.restricted.disabled-exempt');\n    return undefined;",
    '    return refusal;',
    'classic-restrictions',
  ),
  mistake(
    'inherited restrictions can be lifted by a second enable',
    'model/raw-call.ts',
    "if (!ring.disabled) return { ret: -E.BADFD, rule: world.hit('register.enable.not-disabled') };",
    '',
    'classic-restrictions',
    'escape',
  ),

  // Inheritance.
  mistake(
    'a child inherits nothing',
    TASKS,
    INHERIT_CHILD,
    `const rules = new RuleSet();\n  if (!rules.empty) world.hit('inherit.child-at-fork');`,
    'inheritance',
  ),
  mistake(
    'a thread inherits nothing',
    TASKS,
    INHERIT_CHILD,
    `const rules = thread ? new RuleSet() : inherited(world, task);`,
    'inheritance',
  ),
  mistake(
    "a child loses one of its parent's filters",
    TASKS,
    INHERIT_CHILD,
    `${INHERIT_CHILD}\n  if (rules.table !== undefined) {\n` +
      '    const heads = rules.table.heads.slice();\n' +
      '    rules.table = Object.assign(Object.create(Object.getPrototypeOf(rules.table)), { heads });\n' +
      `    const last = rules.table.heads.findLastIndex((head) => head?.program !== undefined);\n` +
      `    if (last >= 0) rules.table.heads[last] = rules.table.heads[last]!.next;\n  }`,
    'inheritance',
  ),
  mistake(
    'a child loses the classic restrictions',
    TASKS,
    INHERIT_CHILD,
    `${INHERIT_CHILD}\n  rules.classic = undefined;`,
    'inheritance',
  ),
  mistake(
    'a child shares all later rules of its parent',
    TASKS,
    INHERIT_CHILD,
    'const rules = task.rules;',
    'inheritance',
  ),
  mistake('a ring inherits nothing', TASKS, INHERIT_RING, 'const rules = new RuleSet();', 'inheritance'),
  mistake(
    'a ring gets the filters that its task registers later',
    TASKS,
    INHERIT_RING,
    'const rules = task.rules;',
    'inheritance',
  ),
  mistake(
    'a ring loses the classic restrictions',
    TASKS,
    INHERIT_RING,
    `${INHERIT_RING}\n  rules.classic = undefined;`,
    'inheritance',
    'classic-restrictions',
  ),
  mistake(
    'a task registers on its rings as well',
    'model/filter-registration.ts',
    'const outcome = registerFilter(world, task.rules, call);',
    'for (const ring of task.files.rings.values()) registerFilter(world, ring.rules, call);\n' +
      '  const outcome = registerFilter(world, task.rules, call);',
    'inheritance',
  ),
  mistake(
    "a ring's filter binds its task",
    FILTER_STEP,
    'onRing: (world, _task, ring, step) => { const outcome = registerFilter(world, ring.rules, step);',
    'onRing: (world, task, ring, step) => { registerFilter(world, task.rules, step);\n' +
      '        const outcome = registerFilter(world, ring.rules, step);',
    'inheritance',
    'stacking',
  ),
  mistake(
    'the shared table is copied at fork (the known fault is not modelled)',
    RULESET,
    COPY,
    '}\n      copy.table = new FilterTable(this.table.heads);\n      copy.copy_on_write = false;',
    'inheritance',
    'escape',
  ),
  mistake(
    'exec sheds all rules',
    TASKS,
    "if (task.used_io_uring && !task.rules.empty && !world.decide('execKeepsRules'))",
    'if (true)',
    'inheritance',
    'escape',
  ),
  mistake(
    'exec keeps nothing of no_new_privs',
    TASKS,
    '  task.used_io_uring = false;\n',
    '  task.used_io_uring = false;\n  task.no_new_privs = false;\n',
    'privilege',
    'inheritance',
  ),
  mistake(
    'a child does not inherit no_new_privs',
    TASKS,
    'child.no_new_privs = task.no_new_privs;',
    '',
    'privilege',
    'inheritance',
  ),
  mistake(
    'a child gets CAP_SYS_ADMIN back',
    TASKS,
    'child.cap_sys_admin = task.cap_sys_admin;',
    '',
    'privilege',
    'inheritance',
  ),
  mistake('dropping the capability does nothing', DROP_CAP, 'task.cap_sys_admin = false;', '', 'privilege'),
  mistake(
    'a new user namespace gives no capability',
    TASKS,
    '  task.cap_sys_admin = true;\n  task.in_user_ns = true;',
    '  task.in_user_ns = true;',
    'privilege',
  ),
  mistake(
    'a thread may enter a user namespace',
    TASKS,
    'if (task.process.threads.size > 1) return',
    'if (false) return',
    'privilege',
    'inheritance',
  ),

  mistake(
    'a taken ring gets the rules of its taker',
    TAKE,
    '  ring.taken = true;',
    '  ring.rules = task.rules.inherit(false);',
    'inheritance',
    'escape',
  ),
  mistake(
    'a taken ring loses its rules',
    TAKE,
    '  ring.taken = true;',
    '  ring.rules.classic = ring.rules.table = undefined;',
    'inheritance',
    'escape',
  ),
  mistake('anybody may take a ring', ATTACH, 'return ns === task.user_ns;', 'return true;', 'escape', 'inheritance'),
  mistake(
    'only the own user namespace counts for taking',
    ATTACH,
    'while (ns !== task.user_ns && ns !== undefined) ns = ns.parent;',
    '',
    'escape',
    'inheritance',
  ),

  // Submission, links, payloads.
  mistake(
    'SUBMIT_ALL is ignored',
    SUBMIT,
    'const submitAll = (ring.flags & IORING_SETUP.SUBMIT_ALL) !== 0;',
    'const submitAll = false;',
    'links',
  ),
  mistake(
    'every ring is SUBMIT_ALL',
    SUBMIT,
    'const submitAll = (ring.flags & IORING_SETUP.SUBMIT_ALL) !== 0;',
    'const submitAll = true;',
    'links',
  ),
  mistake(
    'a denial does not sever its chain',
    CHAIN,
    "if (chain.some(({ admission }) => admission.verdict === 'failed')) {",
    "if (chain.length === 1 && chain[0]!.admission.verdict === 'failed') {",
    'links',
  ),
  mistake(
    'a drain comes before what it waits for',
    DRAINS,
    'push({ first, second: index })',
    'push({ first: index, second: first })',
    'links',
  ),
  mistake(
    'what is refused waits for a drain',
    DRAINS,
    "if (chain.some(({ admission }) => admission.verdict !== 'admitted')) return;",
    '',
    'links',
  ),
  mistake(
    'a hard link survives a refusal at submission',
    CHAIN,
    "if (chain.some(({ admission }) => admission.verdict === 'failed')) {",
    "if (chain.some(({ admission, sqe }) => admission.verdict === 'failed' && (sqe.flags & IOSQE.IO_HARDLINK) === " +
      '0)) {',
    'links',
  ),
  mistake(
    'a hard link breaks like a soft one',
    CHAIN,
    'if ((request.sqe.flags & IOSQE.IO_HARDLINK) !== 0 && late',
    'if ((request.sqe.flags & IOSQE.IO_HARDLINK) < 0 && late',
    'links',
  ),
  mistake(
    'only IO_LINK links',
    SUBMIT,
    'const LINKS = IOSQE.IO_LINK | IOSQE.IO_HARDLINK;',
    'const LINKS: number = IOSQE.IO_LINK;',
    'links',
  ),
  mistake(
    'CQE_SKIP_SUCCESS hides failures too',
    COMPLETION,
    'if (skip && (fails === false || spec.limitsPrevious))',
    'if (skip)',
    'links',
  ),
  mistake(
    'what is denied behind the head of a chain is only cancelled',
    CHAIN,
    "if (admission.verdict === 'failed') return [-admission.errno, admission.rule];",
    "if (admission.verdict === 'failed') return [index > 0 ? -E.CANCELED : -admission.errno, admission.rule];",
    'links',
  ),
  mistake(
    'a link timeout posts although its flag says no',
    CHAIN,
    'const posts = !skipsSuccess(request);',
    'const posts = true;',
    'links',
  ),
  mistake(
    'CQE_SKIP_SUCCESS is ignored',
    COMPLETION,
    'const skip = (sqe.flags & IOSQE.CQE_SKIP_SUCCESS) !== 0;',
    'const skip = false;',
    'links',
  ),
  mistake(
    'a skipping head does not silence its chain',
    CHAIN,
    'position > 0 && headSkips && omits(submission, hard)',
    'position < 0 && omits(submission, hard)',
    'links',
  ),
  mistake(
    'denials hide prep errors',
    ADMISSION,
    "      if (head !== undefined) world.hit('filter.after-prep');\n",
    "      if (head !== undefined) return fail(submission, sqe, index, E.ACCES, 'filter.deny', 'filter');\n",
    'opcode-context',
    'stacking',
  ),
  mistake(
    'a polling thread outlives its process',
    ENTER,
    'polled && ring.process.ended',
    'polled && false',
    'combinations',
  ),
  mistake(
    'a disabled ring accepts requests',
    ENTER,
    'if (ring.disabled) return',
    'if (false) return',
    'classic-restrictions',
    'escape',
  ),
  mistake(
    'a disabled ring answers -EBADF',
    ENTER,
    "refuse(world, E.BADFD, 'enter.disabled')",
    "refuse(world, E.BADF, 'enter.disabled')",
    'classic-restrictions',
    'escape',
  ),
  mistake(
    'the payload stands one word early',
    EVALUATE,
    'words.set(payload, 4)',
    'words.set(payload.subarray(0, 5), 3)',
    'opcode-context',
  ),
  mistake(
    'the payload is missing',
    EVALUATE,
    'if (payload !== undefined && pdu > 0) words.set(payload, 4);',
    '',
    'opcode-context',
  ),
  mistake(
    'socket type and protocol are swapped',
    'opcodes/socket.ts',
    'Uint32Array.of(asU32(sqe.fd), asU32(type & mask), asU32(sqe.len), 0, 0, 0)',
    'Uint32Array.of(asU32(sqe.fd), asU32(sqe.len), asU32(type & mask), 0, 0, 0)',
    'opcode-context',
  ),
  mistake(
    'open flags are shown without O_LARGEFILE',
    'opcodes/open.ts',
    'payload: payloadU64(c.abi.little_endian, h.flags, h.mode, h.resolve)',
    'payload: payloadU64(c.abi.little_endian, asked.flags, h.mode, h.resolve)',
    'opcode-context',
  ),
  mistake(
    'the open mode is shown as the caller wrote it',
    'opcodes/open.ts',
    'const mode = (flags & b.creates) !== 0n ? BigInt(c.sqe.len >>> 0) & S_IALLUGO : 0n;',
    'const mode = BigInt(c.sqe.len >>> 0) & S_IALLUGO;',
    'opcode-context',
  ),
  mistake(
    'resolve is not shown',
    'opcodes/open.ts',
    'payload: payloadU64(c.abi.little_endian, h.flags, h.mode, h.resolve)',
    'payload: payloadU64(c.abi.little_endian, h.flags, h.mode)',
    'opcode-context',
  ),
  mistake(
    'a denied openat creates its file',
    ADMISSION,
    "      world.hit('filter.no-effect');\n",
    "      world.hit('filter.no-effect');\n      if (spec.name === 'OPENAT') spec.issue(context).effect?.();\n",
    'escape',
    'opcode-context',
  ),
  mistake(
    'the flags that prep adds are not shown',
    ADMISSION,
    'const answer = ask(sqe.flags | adds);',
    'const answer = ask(sqe.flags);',
    'opcode-context',
    'evaluation',
  ),
];
