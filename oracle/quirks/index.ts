/**
 * Named models of faulty kernels. Each describes exactly what one bug does, no more:
 * a finding (data under `suites/findings`) names its model, and a difference counts as known only
 * where the observed answers are precisely what the models of that kernel predict.
 */
export const QUIRKS = {
  'clone-shares-table':
    'A new ring or child shares the filter table of the task it was made from; the task itself keeps changing it in place, so its later registrations reach the ring or child too.',
  'disabled-ring-exempt-from-inherited':
    'While a ring is disabled, register_op restrictions that it inherited from its task are not enforced.',
  'blind-register-unrestricted': 'register_op restrictions of a task are not enforced for calls with fd = -1.',
  'blind-msg-ring-unfiltered':
    "IORING_REGISTER_SEND_MSG_RING with fd = -1 delivers a message although the task's rules deny IORING_OP_MSG_RING.",
  'exec-drops-rules':
    "execve of a task that has used io_uring (made a ring, submitted on one, or registered a ring descriptor) frees the task's filters and restrictions.",
  'socket-type-shows-flags':
    'The filter of IORING_OP_SOCKET sees SOCK_NONBLOCK and SOCK_CLOEXEC in socket.type beside the socket type.',
  'connect-hides-short-inet6':
    'The filter of IORING_OP_CONNECT sees neither port nor address of an IPv6 address of 24 to 27 bytes (without the scope), which connect(2) takes.',
  'classic-kinds-apart':
    'Classic restrictions without any entry for SQEs leave SQEs unrestricted, and without any entry for register opcodes leave those unrestricted.',
} as const;

export type QuirkId = keyof typeof QUIRKS;
export type Quirks = ReadonlySet<QuirkId>;
export const NO_QUIRKS: Quirks = new Set();
