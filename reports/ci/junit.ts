/**
 * JUnit XML, in the form that both the Ant schema and the xUnit plugin's schema take: properties first, one of
 * failure, error and skipped per test case, no attributes at the root.
 */
import type { Group, Point, PointReport } from './points.ts';

/** One or several reports (a matrix) as one document, ending with a newline. */
export function formatJunit(reports: readonly PointReport[]): string {
  const many = reports.length > 1;
  let id = 0;
  const suites = reports.flatMap((report) =>
    report.groups.map((group, i) => suiteXml(report, group, i === 0 ? report.wall_s : 0, id++, many)),
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join('')}</testsuites>\n`;
}

/** Scenarios of all suites are mixed, so there is no time per test; the whole run's stands at its first group. */
function suiteXml(
  { title, properties, started }: PointReport,
  { name, points }: Group,
  time: number,
  id: number,
  many: boolean,
): string {
  const count = (state: Point['state']): number => points.filter((point) => point.state === state).length;
  const full = many ? `${title}: ${name}` : name;
  const attributes = {
    name: full,
    package: 'ringfence',
    id,
    timestamp: started.slice(0, 19),
    hostname: 'localhost',
    tests: points.length,
    failures: count('fail'),
    errors: count('error'),
    skipped: count('skip'),
    time: time.toFixed(3),
  };
  const classname = `ringfence.${many ? `${title.replaceAll('.', '_')}.` : ''}${name}`;
  return [
    `  <testsuite${attributesXml(attributes)}>`,
    '    <properties>',
    ...properties.map(([key, value]) => `      <property${attributesXml({ name: key, value })}/>`),
    '    </properties>',
    ...points.map((point) => caseXml(point, classname)),
    '    <system-out></system-out>',
    '    <system-err></system-err>',
    '  </testsuite>\n',
  ].join('\n');
}

const ELEMENT = { fail: 'failure', error: 'error', skip: 'skipped' } as const;

function caseXml({ name, state, type = state, message = '', lines }: Point, classname: string): string {
  const open = `    <testcase${attributesXml({ name, classname, time: '0.000' })}`;
  if (state === 'pass') return `${open}/>`;
  const element = ELEMENT[state];
  const attributes = state === 'skip' ? { message } : { message, type };
  const inner = `<${element}${attributesXml(attributes)}>${xmlText(lines.join('\n'))}</${element}>`;
  return `${open}>\n      ${inner}\n    </testcase>`;
}

function attributesXml(attributes: Readonly<Record<string, string | number>>): string {
  return Object.entries(attributes)
    .map(
      ([name, value]) =>
        ` ${name}="${xmlText(String(value)).replace(/[\n\t]/g, (char) => `&#${char.charCodeAt(0)};`)}"`,
    )
    .join('');
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text for XML 1.0. Characters that it cannot hold even escaped are written as `\x1b`; lone surrogates as U+FFFD. */
export function xmlText(text: string): string {
  return text
    .toWellFormed()
    .replace(/\r\n?/g, '\n')
    .replace(
      /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffe\uffff]/g,
      (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
    )
    .replace(/[&<>"]/g, (char) => ENTITIES[char]!);
}
