/** docs/bench.json against the tables and the chart that are made of it: whichever is edited alone fails here. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { chart } from '../../bench/chart.js';
import { filledIn, merged, type PublishedRow, readPublication, TABLES, thisMachine } from '../../bench/publication.js';
import type { LoadResult } from '../../bench/load.js';
import { rowsOf } from '../../bench/report.js';
import { WORKS } from '../../bench/works.js';

const measured = { date: '2026-11-23', runs: 1, seconds: 1 };

const SLICE = {
  ns: 1e9,
  good: true,
  stolen: 0,
  foreign: 0,
  packets: 0,
  wrong: 0,
  lost: 0,
  sent: 0,
  cpu: 1,
  delay: 0,
  runs: 0,
  idleCpu: 0,
  idleRuns: 0,
  generator: 0,
  resident: 0,
};

/** The rows of a work of which our server served `value` clients a second. */
function handshakes(value: number): PublishedRow[] {
  const work = WORKS.find(({ id }) => id === 'handshakes');
  assert.ok(work !== undefined);
  const result: LoadResult = { served: value, seconds: 1, start: [], call: [], frame: [] };
  return rowsOf(work, new Map([['ours', [result]]])).map((row) => ({ ...row, measured }));
}

test('the published documents say what docs/bench.json says', () => {
  const publication = readPublication('docs');
  assert.ok(publication !== null && publication.rows.length > 0);
  for (const [path, tableOf] of Object.entries(TABLES)) {
    const document = readFileSync(path, 'utf8');
    assert.equal(document, filledIn(document, tableOf(publication.rows)), path);
  }
  assert.equal(readFileSync('docs/bench.svg', 'utf8'), chart(publication.rows));
});

test('the README has a row for each of its headlines', () => {
  const rows = readPublication('docs')?.rows ?? [];
  const [, , ...lines] = TABLES['README.md'](rows).split('\n');
  assert.equal(lines.length, 3);
  for (const line of lines) assert.match(line, /^\| .+: .+ \| [\d,.]+ \| [\d,.]+ \| [\d,.]+ × \|$/);
});

test('rows of docs/bench.json follow the order of the works, and have their targets', () => {
  const rows = readPublication('docs')?.rows ?? [];
  const published = rows.map(({ work, figure, target }) => ({ work, figure, target }));
  const declared = WORKS.flatMap((work) =>
    work.figures.map(({ title, target = null }) => ({ work: work.id, figure: title, target })),
  );
  const known = new Set(rows.map(({ work }) => work));
  assert.deepEqual(
    published,
    declared.filter(({ work }) => known.has(work)),
  );
});

test('a row keeps its own measurement until its work is measured again', () => {
  const machine = thisMachine();
  const first = merged(null, machine, handshakes(10));
  const echo = handshakes(1).map((row) => ({ ...row, work: 'echo64' }));
  const second = merged(first, machine, echo);
  assert.deepEqual(
    second.rows.map(({ work }) => work),
    ['echo64', 'handshakes'],
  );
  const third = merged(second, machine, handshakes(30));
  assert.deepEqual(
    third.rows.map(({ values }) => values.ours?.median),
    [1, 30],
  );
});

test('figures of another machine, and of works that are no more, are not kept', () => {
  const machine = thisMachine();
  const before = merged(null, { ...machine, kernel: '1.0' }, handshakes(10));
  assert.deepEqual(merged(before, machine, []).rows, []);
  const [row] = handshakes(10);
  assert.ok(row !== undefined);
  assert.deepEqual(merged(null, machine, [{ ...row, work: 'gone' }]).rows, []);
});

test('a table goes between its markers, and a document without them is refused', () => {
  const empty = filledIn(readFileSync('README.md', 'utf8'), '');
  assert.equal(filledIn(filledIn(empty, '| a |'), ''), empty);
  assert.throws(() => filledIn('no markers', '| a |'), /no place/);
});

test('a target is reached by itself, or at nine tenths of the floor', () => {
  const work = WORKS.find(({ id }) => id === 'echo64');
  assert.ok(work !== undefined);
  const run = (packets: number): LoadResult => ({ idleMemory: 0, slices: [{ ...SLICE, packets }] });
  const reached = (ours: number, floor: number): string | null | undefined =>
    rowsOf(
      work,
      new Map([
        ['ours', [run(ours)]],
        ['pptpd', [run(100)]],
        ['floor', [run(floor)]],
      ]),
    )[0]?.reached;
  assert.equal(reached(200, 400), 'reached');
  assert.equal(reached(180, 200), 'at the floor');
  assert.equal(reached(179, 200), 'MISSED');
});
