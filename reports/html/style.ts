/**
 * The look of the page. Ink on paper and one accent, which the verdict chooses: it marks what the verdict rests on
 * and nothing else. No style attributes anywhere: the page's own policy forbids them.
 */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: light-dark(#fcfbf8, #131519);
  --wash: light-dark(#f3f1eb, #1b1e24);
  --ink: light-dark(#1a1c20, #e4e4e0);
  --soft: light-dark(#5c6067, #a0a5ad);
  --line: light-dark(#dcd8cf, #31353d);
  --bar: light-dark(#8b95a3, #69758a);
  --accent: light-dark(#a8281c, #ff8d7b);
  --tint: light-dark(#fbeae6, #34201e);
  --mono: ui-monospace, "SF Mono", SFMono-Regular, Menlo, Consolas, "Liberation Mono", "DejaVu Sans Mono", monospace;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", Arial, sans-serif;
}
:root[data-verdict=conformant] { --accent: light-dark(#17653f, #74cf9c); --tint: light-dark(#e6f2ea, #182a20); }
:root[data-verdict=untestable], :root[data-verdict=interrupted] { --accent: light-dark(#80530a, #e3b457); --tint: light-dark(#f8efdc, #2d2616); }
:root[data-theme=light] { color-scheme: light; }
:root[data-theme=dark] { color-scheme: dark; }
*, ::before, ::after { box-sizing: border-box; }
html { font: 100%/1.5 var(--sans); -webkit-text-size-adjust: 100%; text-size-adjust: 100%; scroll-padding-top: 4.5rem; background: var(--paper); color: var(--ink); }
body { margin: 0; font-size: .9375rem; overflow-wrap: break-word; font-variant-numeric: tabular-nums; }
main, .end { max-width: 74rem; margin: 0 auto; padding: 0 clamp(1rem, 4vw, 2.5rem); }
main:focus { outline: none; }
:focus-visible { outline: 2px solid var(--ink); outline-offset: 2px; border-radius: 2px; }
a { color: inherit; text-decoration: underline; text-decoration-color: color-mix(in srgb, currentColor 35%, transparent); text-underline-offset: .2em; }
a:hover { text-decoration-color: currentColor; }
code, pre { font-family: var(--mono); font-size: .9em; font-variant-ligatures: none; }
pre { margin: 0; line-height: 1.45; tab-size: 8; }
b { font-weight: 600; }
.soft, .note, .cite, .where, .legend, .lead { color: var(--soft); }
.bad { color: var(--accent); }
.break { overflow-wrap: anywhere; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
[hidden] { display: none !important; }
.skip { position: absolute; left: 1rem; top: -4rem; z-index: 3; padding: .5rem 1rem; background: var(--ink); color: var(--paper); }
.skip:focus { top: .5rem; }

nav { position: sticky; top: 0; z-index: 2; display: flex; gap: 1rem; align-items: center; justify-content: space-between; padding: 0 clamp(1rem, 4vw, 2.5rem); background: var(--paper); border-bottom: 1px solid var(--line); font-size: .8125rem; }
nav ul { display: flex; gap: 1.1rem; margin: 0; padding: 3px; list-style: none; overflow-x: auto; scrollbar-width: none; }
nav a { display: block; padding: .7rem 0 .6rem; color: var(--soft); text-decoration: none; white-space: nowrap; border-bottom: 2px solid transparent; }
nav a:hover, nav a[aria-current] { color: var(--ink); }
nav a[aria-current] { border-color: var(--accent); }
button { font: inherit; font-size: .8125rem; color: var(--ink); background: none; border: 1px solid var(--line); border-radius: 3px; padding: .25rem .6rem; cursor: pointer; white-space: nowrap; }
button:hover { border-color: var(--soft); }

.top { padding: clamp(1.75rem, 5vw, 3.25rem) 0 1.5rem; }
.brand { margin: 0 0 1.75rem; font-weight: 600; letter-spacing: .01em; }
.brand span { margin-left: .6em; font-weight: 400; color: var(--soft); }
.verdict { display: flex; align-items: center; gap: clamp(.75rem, 2vw, 1.25rem); color: var(--accent); }
.ring { flex: none; width: clamp(2.5rem, 7vw, 3.5rem); height: auto; fill: none; stroke: currentColor; stroke-width: 5; }
h1 { margin: 0; font-size: clamp(2rem, 6.5vw, 3.25rem); line-height: 1.05; font-weight: 650; letter-spacing: -.025em; }
.said { max-width: 46rem; margin: 1rem 0 1.75rem; font-size: clamp(1.0625rem, 2.2vw, 1.25rem); line-height: 1.45; text-wrap: pretty; }
section { padding: 2.25rem 0 1rem; border-top: 1px solid var(--line); }
h2 { margin: 0 0 .35rem; font-size: 1.5rem; line-height: 1.2; font-weight: 640; letter-spacing: -.015em; }
h3 { margin: 1.75rem 0 .5rem; font-size: 1.0625rem; line-height: 1.3; font-weight: 620; }
h3 code { font-size: 1em; }
.lead { max-width: 46rem; margin: 0 0 1.25rem; }

dl, dd, dt { margin: 0; }
.numbers { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); gap: 1.1rem 1.5rem; margin: 1.75rem 0; }
.numbers dt { font-size: .8125rem; color: var(--soft); }
.numbers dd { font-size: 1.3125rem; line-height: 1.3; font-weight: 560; letter-spacing: -.01em; }
.numbers dd .break { font-size: .9375rem; letter-spacing: 0; }
.facts div { display: grid; grid-template-columns: minmax(7rem, 15rem) 1fr; gap: 1rem; padding: .3rem 0; border-bottom: 1px solid var(--line); }
.facts dt { color: var(--soft); overflow-wrap: anywhere; }
.facts dd { min-width: 0; overflow-wrap: anywhere; }

.scroll { position: relative; overflow-x: auto; max-width: 100%; margin: .75rem 0; }
.console, details .scroll:has(pre) { max-height: 30rem; overflow: auto; }
.scroll:has(> pre) { padding: .8rem 1rem; background: var(--wash); border-radius: 4px; font-size: .875rem; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; }
th, td { padding: .4rem .75rem .4rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th:last-child, td:last-child { padding-right: 0; }
thead th { font-weight: 500; color: var(--soft); white-space: nowrap; vertical-align: bottom; }
tbody th { font-weight: 560; }
.n { text-align: right; white-space: nowrap; }
td.broken { color: var(--accent); font-weight: 650; }
.words { min-width: 14rem; }
.broke { list-style: none; margin: 0; padding: 0; border-top: 1px solid var(--line); }
.broke li { display: grid; grid-template-columns: minmax(0, 1fr) 16rem 9.75rem; gap: .15rem 1.5rem; padding: .55rem 0 .6rem; border-bottom: 1px solid var(--line); }
.broke a { font-weight: 560; }
.broke li > div > .soft { max-width: 40rem; font-size: .875rem; text-wrap: pretty; }
.delta { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); min-width: 0; overflow-wrap: anywhere; gap: 0 1rem; align-content: start; font-size: .8125rem; }
.delta code { display: block; font-size: .9375rem; overflow-wrap: anywhere; }
.delta .bad code { font-weight: 650; }
.again { font-size: .8125rem; text-align: right; }
.cite { font-size: .8125rem; }
.date, .nb { white-space: nowrap; }
.plain { list-style: none; padding: 0; margin: .75rem 0; }
.plain li { margin: .3rem 0; }

.command { display: flex; gap: .5rem; align-items: start; margin: .5rem 0; padding: .45rem .45rem .45rem .8rem; background: var(--wash); border-radius: 4px; }
.command pre { flex: 1; min-width: 0; overflow-x: auto; padding: .2rem 0; font-size: .875rem; }
.command button { background: var(--paper); min-width: 4.4rem; }
.commands { margin: 1rem 0; }
details { margin: .5rem 0; }
summary { padding: .3rem 0; color: var(--soft); cursor: pointer; width: fit-content; max-width: 100%; }
summary:hover { color: var(--ink); }

.divergence { padding: 1.5rem 0 1.25rem; border-bottom: 1px solid var(--line); }
.divergence:last-child { border-bottom: 0; }
.where { margin: 0; font-size: .8125rem; }
.divergence h3 { margin: .1rem 0 .5rem; font-size: 1.25rem; letter-spacing: -.01em; overflow-wrap: anywhere; }
.divergence h3 a { text-decoration-color: transparent; }
.divergence h3 a:hover { text-decoration-color: currentColor; }
blockquote { margin: 0; max-width: 46rem; }
blockquote p { margin: 0 0 .25rem; font-size: 1.0625rem; text-wrap: pretty; }
.versus { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(16rem, 100%), 1fr)); margin: 1rem 0 .5rem; border: 1px solid var(--line); border-radius: 4px; overflow: hidden; }
.versus div { padding: .6rem 1rem .7rem; }
.versus .bad { background: var(--tint); color: inherit; }
.versus dt { font-size: .8125rem; color: var(--soft); }
.versus .bad dt { color: var(--accent); }
.versus dd { font-family: var(--mono); font-size: .9375rem; overflow-wrap: anywhere; }
.case { margin: 1.25rem 0; }
.case > .scroll { margin: 0; }
.steps { border-top: 1px solid var(--line); font-size: .875rem; }
.steps td, .steps th { border: 0; padding: 0; }
.steps > tbody > tr > th { width: 2.25rem; padding: .35rem .6rem .35rem .35rem; color: var(--soft); font-weight: 400; }
.steps > tbody > tr > td:last-child { padding: .35rem .5rem .35rem .75rem; }
.steps .tasks { position: relative; }
.lanes { position: absolute; top: 0; left: 0; height: calc(100% + 1px); }
.differs { background: var(--tint); box-shadow: inset 3px 0 0 var(--accent); }
.lane line, .edge { stroke: var(--bar); stroke-width: 1.5; }
.edge { stroke: var(--ink); }
.shares { stroke-dasharray: 3 3; }
.tip { fill: var(--ink); }
.node { fill: var(--paper); stroke: var(--soft); stroke-width: 1.5; }
.node.acts { fill: var(--ink); stroke: var(--ink); }
.differs .node.acts { fill: var(--accent); stroke: var(--accent); }
.name { font: 600 11px var(--sans); text-anchor: middle; fill: var(--soft); }
.name.acts { fill: var(--paper); }
.call code, .request > div:first-child > code { overflow-wrap: anywhere; }
.answer { color: var(--soft); white-space: nowrap; }
.pair { display: block; }
.pair span { margin-right: 1.25rem; }
.pair b { font-family: var(--mono); font-size: .9em; }
.request { margin: .25rem 0 .1rem; padding-left: .9rem; border-left: 1px solid var(--line); }
.filters { margin: .1rem 0; padding-left: 1.1rem; list-style: "↳ "; color: var(--soft); }
.why { font-size: .8125rem; color: var(--soft); }
.legend { margin: .6rem 0; font-size: .8125rem; }
figure { margin: 1rem 0; }
figcaption { font-weight: 560; font-size: .875rem; }
figcaption .soft { font-weight: 400; }
.program { max-width: 56rem; padding-left: .9rem; border-left: 2px solid var(--line); }
.program figcaption { font-weight: 400; color: var(--soft); }
.program figcaption b { color: var(--ink); }
.program .scroll { margin: .25rem 0; }
.trace { width: auto; min-width: min(100%, 34rem); font-size: .8125rem; }
.trace td, .trace th { padding: .1rem 1.25rem .1rem 0; border: 0; white-space: nowrap; vertical-align: baseline; }
.trace td.n, .trace td.order { font-family: var(--mono); font-size: .9em; }
.trace .pc { color: var(--soft); }
.trace .order { color: var(--ink); font-weight: 650; }
.trace .off { color: var(--soft); }
.trace .fault { background: var(--tint); }
.trace .row { color: var(--soft); }
.trace .off .row { color: inherit; }

.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); gap: .5rem 3.5rem; }
.plot { margin: 1rem 0 1.25rem; }
.bars { list-style: none; margin: .6rem 0 0; padding: 0; font-size: .8125rem; }
.bars li { display: grid; grid-template-columns: 8.5rem 1fr 4.25rem; gap: .75rem; align-items: center; min-height: 1.4rem; }
.shares li, .bars.shares li { grid-template-columns: 8.5rem 1fr 6.75rem; }
.bars .label { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.bars svg { display: block; overflow: visible; }
.bars text { font: 11px var(--sans); font-variant-numeric: tabular-nums; fill: var(--soft); }
.axis text { text-anchor: middle; }
.bars .out { fill: var(--ink); }
.bars .in { fill: var(--paper); text-anchor: end; }
.bar { fill: light-dark(#5f6b7c, #8b97aa); }
.rest { fill: var(--line); }
.grid { stroke: var(--line); }
.tick { stroke: var(--ink); stroke-opacity: .55; stroke-width: 1.5; }
.tick.broken { stroke: var(--accent); stroke-opacity: 1; stroke-width: 3; }
.never { fill: none; stroke: var(--soft); stroke-width: 1.25; }

.filter { display: flex; flex-wrap: wrap; gap: .75rem 1.25rem; align-items: center; margin: 0 0 1rem; font-size: .8125rem; }
.filter input[type=search] { font: inherit; font-size: .9375rem; width: min(20rem, 62vw); margin-left: .4rem; padding: .3rem .6rem; color: inherit; background: var(--paper); border: 1px solid var(--soft); border-radius: 3px; }
::placeholder { color: var(--soft); opacity: 1; }
fieldset { display: flex; flex-wrap: wrap; gap: .35rem; margin: 0; padding: 0; border: 0; }
fieldset label { position: relative; cursor: pointer; }
fieldset input { position: absolute; opacity: 0; inset: 0; margin: 0; cursor: pointer; }
fieldset span { display: block; padding: .25rem .6rem; border: 1px solid var(--line); border-radius: 3px; color: var(--soft); }
fieldset i { font-style: normal; opacity: .8; }
fieldset input:checked + span { border-color: var(--ink); color: var(--ink); background: var(--wash); }
fieldset input:focus-visible + span { outline: 2px solid var(--ink); outline-offset: 2px; }
output { color: var(--soft); }
.rules { table-layout: fixed; }
.rules thead th:nth-child(2) { width: 7.5rem; }
.rules thead th:nth-child(3) { width: 5.5rem; }
.rules th button { border: 0; padding: .2rem 0; color: inherit; }
.rules th button::after { content: " ↕"; opacity: .45; }
.rules th[aria-sort=ascending] button::after { content: " ↑"; opacity: 1; }
.rules th[aria-sort=descending] button::after { content: " ↓"; opacity: 1; }
.rules td { padding-top: .55rem; padding-bottom: .6rem; overflow-wrap: anywhere; }
.rules td:first-child > div { max-width: 46rem; }
.rules .id { font-weight: 600; }
.rules .kind { font-variant-caps: all-small-caps; letter-spacing: .03em; margin-right: .15em; }
.rules .mark { color: var(--soft); }
.rules .mark.broken { color: var(--accent); font-weight: 650; }
.rules .mark.known { color: var(--ink); }
.rules tr:target { background: var(--tint); box-shadow: inset 3px 0 0 var(--accent), -0.75rem 0 0 var(--tint); }
.hits svg { display: block; margin-top: .25rem; transform: scaleX(-1); }
.hits rect { fill: var(--bar); }

.matrix { width: auto; min-width: 100%; }
.matrix th[scope=row], .matrix thead td { position: sticky; left: 0; z-index: 1; min-width: 11rem; max-width: 24rem; background: var(--paper); padding-right: 1.25rem; font-weight: 450; }
.matrix small { display: block; color: var(--soft); font-size: .75rem; line-height: 1.35; }
.matrix thead th { text-align: center; padding: .4rem .6rem; color: var(--ink); font-weight: 600; }
.matrix td { text-align: center; padding: .4rem .6rem; white-space: nowrap; }
.matrix .block th { position: static; padding-top: 1.4rem; font-size: .8125rem; color: var(--soft); font-weight: 500; }
.matrix .block span { position: sticky; left: 0; }
.cell { color: var(--soft); }
.cell.known, .cell.shown { color: var(--ink); }
.cell.broken, .cell.other, .state.divergent { color: var(--accent); font-weight: 650; }
.cell.broken { background: var(--tint); }
.state.unsupported, .state.not-run, .state.unavailable { color: var(--soft); font-style: italic; }
.changes { padding-left: 1.5rem; }
.changes > li { margin: .6rem 0 .9rem; }
.changes details { margin: 0; }
.changes summary { font-size: .875rem; }
.end { padding-top: 2rem; padding-bottom: 3rem; color: var(--soft); font-size: .8125rem; }

@media (max-width: 40rem) {
  nav { gap: .5rem; }
  .broke li { grid-template-columns: minmax(0, 1fr) auto; }
  .broke li > div:first-child { grid-column: 1 / -1; }
  .delta { grid-template-columns: fit-content(11rem) fit-content(11rem); justify-content: start; gap: 0 1.5rem; }
  .again { align-self: end; }
  .facts div { grid-template-columns: 1fr; gap: 0; }
  .facts dt { font-size: .8125rem; }
  .bars li, .shares li, .bars.shares li { grid-template-columns: 6.5rem 1fr auto; gap: .5rem; }
  .rules thead th:nth-child(2) { width: 4.75rem; }
  .rules thead th:nth-child(3) { width: 4rem; }
  .rules .mark { font-size: .8125rem; }
  .matrix th[scope=row], .matrix thead td { min-width: 8rem; max-width: 9.5rem; padding-right: .5rem; }
  .steps > tbody > tr > th { width: 1.6rem; padding-right: .3rem; }
  .answer { white-space: normal; }
}
@media (prefers-reduced-motion: no-preference) {
  html { scroll-behavior: smooth; }
  .skip { transition: top .12s; }
}
@media (forced-colors: active) {
  .node.acts, .bar, .hits rect { fill: CanvasText; }
  .differs { outline: 2px solid CanvasText; }
}
@media print {
  :root { color-scheme: light; }
  html { scroll-behavior: auto; background: none; }
  body { font-size: 9.5pt; }
  nav, .filter, .skip, [data-copy] { display: none !important; }
  main, .end { max-width: none; padding: 0; }
  .scroll, .command pre, .console, details .scroll:has(pre) { overflow: visible; max-height: none; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; }
  .matrix th[scope=row] { position: static; }
  tr, figure, .versus, blockquote { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  details::details-content { content-visibility: visible; block-size: auto; }
}
`;
