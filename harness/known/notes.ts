/**
 * Notes: weaknesses of the feature that break no promise, as data under `suites/notes`. A kernel that has one is right;
 * the oracle predicts it, and no gate fails.
 */
import { fileURLToPath } from 'node:url';
import { readEntries } from './findings.ts';
import type { Entry } from './findings.ts';

/** What surprises people who write filters, and the words that leave it open. */
export interface Note extends Entry {
  /** Always the same words: no note may be taken for a finding. */
  readonly weakness: 'no promise is broken';
  /** Opcodes whose rules it is about, without IORING_OP_. */
  readonly opcodes: readonly string[];
}

const DIRECTORY = fileURLToPath(new URL('../../suites/notes', import.meta.url));

/** Reads every note. @throws Error naming the file and what is wrong with it */
export function loadNotes(directory = DIRECTORY): readonly Note[] {
  return readEntries<Note>(directory, 'notes');
}
