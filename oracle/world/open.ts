/** Open answers that come of what nobody knows of memory, descriptors and registered resources. */
import { defineOpen } from '../open-answer.ts';

/** See CONTRIBUTING.md, "An open answer". */
export const WORLD = defineOpen({
  'memory.written-late': [
    'timing',
    'Bytes that a request may have written whose end nobody saw: without a CQE, racing, or itself open.',
    'The writing request ends before the bytes are read.',
    'It ends after that, or never.',
  ],
  'memory.outside': ['not-modelled', "A pointer outside the arena: what is mapped there is the runner's affair."],
  'descriptor.not-ours': [
    'not-modelled',
    "A descriptor number outside those a scenario reserves: the runner's own, or one that an earlier request opened.",
  ],
  'descriptor.number': [
    'timing',
    'The number of a new descriptor: the lowest that is free when the request gets to it.',
    'The request comes before another that opens something.',
    'It comes after that.',
    'number',
  ],
  'descriptor.kind': [
    'not-modelled',
    "A request on a file of a kind that its opcode's specification does not describe.",
  ],
  'path.link-on-the-way': ['not-modelled', 'A path that leads through a symbolic link to a directory.'],
  'resources.lost': [
    'not-modelled',
    'A table of direct descriptors or registered buffers after a call or request that may have changed it.',
  ],
});
