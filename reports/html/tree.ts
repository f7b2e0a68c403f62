/** The task tree over time: one lane per task; each step draws its own row, so that rows may be of any height. */
import type { Story, StoryStep } from '../../oracle/explain/story-data.ts';
import { STEPS } from '../../oracle/steps/index.ts';
import type { StepKind } from '../../oracle/steps/index.ts';
import { html, NOTHING } from './escape.ts';
import type { Markup } from './escape.ts';

/** Width of a lane, and the height at which a step's mark stands, in pixels. */
const LANE = 32;
const Y = 15;
const R = 9;

const HOW: Readonly<Record<string, string>> = {
  fork: 'forked',
  vfork: 'vforked',
  thread: 'made as a thread',
  clone_vm: 'cloned with shared memory',
  clone3: 'made by clone3',
};
/** New tasks that share their parent's memory are drawn with a dashed edge. */
const SHARES: ReadonlySet<string> = new Set(['vfork', 'thread', 'clone_vm']);

/** One drawing per step, as wide as all lanes, in pixels. */
export function drawLanes({ steps }: Story): { readonly drawn: readonly Markup[]; readonly width: number } {
  const columns = columnsOf(steps);
  const width = columns.size * LANE + 4;
  const alive = new Set<number>();
  const drawn = steps.map((step, i) => {
    const own = x(columns.get(step.task)!);
    const before = new Set(alive);
    if (i === 0) alive.add(0);
    if (step.child !== undefined && step.predicted !== 'does not run') alive.add(step.child);
    if (ends(step)) alive.delete(step.task);
    const lines = [...columns].map(([task, column]) => {
      const from = before.has(task) ? '0' : String(Y);
      const to = alive.has(task) ? '100%' : String(Y);
      return from === to || (!before.has(task) && !alive.has(task))
        ? NOTHING
        : html`<line x1="${x(column)}" x2="${x(column)}" y1="${from}" y2="${to}"/>`;
    });
    return html`<svg
      class="lanes"
      width="${width}"
      height="100%"
      role="img"
      aria-label="${label(step)}"
      focusable="false"
    ><g class="lane">${lines}</g>${edge(step, own, columns)}${mark(step, own)}</svg>`;
  });
  return { drawn, width };
}

/** Whether a step of this kind ends its task. */
function ends({ do: kind }: Pick<StoryStep, 'do'>): boolean {
  return STEPS[kind as StepKind]?.ends === true;
}

function x(column: number): number {
  return column * LANE + LANE / 2 + 1;
}

function label({ task, do: what, child, how = '' }: StoryStep): string {
  if (child !== undefined) return `task ${child} is ${HOW[how] ?? 'made'} by task ${task}`;
  if (ends({ do: what })) return `task ${task} ends`;
  return what === 'exec' ? `task ${task} executes a new image` : `task ${task}`;
}

function edge({ child, how = '' }: StoryStep, from: number, columns: ReadonlyMap<number, number>): Markup {
  if (child === undefined) return NOTHING;
  const to = x(columns.get(child)!);
  const side = to > from ? 1 : -1;
  const tip = to - side * R;
  return html`
    <line class="${SHARES.has(how) ? 'edge shares' : 'edge'}" x1="${from}" x2="${tip}" y1="${Y}" y2="${Y}"/>
    <path class="tip" d="M${tip} ${Y}l${-side * 6} -4v8z"/>
    ${node(child, to, false)}
  `;
}

function mark({ task, do: what, predicted }: StoryStep, at: number): Markup {
  if (what === 'exec')
    return html`
      <rect class="node acts" x="${at - R}" y="${Y - R}" width="${2 * R}" height="${2 * R}"/>
      <text class="name acts" x="${at}" y="${Y + 4}">${task}</text>
    `;
  const own = node(task, at, predicted !== 'does not run');
  if (!ends({ do: what })) return own;
  const [edge, foot] = [Y + R, Y + R + 5];
  return html`
    ${own}
    <line class="edge" x1="${at - 7}" x2="${at + 7}" y1="${foot}" y2="${foot}"/>
    <line class="edge" x1="${at}" x2="${at}" y1="${edge}" y2="${foot}"/>
  `;
}

function node(task: number, at: number, acts: boolean): Markup {
  const kind = acts ? ' acts' : '';
  return html`
    <circle class="node${kind}" cx="${at}" cy="${Y}" r="${R}"/>
    <text class="name${kind}" x="${at}" y="${Y + 4}">${task}</text>
  `;
}

/** Column of each task, in the order in which they first appear. */
function columnsOf(steps: readonly StoryStep[]): Map<number, number> {
  const columns = new Map([[0, 0]]);
  for (const { task, child } of steps)
    for (const one of [task, child]) if (one !== undefined && !columns.has(one)) columns.set(one, columns.size);
  return columns;
}

/** What the marks mean, for those that occur. */
export function legend({ steps }: Story): Markup {
  const entries = [
    'A number is a task, its line the task’s life; time runs down.',
    ...(steps.some(({ child }) => child !== undefined) ? ['An arrow makes a task'] : []),
    ...(steps.some(({ how = '' }) => SHARES.has(how)) ? ['dashed where it shares its parent’s memory'] : []),
    ...(steps.some(({ do: what }) => what === 'exec') ? ['a square is execve'] : []),
    ...(steps.some(ends) ? ['a bar ends a task'] : []),
  ];
  const [first, ...more] = entries;
  return html`<p class="legend">${first}${more.length === 0 ? '' : ` ${more.join('; ')}.`}</p>`;
}
