/** What became of made-up mutants. */
import type { MutantResult, SensitivityResult, SensitivityRow } from '../data/sensitivity.ts';

const mutant = (id: string, more: Partial<MutantResult> = {}): MutantResult => ({
  id,
  number: 1,
  title: `Faulty by ${id}`,
  class: 'rare-data',
  file: 'io_uring/bpf_filter.c',
  in: 'io_register_bpf_filter',
  symptom: 'A request that is to be denied is allowed',
  argument: 'Register, then submit: 0 in place of -EACCES',
  state: 'killed',
  kill: {
    stage: 'quick',
    verdict: 'divergence',
    where: 'cases',
    rule: 'filter.deny',
    suite: 'evaluation',
    cases: 12,
    seconds: 0.4,
    detail: 'step 4, cqe: predicted CQE user_data=0x1 res=-EACCES, observed CQE user_data=0x1 res=0',
    case: `mutants/${id}.json`,
  },
  tried: 'quick',
  unconfirmed: 0,
  missing: '',
  ...more,
});

const row = (name: string, more: Partial<SensitivityRow>): SensitivityRow => ({
  name,
  mutants: 0,
  quick: 0,
  default: 0,
  alive: 0,
  unreached: 0,
  untried: 0,
  soon: 0,
  median_cases: null,
  median_seconds: null,
  ...more,
});

const KILLED = mutant('deny-forgotten');

/** Five mutants: two killed, one alive, one not reached, one that needs a race. */
export const FIVE_MUTANTS: SensitivityResult = {
  version: 1,
  linux: '../linux-7.3.4',
  release: '7.3.4-ringfence',
  kernel: '/cache/it is/vmlinux',
  seed: 1,
  quick_cases: 1600,
  default_cases: 26_000,
  command: 'npx ringfence sensitivity --linux ../linux-7.3.4 --needs --seed 1',
  mutants: [
    KILLED,
    mutant('boots-not', {
      kill: { stage: 'quick', verdict: 'kernel-crash', where: 'booting', cases: 0, seconds: 0, detail: 'panic' },
    }),
    mutant('high-word-lost', { state: 'alive', kill: null, tried: 'default', missing: 'no answer differs' }),
    mutant('never-there', { state: 'unreached', kill: null, tried: 'default', missing: 'none comes there' }),
    mutant('put-too-early', { class: 'race', needs: 'race', state: 'alive', kill: null, missing: 'it needs a race' }),
  ],
  classes: [
    row('rare-data', {
      mutants: 4,
      quick: 2,
      alive: 1,
      unreached: 1,
      soon: 2,
      median_cases: 0,
      median_seconds: 0,
    }),
  ],
  needs: [row('race', { mutants: 1, alive: 1 })],
  total: row('all', { mutants: 4, quick: 2, alive: 1, unreached: 1, soon: 2, median_cases: 0, median_seconds: 0 }),
  required: 100,
  met: false,
  complete: true,
  versions: { ringfence: '0.1.0', qemu: '7.2' },
  times: { started: '2026-11-25T18:00:00.000Z', wall_s: 1200 },
};
