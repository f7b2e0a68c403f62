/** Chains of requests of which one is denied or fails. */
import { IOSQE } from '../../oracle/uapi/constants.ts';
import { OP } from '../../oracle/opcodes/index.ts';
import { TIMESPEC } from '../../oracle/world/arena.ts';
import { DENY, example, filter, nop, nopResult, onRing, ring, submit, suite } from './build.ts';

const { IO_LINK: LINK, IO_HARDLINK: HARD, CQE_SKIP_SUCCESS: SKIP, IO_DRAIN: DRAIN } = IOSQE;
const SUBMIT_ALL = 1 << 7;
const denied = (more: object = {}) => ({ opcode: OP.FSYNC, fd: 99, ...more });
const timeout = (more: object = {}) => ({ opcode: OP.LINK_TIMEOUT, addr: TIMESPEC.tiny, len: 1, ...more });
const deny = filter(onRing(0), OP.FSYNC, DENY);

/** Examples of suite links. */
export const links = suite('links', [
  example('A denial takes its chain with it', 'A chain of which a part may not run does not run in part.', [
    ring(0, SUBMIT_ALL),
    deny,
    submit(0, nop({ flags: LINK }), denied({ flags: LINK }), nop()),
    submit(0, denied({ flags: LINK }), nop()),
  ]),
  example('A hard link does not help', 'Hard links survive failures while running, not refusals at submission.', [
    ring(0, SUBMIT_ALL),
    deny,
    submit(0, nop({ flags: HARD }), denied({ flags: HARD }), nop()),
    submit(0, denied({ flags: HARD }), nop()),
    submit(0, nopResult(-5, { flags: HARD }), nop()),
    submit(0, nopResult(-5, { flags: LINK }), nop()),
  ]),
  example('Submission stops behind a denial', 'Without SUBMIT_ALL the caller learns of it by the count.', [
    ring(0),
    deny,
    submit(0, nop(), denied(), nop(), nop()),
  ]),
  example('SUBMIT_ALL goes on', 'With it one denied request costs nobody else.', [
    ring(0, SUBMIT_ALL),
    deny,
    submit(0, nop(), denied(), nop(), nop()),
  ]),
  example('CQE_SKIP_SUCCESS does not hide a denial', 'Only success is skipped.', [
    ring(0, SUBMIT_ALL),
    deny,
    submit(0, nop({ flags: SKIP })),
    submit(0, denied({ flags: SKIP })),
    submit(0, nop({ flags: SKIP | LINK }), denied({ flags: LINK }), nop()),
    submit(0, nopResult(-5, { flags: SKIP | LINK }), nop()),
    submit(0, nop({ flags: LINK }), denied({ flags: SKIP })),
    submit(0, denied({ flags: LINK }), timeout({ flags: SKIP })),
  ]),
  example('A denied link timeout says so', 'Who is told -ECANCELED does not learn of the rule.', [
    ring(0, SUBMIT_ALL),
    filter(onRing(0), OP.LINK_TIMEOUT, DENY),
    deny,
    submit(0, nop({ flags: LINK }), timeout()),
    submit(0, nop({ flags: LINK }), nop({ flags: LINK }), timeout()),
    submit(0, denied({ flags: LINK }), nop({ flags: LINK }), timeout({ flags: SKIP })),
    submit(0, denied({ flags: LINK | SKIP }), nop({ flags: LINK }), timeout()),
  ]),
  example('A notification that comes is announced', 'The user checks IORING_CQE_F_MORE, and nothing else.', [
    ring(0, SUBMIT_ALL),
    deny,
    submit(0, denied({ flags: LINK }), { opcode: OP.SEND_ZC, fd: 99 }),
    submit(0, { opcode: OP.SEND_ZC, fd: 99, flags: LINK }, denied()),
  ]),
  example('A hard link keeps its CQEs', 'Only soft links are skipped together with their head.', [
    ring(0, SUBMIT_ALL),
    deny,
    submit(0, denied({ flags: HARD | SKIP }), nop()),
    submit(0, denied({ flags: LINK | SKIP }), nop()),
  ]),
  example('A drain is of one request', 'What a filter sees of a request stands in its own SQE.', [
    ring(0, SUBMIT_ALL),
    filter(onRing(0), OP.NOP, 'ld [8]\njset #0x200, drained, plain\ndrained: ret #0\nplain: ret #1'),
    submit(0, denied({ flags: LINK }), denied({ flags: DRAIN }), nop()),
    submit(0, nop({ flags: DRAIN })),
  ]),
  example('A chain ends with its submission', 'The last request of a batch links to nothing.', [
    ring(0, SUBMIT_ALL),
    deny,
    submit(0, denied({ flags: LINK })),
    submit(0, nop()),
  ]),
]);
