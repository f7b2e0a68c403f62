import { expect, test } from 'vitest';
import { bpfRules } from './bpf-rules.ts';

test('every rule has an id of its own, one statement in the present tense and a citation', () => {
  for (const [id, rule] of Object.entries(bpfRules)) {
    expect(rule.id).toBe(id);
    expect(id).toMatch(/^bpf(\.[a-z0-9-]+){2}$/);
    expect(rule.statement).toMatch(/^[^\n]+\.$/);
    expect(rule.source.length).toBeGreaterThan(10);
    if (rule.kind === 'observed') expect(rule.source).toContain('7.0.13');
  }
});
