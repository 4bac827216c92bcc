import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { PeerLog } from '../../../src/ctrl/peer-log.js';
import { Timers } from '../../../src/ctrl/timers.js';
import { LogLines } from './log-lines.js';

/** The limit: lines per interval, seconds. */
const [LINES, INTERVAL] = [100, 30];

function fixture(t: TestContext, level = 'info') {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const lines = new LogLines(level);
  let now = 5000;
  const started = t.mock.method(Timers.prototype, 'start');
  const log = new PeerLog(lines.log, new Timers(), () => now);
  let written = 0;
  return {
    lines,
    log,
    write: (count: number): void => {
      for (let line = 0; line < count; line += 1) {
        written += 1;
        const number = written;
        log.write('info', { number }, () => `line ${number}`);
      }
    },
    pass: (seconds: number): void => {
      now += seconds * 1000;
      t.mock.timers.tick(seconds * 1000);
    },
    timersStarted: (): number => started.mock.callCount(),
    /** The numbers of the lines in the log, and the counts of omitted ones. */
    seen: (): unknown[] => lines.all.map(({ number, count }) => number ?? { leftOut: count }),
  };
}

const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

test('a line keeps its level, fields and text', (t) => {
  const { lines, log } = fixture(t);
  log.write('warn', { what: 'echo' }, () => 'a word');
  assert.deepEqual(
    lines.all.map(({ level, what, msg }) => [level, what, msg]),
    [['warn', 'echo', 'a word']],
  );
});

test('one hundred lines are written; the number of further ones is logged when the interval ends', (t) => {
  const { write, pass, seen, lines } = fixture(t);
  write(LINES + 3);
  assert.deepEqual(seen(), numbers(1, LINES));
  pass(INTERVAL - 0.001);
  assert.equal(lines.all.length, LINES);
  pass(0.001);
  assert.deepEqual(seen().at(-1), { leftOut: 3 });
  assert.equal(lines.at('warn').at(-1), "3 log lines about the client's messages were omitted (limit: 100 in 30 s)");
  write(LINES);
  assert.deepEqual(seen().slice(LINES + 1), numbers(LINES + 4, 2 * LINES + 3));
});

test('an interval begins with its first line', (t) => {
  const { write, pass, seen } = fixture(t);
  pass(INTERVAL - 1);
  write(1);
  pass(INTERVAL - 1);
  write(LINES);
  assert.equal(seen().length, LINES, 'not over yet');
  pass(1);
  assert.deepEqual(seen().at(-1), { leftOut: 1 });
});

test('if no line was omitted, no number is logged, and no timer wakes an idle worker', (t) => {
  const { write, pass, seen, log, timersStarted } = fixture(t);
  write(LINES);
  pass(INTERVAL);
  write(LINES);
  log.close();
  assert.deepEqual(seen(), numbers(1, 2 * LINES));
  assert.equal(timersStarted(), 0);
});

test('close logs the number of omitted lines, once', (t) => {
  const { write, pass, seen, log } = fixture(t);
  write(LINES + 2);
  log.close();
  pass(INTERVAL);
  log.close();
  assert.deepEqual(seen().slice(LINES), [{ leftOut: 2 }]);
});

test('a line below the log’s level is not counted, and its text is not made', (t) => {
  const { log, write, seen } = fixture(t);
  for (let line = 0; line < 2 * LINES; line += 1) log.write('debug', {}, () => assert.fail('its text was asked for'));
  write(LINES);
  assert.deepEqual(seen(), numbers(1, LINES));
});
