/** The task tree over time: one column per task, the number in the column of the task that acts. */
import { madeBy, specOf } from '../steps/index.ts';
import type { Scenario, Step } from '../steps/index.ts';

/**
 * One text per step, all of the same width: `|` a task that waits, its number where it acts,
 * `->` a new task. Empty texts when there is only task 0.
 */
export function lanes({ steps }: Scenario): string[] {
  const columns = columnsOf(steps);
  if (columns.size === 1) return steps.map(() => '');
  const alive = new Set([0]);
  return steps.map((step) => {
    const row: string[] = [...columns.keys()].map((task) => cell(alive.has(task) ? '|' : ' ', ' '));
    const own = columns.get(step.task)!;
    row[own] = cell(String(step.task), ' ');
    const made = madeBy(step).task;
    if (made !== undefined) {
      const child = columns.get(made)!;
      const [from, to] = own < child ? [own, child] : [child, own];
      row[from] = row[from]!.replaceAll(' ', '-');
      for (let i = from + 1; i < to; i++) row[i] = cell(row[i]!.startsWith('|') ? '+' : '-', '-');
      if (own < child) row[child - 1] = `${row[child - 1]!.slice(0, -1)}>`;
      row[child] = cell(String(made), ' ');
      alive.add(made);
    }
    if (specOf(step).ends === true) alive.delete(step.task);
    return row
      .join('')
      .trimEnd()
      .padEnd(columns.size * WIDTH);
  });
}

const WIDTH = 4;
const cell = (text: string, fill: string): string => text.padEnd(WIDTH, fill);

/** Column of each task, in the order in which they first appear. */
function columnsOf(steps: readonly Step[]): Map<number, number> {
  const columns = new Map([[0, 0]]);
  const add = (task: number): void => {
    if (!columns.has(task)) columns.set(task, columns.size);
  };
  for (const step of steps) {
    add(step.task);
    const { task } = madeBy(step);
    if (task !== undefined) add(task);
  }
  return columns;
}
