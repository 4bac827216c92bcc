/** Account records are kept until a server has acknowledged them, and each is sent until then. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { pino } from 'pino';
import { interimOf, NO_AMOUNTS, recordOf } from '../../../src/monitor/radius-account.js';
import { RadiusSpool } from '../../../src/monitor/radius-spool.js';
import { StateFolder } from '../../../src/monitor/state-folder.js';
import type { AccountRecord } from '../../../src/radius/protocol.js';

const record = (id: string): AccountRecord => ({
  status: 'start',
  id,
  name: '',
  classes: [],
  port: 0,
  client: '198.51.100.7',
  address: null,
  at: 0,
  seconds: 0,
  ...NO_AMOUNTS,
  cause: null,
});

/** Servers that acknowledge or not, as the test says. */
class Fixture {
  readonly folder: StateFolder;
  readonly sent: string[] = [];
  readonly timers: (() => void)[] = [];
  acknowledges = true;

  constructor(t: TestContext) {
    const path = mkdtempSync(join(tmpdir(), 'pptpd-ts-spool-'));
    t.after(() => rmSync(path, { recursive: true }));
    this.folder = new StateFolder(path);
  }

  spool(mostKept?: number): RadiusSpool {
    return new RadiusSpool({
      folder: this.folder,
      send: async ({ id }) => {
        this.sent.push(id);
        return this.acknowledges;
      },
      log: pino({ level: 'silent' }),
      startTimer: (callback) => this.timers.push(callback),
      ...(mostKept === undefined ? {} : { mostKept }),
    });
  }
}

const settle = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('records go in their order, and are gone when they are acknowledged', async (t) => {
  const fixture = new Fixture(t);
  const spool = fixture.spool();
  for (const id of ['a', 'b', 'c']) spool.add(record(id));
  await settle();
  assert.deepEqual(fixture.sent, ['a', 'b', 'c']);
  assert.deepEqual([spool.size, fixture.folder.names()], [0, []]);
});

test('while nobody acknowledges only the first is tried, and then all of them once', async (t) => {
  const fixture = new Fixture(t);
  fixture.acknowledges = false;
  const spool = fixture.spool();
  for (const id of ['a', 'b']) spool.add(record(id));
  spool.flush();
  await settle();
  assert.deepEqual(fixture.sent, ['a']);
  fixture.timers.shift()?.();
  await settle();
  assert.deepEqual(fixture.sent, ['a', 'a']);
  fixture.acknowledges = true;
  fixture.timers.shift()?.();
  await settle();
  assert.deepEqual(fixture.sent, ['a', 'a', 'a', 'b']);
  assert.equal(fixture.timers.length, 0);
});

test('what an earlier monitor kept is sent first, and nothing twice', async (t) => {
  const fixture = new Fixture(t);
  fixture.acknowledges = false;
  for (const id of ['a', 'b']) fixture.spool().add(record(id));
  await settle();
  fixture.sent.length = 0;
  fixture.acknowledges = true;
  const spool = fixture.spool();
  spool.add(record('c'));
  await settle();
  assert.deepEqual(fixture.sent, ['a', 'b', 'c']);
  assert.deepEqual(fixture.folder.names(), []);
});

test('of too many records the oldest are given up', async (t) => {
  const fixture = new Fixture(t);
  fixture.acknowledges = false;
  const spool = fixture.spool(3);
  for (const id of ['a', 'b', 'c', 'd', 'e']) spool.add(record(id));
  await settle();
  assert.deepEqual([spool.size, fixture.folder.names().length], [3, 3]);
  fixture.acknowledges = true;
  fixture.timers.shift()?.();
  await settle();
  assert.deepEqual(fixture.sent, ['a', 'a', 'd', 'e']);
});

test('a record that is no JSON any more is passed over', async (t) => {
  const fixture = new Fixture(t);
  fixture.acknowledges = false;
  for (const id of ['a', 'b']) fixture.spool().add(record(id));
  await settle();
  fixture.sent.length = 0;
  fixture.acknowledges = true;
  const [first = ''] = fixture.folder.names().toSorted();
  fixture.folder.remove(first);
  fixture.folder.write(first, null);
  fixture.spool().flush();
  await settle();
  assert.deepEqual(fixture.sent, ['b']);
});

test('the server says how often interim records come, within limits', () => {
  assert.equal(interimOf(300, null), 300);
  assert.equal(interimOf(300, 0), 300);
  assert.equal(interimOf(300, 120), 120);
  assert.equal(interimOf(300, 1), 60);
  assert.equal(interimOf(10, null), 60);
  assert.equal(interimOf(0, null), 0);
  assert.equal(interimOf(0, 120), 120);
  assert.equal(interimOf(0, 4_294_967_295), 86_400);
});

test('the seconds of a record are never negative, although the clock was set back', () => {
  const account = { ...record('a'), since: 100, interim: 0, amounts: NO_AMOUNTS };
  assert.equal(recordOf(account, 'stop', 160, 1).seconds, 60);
  assert.equal(recordOf(account, 'stop', 40, 1).seconds, 0);
});

test('who waits for the last records waits until they are acknowledged, or nobody does that', async (t) => {
  const fixture = new Fixture(t);
  const spool = fixture.spool();
  await spool.drained();
  for (const id of ['a', 'b']) spool.add(record(id));
  await spool.drained();
  assert.deepEqual(fixture.sent, ['a', 'b']);
  fixture.acknowledges = false;
  spool.add(record('c'));
  await spool.drained();
  assert.equal(spool.size, 1);
  await spool.drained();
});
