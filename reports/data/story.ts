/**
 * The shape of a story in result.json: the oracle makes it (oracle/explain/story-data.ts says what each member means),
 * and pictures are drawn from it, so that one that comes from a file is checked first.
 */
import type { Story, StoryFilter, StoryProgram, StoryRequest } from '../../oracle/explain/story-data.ts';
import { count, flag, list, maybe, record, text } from './schema.ts';
import type { Data, SchemaOf } from './schema.ts';

const string = text();
const strings = list(string);
/** An array of arrays, each with so many members of one kind. */
const rows = <T>(item: ReturnType<typeof text> | ReturnType<typeof count>, minItems: number, maxItems: number) =>
  list(list(item, undefined, { minItems, maxItems })) as unknown as SchemaOf<T>;

const filter = record({
  step: count(),
  deny_rest: flag(),
  value: count(),
  ended: maybe(string),
  trace: rows<StoryFilter['trace']>(count(), 3, 4),
});

const request = record({
  text: string,
  predicted: string,
  observed: maybe(string),
  stage: maybe(string),
  rule: maybe(string),
  context: maybe(rows<NonNullable<StoryRequest['context']>>(string, 2, 2)),
  filters: list(filter),
});

const step = record({
  task: count(),
  do: string,
  call: string,
  child: maybe(count()),
  how: maybe(string),
  predicted: string,
  observed: maybe(string),
  rule: string,
  requests: list(request),
  strays: maybe(strings),
});

const program = record({
  step: count(),
  opcode: string,
  length: count(),
  accepted: flag(),
  verdict: string,
  fault: maybe(count()),
  lines: rows<StoryProgram['lines']>(string, 3, 3),
});

/** A story. */
export const STORY_SCHEMA = record({
  fixtures: strings,
  jit: flag(),
  setting: maybe(string),
  steps: list(step),
  programs: list(program),
});

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never;
/** The compiler keeps both statements of the shape together. */
const same: Same<Data<typeof STORY_SCHEMA>, Story> = true;
void same;
