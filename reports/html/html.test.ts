import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { escapeHtml, html } from './escape.ts';
import { formatHtml } from './index.ts';
import { DRAWN, OPTIONS, PAGES } from '../testing/pages.ts';

const VOID = new Set(['meta', 'wbr', 'input', 'br']);
const tags = (page: string): RegExpMatchArray[] => [
  ...page.matchAll(/<(\/?)([a-zA-Z][\w-]*)((?:\s+[\w:-]+(?:="[^"]*")?)*)\s*(\/?)>/g),
];

describe.each(PAGES)('%s', (name, page) => {
  test('every tag is one of ours, closed in its turn, and loads nothing', () => {
    const body = page.replace(/<style>[^]*?<\/style>|<script type="module">[^]*?<\/script>/g, '');
    const open: string[] = [];
    for (const [, slash, tag, attributes, self] of tags(body)) {
      expect([
        'script',
        'img',
        'iframe',
        'object',
        'embed',
        'link',
        'base',
        'style',
        'use',
        'image',
        'foreignObject',
      ]).not.toContain(tag);
      expect(attributes!.replace(/="[^"]*"/g, '=')).not.toMatch(/\s(on\w+|style|src|srcset|xlink:href|action)=/i);
      expect(attributes).not.toMatch(/href="(?!#|https?:)/);
      if (slash === '/') expect(open.pop()).toBe(tag);
      else if (self !== '/' && !VOID.has(tag!)) open.push(tag!);
    }
    expect(open).toEqual([]);
    expect(tags(body).length).toBe([...body.matchAll(/<(?!!doctype)/g)].length);
  });

  test('the policy names our style and script, and no other', () => {
    const of = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
    const style = [...page.matchAll(/<style>([^]*?)<\/style>/g)];
    const script = [...page.matchAll(/<script type="module">([^]*?)<\/script>/g)];
    expect([style.length, script.length]).toEqual([1, 1]);
    const own = `style-src ${of(style[0]![1]!)}; script-src ${of(script[0]![1]!)}`;
    expect(page.replaceAll('&#39;', "'")).toContain(
      `content="default-src 'none'; ${own}; base-uri 'none'; form-action 'none'"`,
    );
  });

  test('ids are unique and every link inside has its target', () => {
    const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id!);
    expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
    if (name === 'hostile') return;
    const known = new Set(ids);
    for (const [, target] of page.matchAll(/ href="#([^"]*)"/g))
      if (!/^rule-(inherit|link|filter|io)/.test(target!) || name === 'conformant') expect(known).toContain(target);
  });

  test('no control characters, and the same again', () => {
    expect(page).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
    expect(page.isWellFormed()).toBe(true);
  });
});

test('the same result gives the same page', () => {
  expect(formatHtml(structuredClone(DRAWN), OPTIONS)).toBe(PAGES[1]![1]);
});

test('what comes from outside stays text', () => {
  const page = PAGES[2]![1];
  expect(page).toContain('&lt;/script&gt;&lt;script&gt;document.title=&quot;pwned&quot;');
  expect(page).toContain('\\u202e\\u0000\\u001b[31m\ufffd');
  expect(page).not.toContain('href="javascript:');
});

test('the picture: lanes, the step that differs, the filter beside its trace', () => {
  const page = PAGES[1]![1];
  expect(page).toContain('aria-label="task 1 is forked by task 0"');
  expect([...page.matchAll(/<tr class="differs">/g)]).toHaveLength(1);
  expect(page).toContain('<code>io_uring_enter(ring 0, 1 SQE)</code>');
  expect(page).toContain('Filter of step <b>2</b> on SOCKET, asked in step 4 for #0: returns 0x0, denies');
  const second = '<td class="n order">2</td><td class="n pc">1</td><td class="asm"><code>jeq #0x2, l2, l3</code></td>';
  const [row] = page.split('\n').filter((line) => line.includes(second));
  expect(row).toContain('<td>yes, to 2</td>');
  expect(page).toMatch(/<tr class="off"><td class="n order"><\/td><td class="n pc">3<\/td>/);
  expect(page).toContain('npx ringfence replay out/divergences/001.json');
});

test('escaping', () => {
  expect(html`<p title="${'"><'}">${'a & b'}${undefined}${[1, html`<b>`]}</p>`.text).toBe(
    '<p title="&quot;&gt;&lt;">a &amp; b1<b></p>',
  );
  expect(html`${false}${0}${''}`.text).toBe('0');
  expect(escapeHtml('a\r\nb\rc\td')).toBe('a\nb\nc\td');
});

test('templates are written in many lines, and say none of it', () => {
  const items = [html`<li>a</li>\n`, html`<li>b</li>\n`];
  const list = (kind: string): string =>
    html`
    <ul
      class="${kind}"
      id="x"
    >
      ${items}
      <br
        title="a  b"
      />
    </ul>
  `.text;
  expect(list('a\n b')).toBe('<ul class="a\n b" id="x"><li>a</li>\n<li>b</li>\n<br title="a  b"/></ul>');
  expect(list('>')).toBe('<ul class="&gt;" id="x"><li>a</li>\n<li>b</li>\n<br title="a  b"/></ul>');
  expect(() => html`\t`).toThrow('\\t in a template');
});
