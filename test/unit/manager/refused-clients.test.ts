/** What is logged about refused clients, and how often; the documentation lists all causes. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test, type TestContext } from 'node:test';
import { REFUSAL_CAUSES, RefusedClients } from '../../../src/manager/refused-clients.js';
import { LogLines } from '../ctrl/log-lines.js';

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

describe('refused clients', () => {
  const MINUTE = 60_000;

  function fixture(t: TestContext) {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const lines = new LogLines();
    return {
      clients: new RefusedClients(lines.log),
      pass: (milliseconds: number): void => t.mock.timers.tick(milliseconds),
      /** The fields of what was logged since the last call. */
      said: (): unknown[] => lines.all.splice(0).map(({ level: _level, msg: _msg, time: _time, ...fields }) => fields),
      words: (): string[] => lines.all.splice(0).map(({ msg }) => msg),
    };
  }

  test('the first client of a cause is logged at once; further ones within a minute as a count with the last address', (t) => {
    const { clients, pass, said } = fixture(t);
    clients.count('notPptp', 'first', 'HTTP');
    assert.deepEqual(said(), [{ cause: 'notPptp', peer: 'first', detail: 'HTTP' }]);
    clients.count('left', 'other');
    assert.deepEqual(said(), [{ cause: 'left', peer: 'other' }]);
    for (const peer of ['second', 'third', 'fourth']) clients.count('notPptp', peer, 'HTTP');
    pass(MINUTE - 1);
    assert.deepEqual(said(), []);
    pass(1);
    assert.deepEqual(said(), [{ cause: 'notPptp', count: 3, peer: 'fourth' }]);
    pass(10 * MINUTE);
    assert.deepEqual(said(), []);
  });

  test('the count restarts each minute', (t) => {
    const { clients, pass, said } = fixture(t);
    const [start, stop] = [t.mock.method(globalThis, 'setInterval'), t.mock.method(globalThis, 'clearInterval')];
    for (let minute = 0; minute < 3; minute += 1) {
      for (const peer of ['first', 'second']) clients.count('blocked', peer);
      assert.deepEqual(said(), [{ cause: 'blocked', peer: 'first' }]);
      pass(MINUTE);
      assert.deepEqual(said(), [{ cause: 'blocked', count: 1, peer: 'second' }]);
      assert.deepEqual([start.mock.callCount(), stop.mock.callCount()], [minute + 1, minute + 1]);
    }
  });

  test('the text is that of the cause; for a full server it says why', (t) => {
    const { clients, pass, words } = fixture(t);
    clients.count('blocked', 'a', 'detail');
    assert.deepEqual(words(), [`client ${REFUSAL_CAUSES.blocked}`]);
    clients.count('full', 'a', 'addresses.remote is 198.51.100.10');
    assert.deepEqual(words(), [`client ${REFUSAL_CAUSES.full}: addresses.remote is 198.51.100.10`]);
    clients.count('full', 'b');
    pass(MINUTE);
    assert.deepEqual(words(), [`client ${REFUSAL_CAUSES.full}: 1 more in the last minute`]);
    clients.count('full', 'b');
    assert.deepEqual(words(), [`client ${REFUSAL_CAUSES.full}`]);
  });

  test('the total counts every client since the start, for each cause', (t) => {
    const { clients, pass } = fixture(t);
    assert.equal(clients.total('full'), 0);
    for (let count = 1; count <= 3; count += 1) {
      clients.count('full', 'a');
      assert.equal(clients.total('full'), count);
      pass(MINUTE);
    }
    assert.equal(clients.total('left'), 0);
  });

  test('closing logs what has not been logged', (t) => {
    const { clients, pass, said } = fixture(t);
    for (const peer of ['first', 'second']) clients.count('left', peer);
    said();
    clients.close();
    assert.deepEqual(said(), [{ cause: 'left', count: 1, peer: 'second' }]);
    clients.close();
    pass(MINUTE);
    assert.deepEqual(said(), []);
  });
});
