/**
 * The shape of the house, checked: which room imports which, no arrow upward between floors, no circle between files.
 * `npm run check` runs it; house.json beside it is the plan. Tests may import anything that is not above their room.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync } from 'oxc-parser';

/** house.json. */
export interface Plan {
  readonly rooms: readonly string[];
  /** Room -> rooms it may import from, beside itself. */
  readonly imports: Readonly<Record<string, readonly string[]>>;
  /** Room -> its folders and files, lowest first. */
  readonly floors: Readonly<Record<string, readonly string[]>>;
}

/** File -> files it imports, types included. Paths are relative to the root. */
type Arrows = ReadonlyMap<string, readonly string[]>;

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** The imports of every TypeScript file of these rooms, tests included. */
export function arrowsOf(root: string, rooms: readonly string[]): Arrows {
  const arrows = new Map<string, string[]>();
  for (const room of rooms) {
    for (const entry of readdirSync(join(root, room), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
      const path = relative(root, join(entry.parentPath, entry.name));
      const { module } = parseSync(path, readFileSync(join(root, path), 'utf8'));
      const named = [...module.staticImports.map(({ moduleRequest }) => moduleRequest.value)];
      for (const { entries } of module.staticExports) {
        for (const { moduleRequest } of entries) if (moduleRequest !== null) named.push(moduleRequest.value);
      }
      const own = new Set(
        named.filter((name) => name.startsWith('.')).map((name) => normalize(join(dirname(path), name))),
      );
      arrows.set(path, [...own]);
    }
  }
  return arrows;
}

const isTest = (path: string): boolean => path.endsWith('.test.ts');

/** `oracle/bpf/asm.ts` stands on floor `bpf` of room `oracle`. */
function place(path: string): { readonly room: string; readonly floor: string } {
  const [room = '', floor = ''] = path.split('/');
  return { room, floor };
}

function upward(plan: Plan, from: string, to: string): string | undefined {
  const a = place(from);
  const b = place(to);
  if (a.room !== b.room) {
    return plan.imports[a.room]?.includes(b.room) === true ? undefined : `room ${a.room} may not import from ${b.room}`;
  }
  if (a.floor === b.floor || isTest(from)) return undefined;
  const floors = plan.floors[a.room] ?? [];
  const [above, below] = [floors.indexOf(a.floor), floors.indexOf(b.floor)];
  if (above < 0 || below < 0) return `${above < 0 ? a.floor : b.floor} has no floor in house.json`;
  return above > below ? undefined : `${a.floor} stands below ${b.floor}`;
}

/** Every circle once, as the files on it. */
function circles(arrows: Arrows): readonly (readonly string[])[] {
  const found: string[][] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    const at = path.indexOf(file);
    if (at >= 0) found.push(path.slice(at));
    if (at >= 0 || done.has(file)) return;
    path.push(file);
    for (const next of arrows.get(file) ?? []) visit(next);
    path.pop();
    done.add(file);
  };
  for (const file of arrows.keys()) visit(file);
  return found;
}

/** What is wrong, one line each. */
export function faults(plan: Plan, arrows: Arrows): readonly string[] {
  const wrong: string[] = [];
  for (const [from, targets] of arrows) {
    for (const to of targets) {
      const why = upward(plan, from, to);
      if (why !== undefined) wrong.push(`${from} -> ${to}: ${why}`);
    }
  }
  for (const circle of circles(arrows)) wrong.push(`circle: ${[...circle, circle[0]].join(' -> ')}`);
  return wrong;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const plan = JSON.parse(readFileSync(join(ROOT, 'harness/tools/check/house.json'), 'utf8')) as Plan;
  const wrong = faults(plan, arrowsOf(ROOT, plan.rooms));
  for (const line of wrong) console.log(line);
  if (wrong.length > 0)
    console.log('The plan of the house is harness/tools/check/house.json; CONTRIBUTING.md explains it.');
  process.exitCode = wrong.length > 0 ? 1 : 0;
}
