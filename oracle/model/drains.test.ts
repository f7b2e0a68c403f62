/** The order that IOSQE_IO_DRAIN gives to the CQEs of a step. */
import { expect, it } from 'vitest';
import { ABI_7_0 } from '../probe/abi-documented.ts';
import { predict } from '../predict.ts';
import { OP } from '../opcodes/index.ts';
import { IOSQE } from '../uapi/constants.ts';
import { TIMESPEC } from '../world/arena.ts';
import type { CqeOrder } from '../scenario/prediction.ts';
import type { Sqe } from '../scenario/types.ts';

const { IO_DRAIN, IO_LINK } = IOSQE;
const slow: Sqe = { opcode: OP.TIMEOUT, addr: TIMESPEC.tiny, len: 1 };

/** What the order of CQEs is in a batch of requests with these flags; a letter is a request that is refused. */
function order(...batch: readonly (number | 'x')[]): readonly CqeOrder[] | undefined {
  const sqes = batch.map((flags, i): Sqe => {
    const request: Sqe = flags === 'x' ? { opcode: OP.NOP, ioprio: 1 } : { ...slow, flags };
    return { ...request, user_data: BigInt(i + 1) };
  });
  const ring = { task: 0, do: 'ring', ring: 0, entries: 16, flags: 0x80 } as const;
  const scenario = {
    version: 1,
    fixtures: [],
    jit: true,
    steps: [ring, { task: 0, do: 'submit', ring: 0, sqes }],
  } as const;
  const prediction = predict(scenario, ABI_7_0);
  expect(prediction.hits.has('drain.order')).toBe(prediction.steps[1]!.order !== undefined);
  return prediction.steps[1]!.order;
}

const pairs = (...list: readonly (readonly [number, number])[]): readonly CqeOrder[] =>
  list.map(([first, second]) => ({ first, second }));

it('what came before a drain ends before it, what comes behind starts after it', () => {
  expect(order(0, 0)).toBeUndefined();
  expect(order(0, 0, IO_DRAIN, 0, 0)).toEqual(pairs([0, 2], [1, 2], [2, 3], [2, 4]));
});

it('each drain waits for the one before', () => {
  expect(order(IO_DRAIN, 0, IO_DRAIN, 0)).toEqual(pairs([0, 1], [0, 2], [1, 2], [2, 3]));
  expect(order(0, IO_DRAIN, IO_DRAIN)).toEqual(pairs([0, 1], [1, 2]));
});

it('a drain within a chain waits for what was before the chain', () => {
  expect(order(0, IO_LINK, IO_DRAIN, 0)).toEqual(pairs([0, 2], [2, 3]));
});

it('what is refused while it is submitted waits for nobody', () => {
  expect(order(0, IO_DRAIN, 'x', 0)).toEqual(pairs([0, 1], [1, 3]));
  expect(order(0, IO_LINK | IO_DRAIN, 'x', 0)).toBeUndefined();
});
