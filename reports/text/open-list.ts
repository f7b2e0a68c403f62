/** The text of `ringfence rules --open`, and of oracle/OPEN.md. */
import type { Open, OpenKind } from '../../oracle/open-answer.ts';

/** Why an answer is open, in words. */
export const OPEN_KIND_TEXT: Readonly<Record<OpenKind, string>> = {
  timing: 'timing',
  'not-modelled': 'not modelled',
  silent: 'no source says',
};

/** Requests of a suite, and those that are left open, by kind. */
export interface SuiteShare {
  readonly requests: number;
  readonly open: number;
  readonly numbers: number;
  readonly kinds: Readonly<Record<OpenKind, number>>;
}

/** How often places were used over a sample. */
export interface OpenSample {
  /** What was measured: "300 cases of each suite, seed 1, Linux 7.0". */
  readonly about: string;
  readonly places: Readonly<Record<string, number>>;
  readonly suites: Readonly<Record<string, SuiteShare>>;
}

/** A place as plain data. */
export interface OpenLine {
  readonly id: string;
  readonly kind: OpenKind;
  readonly reason: string;
  readonly orders?: readonly [string, string];
  readonly read?: string;
  /** How often it left an answer open in the sample. */
  readonly uses: number;
}

/** The places with what was measured of them. */
export function openLines(places: readonly Open[], sample: OpenSample): readonly OpenLine[] {
  return places.map(({ id, kind, reason, orders, read }) => ({
    id,
    kind,
    reason,
    ...(orders === undefined ? {} : { orders }),
    ...(read === undefined ? {} : { read }),
    uses: sample.places[id] ?? 0,
  }));
}

const share = (open: number, requests: number): string =>
  requests === 0 ? '-' : `${((100 * open) / requests).toFixed(3)} %`;

/** Places by kind, with reasons and counts; then the share of requests by suite. Ends with a newline. */
export function formatOpen(lines: readonly OpenLine[], sample: OpenSample): string {
  const groups = (Object.keys(OPEN_KIND_TEXT) as OpenKind[])
    .map((kind) => [kind, lines.filter((line) => line.kind === kind)] as const)
    .filter(([, list]) => list.length > 0)
    .map(([kind, list]) => `${heading(kind)}\n\n${list.map(placeText).join('\n')}`);
  const suites = Object.entries(sample.suites).map(
    ([name, { requests, open, kinds }]) =>
      `  ${name.padEnd(24)}${share(open, requests).padStart(9)} of ${requests} requests` +
      ` (timing ${share(kinds.timing, requests)}, not modelled ${share(kinds['not-modelled'], requests)},` +
      ` silent ${share(kinds.silent, requests)})`,
  );
  return `${groups.join('\n\n')}\n\nRequests left open, measured over ${sample.about}\n\n${suites.join('\n')}\n`;
}

const heading = (kind: OpenKind): string =>
  ({
    timing: 'Timing: the kernel may rightly do two things in either order',
    'not-modelled': 'Not modelled: there is one answer, and the oracle does not know it',
    silent: 'Silent: no source says',
  })[kind];

function placeText({ id, reason, orders, read, uses }: OpenLine): string {
  return [
    `  ${id}  (${uses === 0 ? 'not used' : `${uses} times`})`,
    `      ${reason}`,
    ...(orders ?? []).map((order) => `      either: ${order}`),
    ...(read === undefined ? [] : [`      read: ${read}`]),
  ].join('\n');
}

/** The same as a page of Markdown. */
export function formatOpenPage(lines: readonly OpenLine[], sample: OpenSample): string {
  const row = (...cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const parts = [
    '# Open answers',
    '',
    'Every place at which the oracle gives more than one answer, with its reason. Made by `npm run open`;',
    '`npx ringfence rules --open` prints the same. A place stands in a `defineOpen` beside the code that uses it.',
    '',
    `Uses: how often it left an answer open (of a request, a call, or bytes read), over ${sample.about}.`,
  ];
  for (const kind of Object.keys(OPEN_KIND_TEXT) as OpenKind[]) {
    const list = lines.filter((line) => line.kind === kind);
    if (list.length === 0) continue;
    parts.push(
      '',
      `## ${heading(kind)}`,
      '',
      row('place', 'what', explained(kind), 'uses'),
      row('---', '---', '---', '---'),
    );
    for (const { id, reason, orders, read, uses } of list)
      parts.push(row(`\`${id}\``, reason, orders?.join(' / ') ?? read ?? '', String(uses)));
  }
  parts.push(
    '',
    '## Share of requests',
    '',
    'Requests of which more than one answer is right. Where only the number is open that the kernel picks for what was',
    'opened, the answer counts as one; those stand in the last column.',
    '',
    row('suite', 'requests', 'left open', 'timing', 'not modelled', 'no source says', 'number alone'),
    row(...new Array<string>(7).fill('---')),
  );
  for (const [name, { requests, open, numbers, kinds }] of Object.entries(sample.suites))
    parts.push(
      row(
        name,
        String(requests),
        ...[open, kinds.timing, kinds['not-modelled'], kinds.silent, numbers].map((one) => share(one, requests)),
      ),
    );
  return `${parts.join('\n')}\n`;
}

const explained = (kind: OpenKind): string =>
  ({ timing: 'the two orders', 'not-modelled': '', silent: 'sources that were read' })[kind];
