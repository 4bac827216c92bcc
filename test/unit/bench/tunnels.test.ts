import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { tunnelsTable } from '../../bench/markdown.js';
import { filledIn, LAB_COMMAND, type LabPublication } from '../../bench/publication.js';
import { table } from '../../bench/report.js';
import { usedBetween } from '../../bench/guest-processor.js';
import { readMeasured, tunnelRows, withProcessorTime } from '../../bench/tunnels.js';

const rowsFrom = (text: string) => tunnelRows(readMeasured(text));
const line = (figure: string, server: string, value: number): string =>
  `${JSON.stringify({ figure, server, value })}\n`;

test('lines of the scenario become rows, by the median of each server', () => {
  const turns = [1, 5, 2].map((value) => line('ping-loss', 'ours', value) + line('ping-loss', 'pptpd', 8 * value));
  const row = rowsFrom(turns.join('')).find(({ work }) => work === 'ping-loss');
  assert.deepEqual([row?.values.ours?.median, row?.values.pptpd?.median, row?.reached], [2, 16, 'reached']);
});

test('a server that is slower misses the target', () => {
  const rows = rowsFrom(line('tcp-up-mppe', 'ours', 9) + line('tcp-up-mppe', 'pptpd', 10));
  const row = rows.find(({ work, figure }) => work === 'mppe' && figure === 'up');
  assert.deepEqual([row?.ratio, row?.reached], [0.9, 'MISSED']);
});

test('its table has no columns in which nothing stands', () => {
  const [headings] = table(rowsFrom(line('ping', 'ours', 1) + line('ping', 'pptpd', 2))).split('\n');
  assert.equal(headings?.includes('ours/pptpd'), true);
  assert.equal(headings?.includes('floor'), false);
});

test('each engine and data path has rows of its own, by a client that is not the bottleneck', () => {
  const measured = { kernel: 30, builtin: 12, ours: 5, pptpd: 2 };
  const rows = rowsFrom(
    Object.entries(measured)
      .map(([server, value]) => line('tcp-up-fast', server, value))
      .join(''),
  );
  const seen = rows.filter(({ values }) => values.builtin !== undefined);
  assert.deepEqual(
    seen.map(({ work, figure, reached }) => [work, figure, reached]),
    [
      ['fast', 'up', 'reached'],
      ['fast', 'up, beside pptpd', 'reached'],
      ['fast', 'up, in the kernel', 'reached'],
    ],
  );
  const slower = rowsFrom(line('tcp-up-fast', 'kernel', 22) + line('tcp-up-fast', 'ours', 5));
  assert.equal(slower.find(({ figure }) => figure === 'up, in the kernel')?.reached, 'MISSED');
  assert.match(table(seen), /builtin\/ours +builtin\/pptpd +kernel\/ours/);
  // The rows of pppd on a pty, with a real client, say nothing about it.
  assert.equal(rows.find(({ work, figure }) => work === 'mppe' && figure === 'up')?.values.builtin, undefined);
});

test('processor time between two moments is interpolated', () => {
  const samples = [
    { at: 10, used: 1 },
    { at: 12, used: 2 },
    { at: 14, used: 4 },
  ];
  assert.equal(usedBetween(samples, 10, 14), 3);
  assert.equal(usedBetween(samples, 11, 13), 1.5);
  assert.equal(usedBetween(samples, 9, 13), null);
  assert.equal(usedBetween(samples, 11, 15), null);
});

test('a rate that says when it was measured has a row of processor time per gigabit', () => {
  const measured = ['builtin', 'ours'].map((server) =>
    JSON.stringify({ figure: 'tcp-up-fast', server, value: 100, from: 10, to: 20 }),
  );
  const samples = [
    { at: 10, used: 1 },
    { at: 12, used: 100 },
    { at: 18, used: 103 },
    { at: 20, used: 200 },
  ];
  const rows = tunnelRows(withProcessorTime(readMeasured(measured.join('\n')), samples));
  const row = rows.find(({ work, figure }) => work === 'time-fast' && figure === 'up, 1 Gbit');
  assert.deepEqual([row?.values.builtin?.median, row?.values.ours?.median], [5, 5]);
});

test('docs/performance.md has the table of docs/bench-lab.json, with both servers in each row', () => {
  const { rows }: LabPublication = JSON.parse(readFileSync('docs/bench-lab.json', 'utf8'));
  const document = readFileSync('docs/performance.md', 'utf8');
  assert.equal(document, filledIn(document, tunnelsTable(rows), LAB_COMMAND));
  assert.deepEqual(
    rows.map(({ work, figure, target }) => [work, figure, target]),
    tunnelRows([])
      .filter(({ work }) => rows.some((row) => row.work === work))
      .map(({ work, figure, target }) => [work, figure, target]),
  );
  for (const { work, figure, ratio } of rows) assert.notEqual(ratio, null, `${work} ${figure}`);
});
