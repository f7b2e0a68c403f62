import { describe, expect, it } from 'vitest';
import { OP, opSpecs } from '../opcodes/index.ts';
import { IORING_REGISTER, registerSpecs } from '../register/index.ts';
import { orderReleases } from '../uapi/release.ts';
import { ABI_7_0, documentedRange, judgedAbi } from './abi-documented.ts';

const { SOCKET, CONNECT } = OP;
const probed = (release: string, fields: Partial<typeof ABI_7_0> = {}) => ({ ...ABI_7_0, release, ...fields });
const pdu = (opcode: number, size: number): readonly number[] =>
  ABI_7_0.pdu_size.map((known, op) => (op === opcode ? size : known));

it.each([
  ['6.12.1', -1],
  ['7.0', 0],
  ['7.0.13+deb13-cloud-amd64', 0],
  ['7.3.4', 0],
  ['7.4-rc1', 1],
  ['8.0.1', 1],
  ['no number', -1],
])('%s is placed', (release, place) => {
  expect(documentedRange(release)).toBe(place);
});

describe('inside the documented versions', () => {
  it('the documented interface has nothing odd', () => {
    expect(judgedAbi(probed('7.0.13')).oddities).toEqual([]);
    expect(judgedAbi(probed('7.0.13')).abi).toEqual(probed('7.0.13'));
    expect(judgedAbi(probed('7.3.4', { pdu_size: pdu(CONNECT, 24) })).oddities).toEqual([]);
  });

  it.each([
    ['ctx_size', 44],
    ['ctx_size', 36],
    ['op_last', 66],
    ['op_last', 64],
    ['op_last', 0],
    ['register_last', 39],
    ['filter_flags', 7],
    ['filter_flags', 1],
    ['filter_flags', 0xffff_ffff],
    ['sqe_flags', 0xff],
  ] as const)('%s %i is a broken kernel', (field, value) => {
    const { abi, oddities } = judgedAbi(probed('7.0.13', { [field]: value }));
    expect(abi).toEqual(probed('7.0.13'));
    expect(oddities).toEqual([{ field, probed: value, documented: ABI_7_0[field], accepted: false }]);
  });

  it('a payload of another size is a broken kernel', () => {
    const { abi, oddities } = judgedAbi(probed('7.0.13', { pdu_size: pdu(SOCKET, 16) }));
    expect(abi.pdu_size[SOCKET]).toBe(12);
    expect(oddities).toEqual([{ field: 'pdu_size', opcode: SOCKET, probed: 16, documented: 12, accepted: false }]);
  });

  it('CONNECT may show its address early, and must from 7.2 on', () => {
    expect(judgedAbi(probed('7.1.1', { pdu_size: pdu(CONNECT, 24) }))).toMatchObject({
      oddities: [],
      abi: { pdu_size: pdu(CONNECT, 24) },
    });
    expect(judgedAbi(probed('7.2.0'))).toMatchObject({
      oddities: [{ field: 'pdu_size', opcode: CONNECT, probed: 0, documented: 24, accepted: false }],
      abi: { pdu_size: pdu(CONNECT, 24) },
    });
  });
});

/** A kernel newer than every header that was read, with all that they have. */
const LATER = judgedAbi(
  probed('99.0', { op_last: opSpecs.length, register_last: registerSpecs.length, pdu_size: [] }),
).abi;

describe('outside of them', () => {
  it('a newer kernel may have grown', () => {
    const grown = {
      ...LATER,
      op_last: LATER.op_last + 1,
      register_last: LATER.register_last + 2,
      ctx_size: 48,
      filter_flags: 7,
      sqe_flags: 0xff,
      pdu_size: [...LATER.pdu_size, 32],
    };
    const { abi, oddities } = judgedAbi(grown);
    expect(abi).toEqual(grown);
    expect(oddities).toHaveLength(6);
    expect(oddities.every(({ accepted }) => accepted)).toBe(true);
  });
  it('but not shrunk, nor changed what was there', () => {
    const sizes = LATER.pdu_size.map((size, op) => (op === SOCKET ? 16 : op === CONNECT ? 0 : size));
    expect(judgedAbi({ ...LATER, ctx_size: 36, pdu_size: sizes }).oddities).toMatchObject([
      { field: 'ctx_size', accepted: false },
      { field: 'pdu_size', opcode: CONNECT, accepted: false },
      { field: 'pdu_size', opcode: SOCKET, accepted: false },
    ]);
  });
  it('an older one, with the feature brought back to it, may lack opcodes', () => {
    const { abi, oddities } = judgedAbi(
      probed('6.12.3', { op_last: 58, register_last: 38, pdu_size: ABI_7_0.pdu_size.slice(0, 58) }),
    );
    expect(abi.op_last).toBe(58);
    expect(abi.pdu_size).toHaveLength(58);
    expect(oddities).toMatchObject([{ field: 'op_last', accepted: true }]);
  });
});

it('numbers are given in the order of releases', () => {
  // This number was kept free for it until 6.15; the two behind it came with 6.13.
  const kept: number = IORING_REGISTER.REGISTER_ZCRX_IFQ;
  for (const specs of [opSpecs, registerSpecs.filter(({ opcode }) => opcode !== kept)]) {
    const releases = specs.map(({ since }) => since);
    expect(releases).toEqual([...releases].sort(orderReleases));
  }
});
