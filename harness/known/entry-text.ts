/** Findings and notes as the texts that are made of them. */
import { printScenario } from '../../oracle/case/text.ts';
import { compare } from '../../oracle/judge/compare.ts';
import { differenceText } from '../../oracle/judge/difference.ts';
import { Open } from '../../oracle/open-answer.ts';
import { predict } from '../../oracle/predict.ts';
import { documentedAbi } from '../../oracle/probe/abi-documented.ts';
import { RULES } from '../../oracle/registry.ts';
import type { Observation } from '../../oracle/scenario/observation.ts';
import type { Allowed, PredictedCqe, Prediction } from '../../oracle/scenario/prediction.ts';
import type { EntryText } from '../../reports/text/entry.ts';
import { loadFindings, quirksOf } from './findings.ts';
import type { Entry, Finding } from './findings.ts';
import { loadNotes } from './notes.ts';

/** CONNECT shows filters its address from 7.2 on. */
const ABI = documentedAbi('7.3');

/** Every finding, then every note. @throws Error naming a file that is none */
export function entryTexts(): readonly EntryText[] {
  return [
    ...loadFindings().map((finding) => entryText('finding', finding, answersOf(finding))),
    ...loadNotes().map((note) => entryText('note', note, [])),
  ];
}

function entryText(kind: EntryText['kind'], entry: Entry, answers: readonly string[]): EntryText {
  return { ...entry, kind, scenario: printScenario(entry.scenario, ABI), answers };
}

/** What the rule promises of the case, and what a kernel with the finding answers. */
function answersOf(finding: Finding): readonly string[] {
  const { scenario, rule } = finding;
  const faulty = answered(predict(scenario, ABI, { quirks: quirksOf([finding]) }));
  const { difference } = compare(predict(scenario, ABI), faulty);
  if (difference === undefined) return [];
  const { predicted, observed } = differenceText(difference);
  return [`rule: ${rule}: ${RULES[rule]?.statement ?? ''}`, `promised: ${predicted}`, `answered: ${observed}`];
}

/** A kernel that answers as predicted. */
function answered({ steps }: Prediction): Observation {
  return {
    steps: steps.map(({ reached, returns, cqes, memory }) => ({
      reached,
      returns: Open.is(returns) ? [] : returns.map(one),
      cqes: Open.is(cqes) ? [] : cqes.map((cqe) => ({ ...plain(cqe), res: one(cqe.res), flags: one(cqe.flags) })),
      ...(memory instanceof Uint8Array ? { memory } : {}),
    })),
  };
}

const plain = ({ user_data }: PredictedCqe): { readonly user_data: bigint } => ({ user_data });

function one(allowed: Allowed): number {
  if (typeof allowed === 'number') return allowed;
  const { values } = allowed;
  return values === 'any' ? 0 : 'at_least' in values ? values.at_least : (values[0] ?? 0);
}
