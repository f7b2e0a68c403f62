/** The rules of the feature itself: registration, evaluation, links, classic restrictions, inheritance. */
import { defineRules } from '../rule.ts';

const FILTER_MAN = 'io_uring_register_bpf_filter(3)';
const REGISTER_MAN = 'io_uring_register(2)';
const ENTER_MAN = 'io_uring_enter(2)';
const SETUP_MAN = 'io_uring_setup(2)';
const PATCH1 = 'patch series v6, 1/7 "add support for BPF filtering for opcode restrictions"';
const PATCH7 = 'patch series v6/v7, 7/7 "allow registration of per-task restrictions"';

/** Every rule of the feature, keyed by id; the order is that of the checks. */
export const featureRules = defineRules({
  // io_uring_register(2) itself, in the order of its checks.
  'register.opcode-range': [
    'man',
    'An io_uring_register opcode the kernel does not know is refused with -EINVAL before the descriptor is looked at.',
    `${REGISTER_MAN}, ERRORS EINVAL; order observed on 7.0.13`,
  ],
  'register.blind-unknown': [
    'patch',
    'With fd = -1 only task-wide opcodes exist; any other is refused with -EINVAL.',
    `${PATCH7}, io_uring_register_blind`,
  ],
  'register.bad-fd': ['man', 'A descriptor that is not open is refused with -EBADF.', `${ENTER_MAN}, ERRORS EBADF`],
  'register.not-a-ring': [
    'man',
    'A descriptor that is not an io_uring is refused with -EOPNOTSUPP.',
    `${ENTER_MAN}, ERRORS EOPNOTSUPP`,
  ],
  'register.registered-index': [
    'man',
    'A registered-ring index that holds no ring is refused with -EBADF (-EINVAL beyond the table).',
    'io_uring_register_ring_fd(3); errno observed on 7.0.13',
  ],
  'register.single-issuer': [
    'man',
    'A task other than the submitter of a SINGLE_ISSUER ring is refused with -EEXIST.',
    `${SETUP_MAN}, IORING_SETUP_SINGLE_ISSUER; ${REGISTER_MAN}, ERRORS EEXIST`,
  ],
  'register.restricted': [
    'man',
    "A register opcode that the ring's restrictions do not list is refused with -EACCES.",
    `${REGISTER_MAN}, IORING_REGISTER_RESTRICTIONS ("opcodes and flags not registered, are not allowed") and ` +
      'ERRORS EACCES',
  ],
  'register.restricted.disabled-exempt': [
    'man',
    'Restrictions registered on a disabled ring take effect when the ring is enabled, so that it can still be set up.',
    `${REGISTER_MAN}, IORING_REGISTER_ENABLE_RINGS`,
  ],
  'register.restricted.inherited-disabled': [
    'man',
    'Restrictions that a ring inherits from its task hold from its creation, also while the ring is disabled.',
    `${FILTER_MAN}, DESCRIPTION (children cannot loosen restrictions); ${PATCH7}: "any ring created will inherit ` +
      'these restrictions"',
  ],
  'register.restricted.blind': [
    'man',
    "A task's register_op restrictions hold for calls without a ring (fd = -1) as well: -EACCES.",
    `${REGISTER_MAN}, IORING_REGISTER_RESTRICTIONS; ${PATCH7} (children may only further restrict)`,
  ],
  'register.enable.not-disabled': [
    'man',
    'Enabling a ring that is not disabled is refused with -EBADFD.',
    `${REGISTER_MAN}, ERRORS EBADFD`,
  ],
  'register.enable': [
    'man',
    'Enabling a disabled ring succeeds once; with SINGLE_ISSUER the enabling task becomes the submitter.',
    `${SETUP_MAN}, IORING_SETUP_R_DISABLED and SINGLE_ISSUER`,
  ],

  // Filter registration, in the order of its checks.
  'filter-reg.privilege': [
    'man',
    'Task-level registration without no_new_privs and without CAP_SYS_ADMIN is refused with -EACCES.',
    `${FILTER_MAN}, ERRORS EACCES and NOTES "Privilege Requirements"`,
  ],
  'filter-reg.privilege.nnp': [
    'man',
    'no_new_privs is enough for task-level registration.',
    `${FILTER_MAN}, NOTES "Privilege Requirements"`,
  ],
  'filter-reg.privilege.cap': [
    'man',
    'CAP_SYS_ADMIN is enough for task-level registration.',
    `${FILTER_MAN}, NOTES "Privilege Requirements"`,
  ],
  'filter-reg.privilege.userns': [
    'patch',
    "CAP_SYS_ADMIN in the task's own user namespace is enough.",
    `${PATCH7}, ns_capable_noaudit(current_user_ns(), CAP_SYS_ADMIN)`,
  ],
  'filter-reg.nr-args': ['patch', 'nr_args other than 1 is refused with -EINVAL.', `${PATCH1}, register.c`],
  'filter-reg.fault': [
    'man',
    'A pointer to struct io_uring_bpf that cannot be read gives -EFAULT.',
    `${FILTER_MAN}, ERRORS EFAULT; ${PATCH1}`,
  ],
  'filter-reg.cmd-type': [
    'patch',
    'A cmd_type other than IO_URING_BPF_CMD_FILTER is refused with -EINVAL.',
    `${PATCH1}, io_register_bpf_filter`,
  ],
  'filter-reg.cmd-flags': [
    'uapi',
    'cmd_flags other than 0 is refused with -EINVAL ("none so far").',
    'linux/io_uring/bpf_filter.h, struct io_uring_bpf',
  ],
  'filter-reg.resv': [
    'patch',
    'A non-zero resv of struct io_uring_bpf is refused with -EINVAL.',
    `${PATCH1}, io_register_bpf_filter`,
  ],
  'filter-reg.opcode': [
    'man',
    'An opcode the kernel does not have is refused with -EINVAL.',
    `${FILTER_MAN}, ERRORS EINVAL`,
  ],
  'filter-reg.flags': ['man', 'An unknown filter flag is refused with -EINVAL.', `${FILTER_MAN}, ERRORS EINVAL`],
  'filter-reg.filter-resv': [
    'patch',
    'A non-zero resv byte of struct io_uring_bpf_filter is refused with -EINVAL.',
    `${PATCH1} (resv); layout: linux/io_uring/bpf_filter.h`,
  ],
  'filter-reg.filter-resv2': [
    'patch',
    'A non-zero resv2 word of struct io_uring_bpf_filter is refused with -EINVAL.',
    `${PATCH1}, io_register_bpf_filter`,
  ],
  'filter-reg.len': [
    'patch',
    'filter_len of 0 or more than 4096 is refused with -EINVAL.',
    `${PATCH1}, io_register_bpf_filter`,
  ],
  'filter-reg.pdu.equal': [
    'man',
    "A pdu_size equal to the kernel's is accepted.",
    `${FILTER_MAN}, DESCRIPTION, pdu_size`,
  ],
  'filter-reg.pdu.smaller': [
    'man',
    'Without SZ_STRICT a smaller pdu_size is accepted.',
    `${FILTER_MAN}, DESCRIPTION, pdu_size`,
  ],
  'filter-reg.pdu.larger': [
    'man',
    "A pdu_size larger than the kernel's is refused with -EMSGSIZE, whatever the flags.",
    `${FILTER_MAN}, DESCRIPTION, pdu_size`,
  ],
  'filter-reg.pdu.strict': [
    'man',
    'With SZ_STRICT any difference of pdu_size is refused with -EMSGSIZE.',
    `${FILTER_MAN}, IO_URING_BPF_FILTER_SZ_STRICT`,
  ],
  'filter-reg.pdu.write-back': [
    'man',
    "The kernel writes its own pdu_size back into the caller's structure.",
    `${FILTER_MAN}, DESCRIPTION; also on success: test "pdu_size too small without strict" of liburing and ` +
      'observed on 7.0.13',
  ],
  'filter-reg.pdu.write-back-fault': [
    'observed',
    'If the write-back of pdu_size cannot be stored the registration fails with -EFAULT.',
    'observed on 7.0.13',
  ],
  'filter-reg.program-null': [
    'observed',
    'A NULL filter_ptr is refused with -EINVAL.',
    'observed on 7.0.13 (the manual page names EFAULT and EINVAL for invalid filters)',
  ],
  'filter-reg.program-fault': [
    'man',
    'A filter_ptr that cannot be read gives -EFAULT.',
    `${FILTER_MAN}, ERRORS EFAULT`,
  ],
  'filter-reg.program-invalid': [
    'man',
    'A program that the checker refuses gives -EINVAL.',
    `${FILTER_MAN}, ERRORS EINVAL`,
  ],
  'filter-reg.accepted': [
    'man',
    'A valid registration returns 0 and takes effect for later requests.',
    `${FILTER_MAN}, RETURN VALUE`,
  ],
  'filter-reg.failed-changes-nothing': [
    'patch',
    'A registration that fails leaves every rule as it was.',
    `${PATCH7}: "Until then, res->bpf_filters is left untouched"`,
  ],

  // Evaluation.
  'filter.none': ['man', 'An opcode without a filter is allowed.', `${FILTER_MAN}, DESCRIPTION`],
  'filter.allow': [
    'man',
    'A filter that returns non-zero allows the request.',
    `${FILTER_MAN}, DESCRIPTION, filter_ptr`,
  ],
  'filter.deny': [
    'man',
    'A filter that returns 0 denies the request: -EACCES in the CQE.',
    `${FILTER_MAN}, DESCRIPTION, filter_ptr`,
  ],
  'filter.stack-all': [
    'man',
    'Several filters on one opcode must all return non-zero; the most recent runs first.',
    `${FILTER_MAN}, "Filter Stacking"; ${PATCH1}`,
  ],
  'filter.deny-rest': [
    'man',
    'DENY_REST denies every opcode that has no filter at that moment.',
    `${FILTER_MAN}, IO_URING_BPF_FILTER_DENY_REST; linux/io_uring/bpf_filter.h`,
  ],
  'filter.deny-rest.kept': [
    'uapi',
    'A filter registered later on an opcode that DENY_REST denied does not lift the denial.',
    'linux/io_uring/bpf_filter.h, DENY_REST ("will have a deny filter attached") with ' +
      'io_uring_register_bpf_filter(3), "Filter Stacking" (all must allow)',
  ],
  'filter.after-prep': [
    'patch',
    "Filters run after prep: a request that prep refuses fails with prep's error.",
    `${PATCH1}, io_submit_sqe`,
  ],
  'filter.no-effect': ['man', 'A denied request has no side effect.', `${FILTER_MAN}, DESCRIPTION ("deny")`],
  'filter.ctx.flags': [
    'patch',
    "sqe_flags in the context are the request's flags after prep (IOSQE_ASYNC is added for operations that always " +
      'go to a worker and behind a drain).',
    `${PATCH1}, io_uring_populate_bpf_ctx; additions observed on 7.0.13`,
  ],
  'filter.ctx.drain': [
    'man',
    'A drain leaves the sqe_flags that filters see of other requests as they are: they stand in the SQE of each.',
    `${FILTER_MAN}, "Filter Context" (sqe_flags: "SQE flags")`,
  ],
  'filter.ctx.socket-type': [
    'man',
    'socket.type in the context is the socket type (SOCK_STREAM ...) without the SOCK_NONBLOCK and SOCK_CLOEXEC ' +
      'bits that socket(2) accepts beside it.',
    `${FILTER_MAN}, "Filter Context" ("socket type"); socket(2): the flags are a second purpose of the argument, ` +
      'not part of the type',
  ],
  'filter.ctx.payload': [
    'man',
    'socket, open and (where the kernel has it) connect payloads stand at offset 16; all other bytes are zero.',
    `${FILTER_MAN}, "Filter Context"`,
  ],

  // Classic restrictions.
  'classic.sqe-op': [
    'man',
    'An opcode that the restrictions do not list is refused with -EACCES in the CQE.',
    `${ENTER_MAN}, CQE ERRORS EACCES; ${REGISTER_MAN}, IORING_REGISTER_RESTRICTIONS`,
  ],
  'classic.flags-allowed': [
    'man',
    'An SQE flag that is neither allowed nor required is refused with -EACCES.',
    `${REGISTER_MAN}, IORING_REGISTER_RESTRICTIONS; ${ENTER_MAN}, CQE ERRORS EACCES`,
  ],
  'classic.flags-required': [
    'man',
    'An SQE that lacks a required flag is refused with -EACCES.',
    `${REGISTER_MAN}, IORING_REGISTER_RESTRICTIONS`,
  ],
  'classic.allow': [
    'man',
    'A request that satisfies the restrictions goes on to the filters.',
    `${REGISTER_MAN}, IORING_REGISTER_RESTRICTIONS`,
  ],
  'classic.allowlist-whole': [
    'man',
    'Restrictions are one allowlist: opcodes of a kind (SQE or register) that has no entry at all are not allowed ' +
      'either.',
    `${REGISTER_MAN}, IORING_REGISTER_RESTRICTIONS: "handled as an allowlist (opcodes and flags not registered, ` +
      'are not allowed)"',
  ],
  'classic.before-filters': [
    'patch',
    'Classic restrictions are checked before prep and before filters.',
    `${PATCH1}, io_submit_sqe (filters run on a request that is initialised and prepared)`,
  ],
  'classic-reg.not-disabled': [
    'man',
    'Restrictions on a ring that is not disabled are refused with -EBADFD.',
    `${REGISTER_MAN}, ERRORS EBADFD`,
  ],
  'classic-reg.once': [
    'man',
    'A second set of restrictions on a ring (registered or inherited) is refused with -EBUSY.',
    `${REGISTER_MAN}, ERRORS EBUSY`,
  ],
  'classic-reg.nr-args': [
    'man',
    'More restrictions than exist, or no array, is refused with -EINVAL.',
    `${REGISTER_MAN}, ERRORS EINVAL`,
  ],
  'classic-reg.fault': ['observed', 'An array that cannot be read gives -EFAULT.', 'observed on 7.0.13'],
  'classic-reg.kind': [
    'man',
    'An entry of an unknown kind, or with an opcode out of range, is refused with -EINVAL.',
    `${REGISTER_MAN}, ERRORS EINVAL`,
  ],
  'classic-reg.entry-resv': ['observed', 'Reserved bytes of an entry are not looked at.', 'observed on 7.0.13'],
  'classic-reg.accepted': ['man', 'Valid restrictions return 0 on a ring.', `${REGISTER_MAN}, RETURN VALUE`],
  'task-classic-reg.once': [
    'patch',
    'A task that already has restrictions or filters, its own or inherited, is refused with -EPERM.',
    `${PATCH7}, io_register_restrictions_task`,
  ],
  'task-classic-reg.privilege': [
    'patch',
    'Without no_new_privs and CAP_SYS_ADMIN task restrictions are refused with -EACCES.',
    `${PATCH7}, io_register_restrictions_task`,
  ],
  'task-classic-reg.nr-args': [
    'patch',
    'nr_args other than 1 is refused with -EINVAL.',
    `${PATCH7}, io_register_restrictions_task`,
  ],
  'task-classic-reg.fault': [
    'patch',
    'A structure that cannot be read gives -EFAULT.',
    `${PATCH7}, io_register_restrictions_task`,
  ],
  'task-classic-reg.flags': [
    'patch',
    'Non-zero flags are refused with -EINVAL.',
    `${PATCH7}, io_register_restrictions_task`,
  ],
  'task-classic-reg.resv': [
    'patch',
    'A non-zero reserved word is refused with -EINVAL.',
    `${PATCH7}, io_register_restrictions_task`,
  ],
  'task-classic-reg.accepted': ['patch', 'Valid task restrictions return 0 and hold for rings created later.', PATCH7],

  // Inheritance.
  'inherit.ring-at-creation': [
    'man',
    'A ring gets the rules its creating task has at creation.',
    `${FILTER_MAN}, DESCRIPTION`,
  ],
  'inherit.ring-not-later': [
    'man',
    'Rings created before a task-level registration are not affected by it.',
    `${FILTER_MAN}, DESCRIPTION: "Rings that were created before the filter was registered are not affected."`,
  ],
  'inherit.child-at-fork': [
    'man',
    'A child gets the rules its parent has at fork, vfork, thread creation or any clone.',
    `${FILTER_MAN}, "Inheritance"; ${PATCH7}`,
  ],
  'inherit.child-own-way': [
    'man',
    'What parent or child registers after the fork stays its own.',
    `${FILTER_MAN}, DESCRIPTION (a filter applies to rings created by the task, and children "created" after it)`,
  ],
  'inherit.ring-level-stays': [
    'man',
    'Ring-level filters belong to the ring alone.',
    `${FILTER_MAN}, "Inheritance": "only apply to that specific ring and are not inherited"`,
  ],
  'inherit.ring-shared': [
    'man',
    "A ring that another task inherits or receives keeps the ring's own rules.",
    `${FILTER_MAN}, DESCRIPTION ("applies to operations submitted through that ring")`,
  ],
  'inherit.ring-taken': [
    'man',
    "A ring that a task takes from another one is bound by the ring's own rules, not by those of the task.",
    `${FILTER_MAN}, DESCRIPTION (task-level filters apply to rings "created by the task"); ${PATCH7}: "any ring ` +
      'created will inherit these restrictions"',
  ],
  'inherit.exec': [
    'man',
    'Rules survive execve.',
    `${FILTER_MAN}, "Privilege Requirements" (filters bind a program executed later)`,
  ],
  'route.other-opcode': [
    'man',
    'A rule on one opcode says nothing of another one that has the same effect.',
    `${FILTER_MAN}, DESCRIPTION ("opcode specifies which io_uring operation the filter applies to"); ` +
      'ways by other opcodes are listed in oracle/model/routes.ts',
  ],
  'route.register-call': [
    'man',
    'A rule on an opcode says nothing of register calls that have the same effect: those have restrictions of their ' +
      'own.',
    `${FILTER_MAN}, DESCRIPTION ("restrict io_uring operations"); ${REGISTER_MAN}, IORING_REGISTER_RESTRICTIONS`,
  ],
  'escape.msg-ring-blind': [
    'man',
    'IORING_REGISTER_SEND_MSG_RING must not do for a task what its rules deny as IORING_OP_MSG_RING: -EACCES.',
    `${FILTER_MAN}, DESCRIPTION: "child processes cannot loosen restrictions set by their parent"; a denied ` +
      'operation is denied by every route',
  ],

  // Rings, submission, links.
  'setup.flags': [
    'man',
    'An impossible combination of setup flags is refused with -EINVAL.',
    `${SETUP_MAN}, ERRORS EINVAL`,
  ],
  'setup.attach': [
    'man',
    'With ATTACH_WQ a ring shares workers with the ring behind a descriptor, but no rules; without such a ring it is ' +
      'refused with -ENXIO.',
    `${SETUP_MAN}, IORING_SETUP_ATTACH_WQ and ERRORS ENXIO`,
  ],
  'setup.fault': [
    'man',
    'Parameters that cannot be read, or not be written, are refused with -EFAULT; no ring is left behind.',
    `${SETUP_MAN}, ERRORS EFAULT`,
  ],
  'setup.limits': [
    'man',
    'Without a free descriptor the answer is -EMFILE, without a free file -ENFILE; CAP_SYS_ADMIN overrides the latter.',
    `${SETUP_MAN}, ERRORS EMFILE and ENFILE; proc_sys_fs(5), file-max`,
  ],
  'setup.only-registered': [
    'man',
    'With REGISTERED_FD_ONLY, in memory of the caller, a ring is registered and gets no descriptor; no slot is -EBUSY.',
    `${SETUP_MAN}, IORING_SETUP_REGISTERED_FD_ONLY; io_uring_register(2), IORING_REGISTER_RING_FDS`,
  ],
  'setup.ok': ['man', 'A ring with valid parameters is created.', SETUP_MAN],
  'enter.dropped': [
    'man',
    'An entry of the submission array that names no SQE is dropped and counted; the call ends there.',
    `${SETUP_MAN}, dropped; ${ENTER_MAN}, RETURN VALUE`,
  ],
  'enter.bad-fd': [
    'man',
    'io_uring_enter on a descriptor that is not open gives -EBADF.',
    `${ENTER_MAN}, ERRORS EBADF`,
  ],
  'enter.disabled': ['man', 'A disabled ring accepts no submission: -EBADFD.', `${ENTER_MAN}, ERRORS EBADFD`],
  'enter.single-issuer': [
    'man',
    'Submission by another task than the submitter of a SINGLE_ISSUER ring gives -EEXIST.',
    `${SETUP_MAN}, IORING_SETUP_SINGLE_ISSUER`,
  ],
  'enter.owner-dead': [
    'man',
    'Submission to a polling thread that has ended with its process, or because that executed a program: -EOWNERDEAD.',
    `${ENTER_MAN}, ERRORS EOWNERDEAD`,
  ],
  'enter.count': ['man', 'io_uring_enter returns the number of SQEs it consumed.', `${ENTER_MAN}, RETURN VALUE`],
  'enter.stops-at-error': [
    'man',
    'Without SUBMIT_ALL a submission stops behind the request that failed while being submitted.',
    `${SETUP_MAN}, IORING_SETUP_SUBMIT_ALL`,
  ],
  'enter.submit-all': [
    'man',
    'With SUBMIT_ALL a submission goes on behind a failed request.',
    `${SETUP_MAN}, IORING_SETUP_SUBMIT_ALL`,
  ],
  'link.cancelled-by-submission': [
    'man',
    'A chain of which one request fails at submission does not run: the failed ones post their own error, the ' +
      'others -ECANCELED; hard links do not help.',
    `${ENTER_MAN}, IOSQE_IO_LINK and IOSQE_IO_HARDLINK ("will still sever if we fail submitting")`,
  ],
  'link.broken': [
    'man',
    'When a request of a chain fails, the rest of the chain posts -ECANCELED.',
    `${ENTER_MAN}, IOSQE_IO_LINK`,
  ],
  'link.opcode-notion': [
    'man',
    "Which answers break a chain is the opcode's own notion: file-system operations, for one, answer an error " +
      'without breaking it.',
    `${ENTER_MAN}, IOSQE_CQE_SKIP_SUCCESS ("The notion of failure/success is opcode specific and is the same as ` +
      'with breaking chains"); opcodes observed on 7.0.13',
  ],
  'link.notification-announced': [
    'man',
    'A zero-copy send that does not run announces with IORING_CQE_F_MORE the notification that comes all the same.',
    `${ENTER_MAN}, IORING_OP_SEND_ZC ("Even errored requests may generate a notification, and the user must check ` +
      'for IORING_CQE_F_MORE rather than relying on the result")',
  ],
  'link.hard': ['man', 'A hard link goes on after a failed request.', `${ENTER_MAN}, IOSQE_IO_HARDLINK`],
  'drain.order': [
    'man',
    'A request with IOSQE_IO_DRAIN starts when all before it have ended, and nothing behind it starts before it has ' +
      'ended: so come their CQEs.',
    `${ENTER_MAN}, IOSQE_IO_DRAIN`,
  ],
  'link.ends-with-batch': ['man', 'A chain ends with the submission it is part of.', `${ENTER_MAN}, IOSQE_IO_LINK`],
  'skip.success': [
    'man',
    'With CQE_SKIP_SUCCESS a successful request posts no CQE.',
    `${ENTER_MAN}, IOSQE_CQE_SKIP_SUCCESS`,
  ],
  'skip.failure': [
    'man',
    'With CQE_SKIP_SUCCESS a failed (also a denied) request posts its CQE, and those of the requests linked ' +
      'behind it are omitted.',
    `${ENTER_MAN}, IOSQE_CQE_SKIP_SUCCESS`,
  ],
  'skip.hard-link': [
    'man',
    'Behind a head with CQE_SKIP_SUCCESS that is hard-linked, the requests of a failed chain post their CQEs.',
    `${ENTER_MAN}, IOSQE_CQE_SKIP_SUCCESS ("if there is no IOSQE_IO_HARDLINK, CQEs for all linked requests will be ` +
      'omitted", and otherwise "an appropriate CQE will be posted as usual")',
  ],
  'skip.link-timeout': [
    'man',
    'A link timeout posts its CQE, however it ends, exactly if it has no CQE_SKIP_SUCCESS of its own; that of others ' +
      'is no matter.',
    `${ENTER_MAN}, IOSQE_CQE_SKIP_SUCCESS ("decided solely by whether it has IOSQE_CQE_SKIP_SUCCESS set")`,
  ],
});

/** Id of a rule of the feature. */
export type FeatureRuleId = keyof typeof featureRules;
