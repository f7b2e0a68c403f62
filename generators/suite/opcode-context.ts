/** opcode-context: filters on what each opcode shows of itself. */
import type { Program, SockFilter } from '../../oracle/bpf/program.ts';
import type { Target } from '../../oracle/scenario/types.ts';
import type { Builder } from '../builder.ts';
import type { Suite } from './spec.ts';
import { drawRingFlags, onRing, TASK } from '../builder.ts';
import type { Crew } from '../crew.ts';
import type { Draw, Weighted } from '../draw.ts';
import type { ProgramContexts } from '../program/body.ts';
import { retValue } from '../program/body.ts';
import { OP } from '../../oracle/opcodes/index.ts';
import { everyPayloadBit, everyUserDataBit } from './every-byte.ts';
import { everyLateWrite, everyOpenLook, everyPeerLook, everySocketLook, OPEN_WAYS } from './every-look.ts';
import { everyFaultPair } from './every-fault.ts';
import { everyFamilyDenied, everyFlagSeen, everyRequestBit } from './every-opcode.ts';
import { roleTable } from '../roles.ts';
import { exactly } from './exactly.ts';
import { drawLooks } from './looks.ts';
import { drawResources } from './register-calls.ts';

const f = (code: number, k = 0, jt = 0, jf = 0): SockFilter => ({ code, jt, jf, k });
const LD_ABS = 0x20;
const AND_K = 0x54;
const JEQ = 0x15;
const RET = 0x06;

/** The bytes that no opcode fills must be zero, and the byte pdu_size must be the payload's size. */
function unusedAreZero(d: Draw, on: ProgramContexts, opcode: number, pdu: number, littleEndian: boolean): Program {
  const out: SockFilter[] = [];
  const expect = (word: number, mask: number, value: number): void => {
    out.push(f(LD_ABS, word * 4));
    if (mask !== 0xffff_ffff) out.push(f(AND_K, mask));
    out.push(f(JEQ, value, 0, 0));
  };
  if (littleEndian) expect(2, 0xffff_00ff, opcode + pdu * 0x1_0000);
  else expect(2, 0xff00_ffff, opcode * 0x100_0000 + pdu * 0x100);
  expect(3, 0xffff_ffff, 0);
  for (let word = 4 + Math.ceil(pdu / 4); word < on.ctx_size >>> 2; word++) expect(word, 0xffff_ffff, 0);
  const end = out.length;
  out.push(f(RET, retValue(d, true)), f(RET, 0));
  return out.map((filter, pc) => (filter.code === JEQ ? { ...filter, jf: end - pc } : filter));
}

/** A filter on payload, flags or user_data of one opcode. */
function contextFilter(b: Builder, crew: Crew, opcode: number): Program {
  const { d, abi } = b;
  const on = crew.contexts(opcode);
  const pdu = abi.pdu_size[opcode] ?? 0;
  if (on.contexts.length === 0 || d.chance(0.12)) return unusedAreZero(d, on, opcode, pdu, abi.little_endian);
  const ctx = d.pick(on.contexts);
  const payload = Array.from({ length: pdu >>> 2 }, (_, i) => 4 + i);
  const words = d.weighted<readonly number[]>([
    [4, pdu > 0 ? payload : [2]],
    [3, pdu > 0 ? [d.pick(payload)] : [0]],
    [1, [2]],
    [1, [0, 1]],
    [1, [2, ...payload]],
  ]);
  return exactly(d, ctx, words, d.chance(0.5));
}

/** Into how many scenarios the bits, and the faults, of all opcodes' requests are cut. */
const REQUEST_PARTS = 11;
const FAULT_PARTS = 4;

/** Suite opcode-context. */
export const opcodeContext: Suite = {
  weight: 2,
  opening: 8,
  draw,
  planned: [
    ...([0, 1] as const).flatMap((parity) => [
      everyUserDataBit(parity),
      ...[OP.SOCKET, OP.OPENAT, OP.OPENAT2, OP.CONNECT].map((opcode) => everyPayloadBit(opcode, parity)),
    ]),
    everyFlagSeen,
    everyFamilyDenied,
    everySocketLook,
    ...OPEN_WAYS.flatMap((ways) => [everyOpenLook(OP.OPENAT, ways), everyOpenLook(OP.OPENAT2, ways)]),
    everyPeerLook,
    everyLateWrite,
    ...Array.from({ length: FAULT_PARTS }, (_, part) => everyFaultPair(part, FAULT_PARTS)),
    ...Array.from({ length: REQUEST_PARTS }, (_, part) => everyRequestBit(part, REQUEST_PARTS)),
  ],
};

function draw(b: Builder): void {
  const { d, abi } = b;
  const table = roleTable(abi);
  const shown = table.byOpcode.flatMap((roles, opcode) =>
    roles.length > 0 && (abi.pdu_size[opcode] ?? 0) > 0 ? [opcode] : [],
  );
  const flags = drawRingFlags(d);
  const opcodes = d.chance(0.15) ? [] : d.sample(shown, d.int(1, Math.min(3, shown.length)));
  const crew = b.crew({
    opcodes,
    count: opcodes.length + (d.chance(0.4) ? d.int(1, 3) : opcodes.length === 0 ? 4 : 0),
    setup_flags: flags,
    forms: 12,
    ...(d.chance(0.7) ? { wide: 1 } : {}),
  });
  const ringFirst = d.chance(0.6);
  let ring = ringFirst ? b.ring(0, flags) : undefined;
  for (const opcode of crew.opcodes) drawFilters(b, crew, opcode, ring === undefined ? TASK : onRing(ring));
  ring ??= b.ring(0, flags);
  if (ring !== undefined && d.chance(0.2)) drawResources(b, 0, onRing(ring), crew);
  for (let n = d.int(1, 3); n > 0; n--) {
    b.submit(0, ring, crew, d.int(16, 48));
    if (ring !== undefined && n > 1 && d.chance(0.5)) {
      const opcode = d.pick(crew.opcodes);
      b.filter(0, onRing(ring), opcode, contextFilter(b, crew, opcode));
    }
  }
  if (d.chance(0.3)) lookAround(b, ring);
}

/** Requests of any arguments on a ring that is bound already, or on one of their own. */
function lookAround(b: Builder, bound: number | undefined): void {
  const ring = bound !== undefined && b.d.chance(0.3) ? bound : b.ring(0, drawRingFlags(b.d));
  if (ring !== undefined) drawLooks(b, 0, ring);
}

const FILTERS: Weighted<number> = [
  [1, 0],
  [6, 1],
  [2, 2],
];

/** None to two filters on an opcode. */
function drawFilters(b: Builder, crew: Crew, opcode: number, on: Target): void {
  const { d } = b;
  for (let n = d.weighted(FILTERS); n > 0; n--) {
    if (d.chance(0.65)) b.filter(0, on, opcode, contextFilter(b, crew, opcode));
    else b.drawFilter(0, on, crew, opcode, { share: n === 1 ? 0.5 : 0.75 });
  }
}
