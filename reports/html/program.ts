/** A filter beside what it did: which instruction ran when, and what the registers held after it. */
import type { StoryFilter, StoryProgram } from '../../oracle/explain/story-data.ts';
import { html, NOTHING } from './escape.ts';
import type { Markup, Part } from './escape.ts';
import { hex } from '../../oracle/uapi/text.ts';
import { scroll } from './parts.ts';

/** One instruction that ran. */
interface Ran {
  /** From 1. */
  readonly order: number;
  readonly a: number;
  readonly x: number;
  readonly taken: 0 | 1 | undefined;
  readonly next: number | undefined;
  readonly before: StoryFilter['trace'][number] | undefined;
}

/** The program, with the trace of one run where there is one. `asked` names the request. */
export function programTable(program: StoryProgram, run?: StoryFilter, asked = ''): Markup {
  const { step, opcode, length, lines, accepted } = program;
  const missing = length - lines.length;
  return html`<figure class="program">
    <figcaption>
      Filter of step <b>${step}</b> on ${opcode}, ${outcome(program, run, asked)}
      ${!accepted && run !== undefined && ' (refused)'}
    </figcaption>
    ${
      lines.length === 0
        ? html`<p class="note">${length} instructions, not listed.</p>`
        : scroll(`Filter of step ${step}`, listing(program, run))
    }
    ${missing > 0 && lines.length > 0 && html`<p class="note">${missing} more instructions.</p>`}
  </figure>`;
}

function outcome({ verdict, accepted }: StoryProgram, run: StoryFilter | undefined, asked: string): string {
  if (run === undefined) return `${verdict}${accepted ? '; no request asks it' : ''}`;
  const { value, ended } = run;
  const how = ended === 'div-by-zero-x' ? ' (division by X = 0)' : '';
  return `${asked}: returns ${hex(value)}, ${value === 0 ? 'denies' : 'allows'}${how}`;
}

function listing({ lines, fault }: StoryProgram, run: StoryFilter | undefined): Markup {
  const steps = ranOf(run);
  const traced = steps.size > 0;
  const rows = lines.map(([asm, row, comment], pc) => {
    const at = steps.get(pc);
    const kind = pc === fault ? 'fault' : traced && at === undefined ? 'off' : '';
    return html`<tr${kind !== '' && html` class="${kind}"`}>
      ${traced && html`<td class="n order">${at?.order}</td>`}
      <td class="n pc">${pc}</td>
      <td class="asm"><code>${asm}</code>${
        comment !== '' && html` <span class="note">; ${comment}</span>`
      }${pc === fault && html` <span class="bad">refused here</span>`}</td>
      ${run !== undefined && traced && traceCells(at, run.value)}
      <td class="row"><code>${row}</code></td>
    </tr>\n`;
  });
  const registers = html`<th scope="col" class="n">A</th><th scope="col" class="n">X</th><th scope="col">then</th>`;
  return html`<table class="trace">
    <thead><tr>
      ${traced && html`<th scope="col" class="n" title="Order in which the instructions run">ran</th>`}
      <th scope="col" class="n">pc</th>
      <th scope="col">bpf_asm</th>
      ${traced && registers}
      <th scope="col">struct sock_filter</th>
    </tr></thead>
    <tbody>${rows}</tbody>
  </table>`;
}

/** What ran, by index of the instruction: there are no loops. */
function ranOf(run: StoryFilter | undefined): ReadonlyMap<number, Ran> {
  const trace = run?.trace ?? [];
  return new Map(
    trace.map(([pc, a, x, taken], i) => [
      pc,
      { order: i + 1, a, x, taken, next: trace[i + 1]?.[0], before: trace[i - 1] },
    ]),
  );
}

/** Registers after the instruction; those that it changed stand out. */
function traceCells(at: Ran | undefined, value: number): Markup {
  if (at === undefined) return html`<td></td><td></td><td></td>`;
  const { a, x, before } = at;
  return html`${register(a, before?.[1] ?? 0)}${register(x, before?.[2] ?? 0)}<td>${thenText(at, value)}</td>`;
}

const register = (now: number, was: number): Markup =>
  now === was ? html`<td class="n soft">${hex(now)}</td>` : html`<td class="n"><b>${hex(now)}</b></td>`;

function thenText({ next, taken }: Ran, value: number): Part {
  if (next === undefined) return html`<b>${value === 0 ? 'deny' : 'allow'}</b>`;
  return taken === undefined ? NOTHING : `${taken === 1 ? 'yes' : 'no'}, to ${next}`;
}
