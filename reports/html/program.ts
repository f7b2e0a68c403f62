/** A filter beside what it did: which instruction ran when, and what the registers held after it. */
import type { StoryFilter, StoryProgram } from '../../oracle/explain/story-data.ts';
import { html, NOTHING } from './escape.ts';
import type { Markup } from './escape.ts';
import { hex, scroll } from './parts.ts';

/** The program, with the trace of one run where there is one. `asked` names the request. */
export function programTable(program: StoryProgram, run?: StoryFilter, asked = ''): Markup {
  const { step, opcode, length, lines, verdict, accepted, fault } = program;
  const steps = new Map(
    run?.trace.map((entry, order) => [
      entry[0],
      {
        order: order + 1,
        a: entry[1],
        x: entry[2],
        taken: entry[3],
        next: run.trace[order + 1]?.[0],
        before: run.trace[order - 1],
      },
    ]),
  );
  const answer =
    run === undefined
      ? `${verdict}${accepted ? '; no request asks it' : ''}`
      : `${asked}: returns ${hex(run.value)}, ${run.value === 0 ? 'denies' : 'allows'}${run.ended === 'div-by-zero-x' ? ' (division by X = 0)' : ''}`;
  const traced = run !== undefined && run.trace.length > 0;
  const rows = lines.map(([asm, row, comment], pc) => {
    const at = steps.get(pc);
    const kind = pc === fault ? 'fault' : traced && at === undefined ? 'off' : '';
    return html`<tr${kind === '' ? NOTHING : html` class="${kind}"`}>${traced ? html`<td class="n order">${at?.order}</td>` : NOTHING}<td class="n pc">${pc}</td><td class="asm"><code>${asm}</code>${comment === '' ? NOTHING : html` <span class="note">; ${comment}</span>`}${pc === fault ? html` <span class="bad">refused here</span>` : NOTHING}</td>${traced ? traceCells(at, run.value) : NOTHING}<td class="row"><code>${row}</code></td></tr>\n`;
  });
  return html`<figure class="program"><figcaption>Filter of step <b>${step}</b> on ${opcode}, ${answer}${accepted || run === undefined ? NOTHING : ' (refused)'}</figcaption>${
    lines.length === 0
      ? html`<p class="note">${length} instructions, not listed.</p>`
      : scroll(
          `Filter of step ${step}`,
          html`<table class="trace"><thead><tr>${traced ? html`<th scope="col" class="n" title="Order in which the instructions run">ran</th>` : NOTHING}<th scope="col" class="n">pc</th><th scope="col">bpf_asm</th>${traced ? html`<th scope="col" class="n">A</th><th scope="col" class="n">X</th><th scope="col">then</th>` : NOTHING}<th scope="col">struct sock_filter</th></tr></thead><tbody>${rows}</tbody></table>`,
        )
  }${lines.length < length && lines.length > 0 ? html`<p class="note">${length - lines.length} more instructions.</p>` : NOTHING}</figure>`;
}

interface Ran {
  readonly order: number;
  readonly a: number;
  readonly x: number;
  readonly taken: 0 | 1 | undefined;
  readonly next: number | undefined;
  readonly before: readonly [pc: number, a: number, x: number, taken?: 0 | 1] | undefined;
}

/** Registers after the instruction; those that it changed stand out. */
function traceCells(at: Ran | undefined, value: number): Markup {
  if (at === undefined) return html`<td></td><td></td><td></td>`;
  const cell = (now: number, was: number): Markup =>
    now === was ? html`<td class="n soft">${hex(now)}</td>` : html`<td class="n"><b>${hex(now)}</b></td>`;
  const then =
    at.next === undefined
      ? html`<b>${value === 0 ? 'deny' : 'allow'}</b>`
      : at.taken === undefined
        ? NOTHING
        : html`${at.taken === 1 ? 'yes' : 'no'}, to ${at.next}`;
  return html`${cell(at.a, at.before?.[1] ?? 0)}${cell(at.x, at.before?.[2] ?? 0)}<td>${then}</td>`;
}
