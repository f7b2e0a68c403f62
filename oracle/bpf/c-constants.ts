/** Names that C sources of filters use, with their values. */

/**
 * Constants by name: encodings (UAPI `linux/bpf_common.h`, `linux/filter.h`),
 * and the values that filters of sockets compare with (`sys/socket.h`, the
 * numbers that all architectures but MIPS, PA-RISC and SPARC share).
 */
export const C_CONSTANTS: Readonly<Record<string, number>> = {
  BPF_LD: 0x00, BPF_LDX: 0x01, BPF_ST: 0x02, BPF_STX: 0x03, BPF_ALU: 0x04, BPF_JMP: 0x05, BPF_RET: 0x06, BPF_MISC: 0x07,
  BPF_W: 0x00, BPF_H: 0x08, BPF_B: 0x10,
  BPF_IMM: 0x00, BPF_ABS: 0x20, BPF_IND: 0x40, BPF_MEM: 0x60, BPF_LEN: 0x80, BPF_MSH: 0xa0,
  BPF_ADD: 0x00, BPF_SUB: 0x10, BPF_MUL: 0x20, BPF_DIV: 0x30, BPF_OR: 0x40, BPF_AND: 0x50,
  BPF_LSH: 0x60, BPF_RSH: 0x70, BPF_NEG: 0x80, BPF_MOD: 0x90, BPF_XOR: 0xa0,
  BPF_JA: 0x00, BPF_JEQ: 0x10, BPF_JGT: 0x20, BPF_JGE: 0x30, BPF_JSET: 0x40,
  BPF_K: 0x00, BPF_X: 0x08, BPF_A: 0x10, BPF_TAX: 0x00, BPF_TXA: 0x80,
  BPF_MAXINSNS: 4096, BPF_MEMWORDS: 16,
  SKF_AD_OFF: -0x1000, SKF_NET_OFF: -0x100000, SKF_LL_OFF: -0x200000,
  AF_UNSPEC: 0, AF_UNIX: 1, AF_LOCAL: 1, AF_INET: 2, AF_INET6: 10, AF_NETLINK: 16, AF_PACKET: 17,
  SOCK_STREAM: 1, SOCK_DGRAM: 2, SOCK_RAW: 3, SOCK_SEQPACKET: 5,
  IPPROTO_IP: 0, IPPROTO_ICMP: 1, IPPROTO_TCP: 6, IPPROTO_UDP: 17,
};
