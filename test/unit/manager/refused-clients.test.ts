/** The documentation lists all causes for which clients are turned away. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { REFUSAL_CAUSES } from '../../../src/manager/refused-clients.js';

test('docs/failures.md has every cause, with the text of the log', () => {
  const page = readFileSync('docs/failures.md', 'utf8');
  const listed = Array.from(page.matchAll(/^- `(\w+)`: client (.*)$/gm), ([, cause, sentence]) => [cause, sentence]);
  assert.deepEqual(listed, Object.entries(REFUSAL_CAUSES));
});

test('docs/metrics.md has every cause as a label', () => {
  const row = /^\| `pptpd_turned_away_total` .*$/m.exec(readFileSync('docs/metrics.md', 'utf8'))?.[0] ?? '';
  const labels = Array.from(row.replace(/.*: /, '').matchAll(/`(\w+)`/g), ([, cause]) => cause);
  assert.deepEqual(labels, Object.keys(REFUSAL_CAUSES));
});
