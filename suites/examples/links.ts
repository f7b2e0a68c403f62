/** Chains of requests of which one is denied or fails. */
import { IOSQE } from '../../oracle/uapi/constants.ts';
import { OP } from '../../oracle/opcodes/index.ts';
import { DENY, example, filter, nop, nopResult, onRing, ring, submit, suite } from './build.ts';

const { IO_LINK: LINK, IO_HARDLINK: HARD, CQE_SKIP_SUCCESS: SKIP } = IOSQE;
const SUBMIT_ALL = 1 << 7;
const denied = (more: object = {}) => ({ opcode: OP.FSYNC, fd: 99, ...more });
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
  ]),
  example('A chain ends with its submission', 'The last request of a batch links to nothing.', [
    ring(0, SUBMIT_ALL),
    deny,
    submit(0, denied({ flags: LINK })),
    submit(0, nop()),
  ]),
]);
