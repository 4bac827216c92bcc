/** The content of a session's account in each state of the session, and when it is written. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type AccountRecord, parseRecord } from '../../../src/accounting/record.js';
import { SessionAccounting } from '../../../src/ctrl/session-accounting.js';
import { Timers } from '../../../src/ctrl/timers.js';
import type { PppState } from '../../../src/ppp/reader.js';
import { accountPath } from '../../../src/session/paths.js';
import type { SessionState } from '../../../src/session/state.js';
import { CCP, CHAP, IPCP, ipcp, Link, mppe } from '../ppp/frames.js';
import { aState } from '../session/a-state.js';
import { LogLines } from './log-lines.js';

const INTERIM = 300;
/** When the session begins, on the monotonic clock, seconds. */
const BEGAN = 1000;
const SINCE = Date.UTC(2026, 10, 23, 10, 0, 0);
const ENDING = { reason: 'pppdExited', detail: 'exit code 16', cause: 'pppdDied', text: 'a sentence', remedy: null };

class Fixture {
  readonly runDirectory = mkdtempSync(join(tmpdir(), 'pptpd-ts-'));
  readonly lines = new LogLines();
  readonly account: SessionAccounting;
  file = join(this.runDirectory, 'accounting.jsonl');
  state: Partial<SessionState> = {};
  ppp: PppState | null = null;
  readonly #t: TestContext;
  #now = BEGAN;

  constructor(t: TestContext, { interim = INTERIM, file }: { interim?: number; file?: string } = {}) {
    t.after(() => rmSync(this.runDirectory, { recursive: true }));
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: SINCE });
    t.mock.method(process, 'hrtime', () => [Math.floor(this.#now), Math.round((this.#now % 1) * 1e9)]);
    this.#t = t;
    this.file = file ?? this.file;
    const timers = new Timers();
    t.after(() => timers.stopAll());
    this.account = new SessionAccounting({
      accounting: { file: this.file, interim },
      runDirectory: this.runDirectory,
      state: () => aState({ since: SINCE, ...this.state }),
      ppp: () => this.ppp,
      timers,
      log: this.lines.log,
    });
    this.account.open();
  }

  pass(seconds: number): void {
    this.#now += seconds;
    this.#t.mock.timers.tick(seconds * 1000);
  }

  /** The account in the run directory after `update`. */
  now(): AccountRecord {
    this.account.update();
    const { record }: { readonly record: AccountRecord } = JSON.parse(
      readFileSync(accountPath(this.runDirectory, 'abc123'), 'utf8'),
    );
    return record;
  }

  written(): AccountRecord[] {
    if (!existsSync(this.file)) return [];
    return readFileSync(this.file, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => parseRecord(line) ?? assert.fail(line));
  }

  /** Passes intervals until `holds`: the next one begins only when the last record was written. */
  async passUntil(holds: () => boolean): Promise<void> {
    while (!holds()) {
      this.pass(INTERIM);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async end(): Promise<AccountRecord> {
    this.state = { ...this.state, ending: ENDING };
    await this.account.close();
    return this.written().at(-1) ?? assert.fail('nothing is written');
  }
}

const counters = (rxPackets: number, rxBytes: number, txPackets: number, txBytes: number) => ({
  rxPackets,
  rxBytes,
  txPackets,
  txBytes,
});
const amountsOf = ({ rxPackets, rxBytes, txPackets, txBytes }: AccountRecord): number[] => [
  rxPackets,
  rxBytes,
  txPackets,
  txBytes,
];

test('an account is kept from the beginning, with what is known so far', (t) => {
  const fixture = new Fixture(t);
  fixture.pass(1.5);
  const { host, ...record } = fixture.now();
  assert.notEqual(host, '');
  assert.deepEqual(record, {
    record: 'interim',
    session: 'abc123',
    user: null,
    authenticated: false,
    client: '198.51.100.7',
    server: '192.0.2.1',
    tunnel: { local: '203.0.113.1', remote: '203.0.113.10' },
    start: '2026-11-23T10:00:00.000Z',
    end: '2026-11-23T10:00:01.500Z',
    seconds: 1.5,
    ...counters(0, 0, 0, 0),
    encryption: null,
    reason: null,
    detail: null,
    cause: null,
  });
  assert.deepEqual(fixture.written(), []);
});

test('only the ended record has reason, detail and cause; once it is written the account is removed', async (t) => {
  const fixture = new Fixture(t);
  fixture.state = { ending: ENDING };
  const before = fixture.now();
  assert.deepEqual([before.record, before.reason, before.detail, before.cause], ['interim', null, null, null]);
  fixture.pass(3600);
  const { record, reason, detail, cause, seconds } = await fixture.end();
  assert.deepEqual([record, reason, detail, cause, seconds], ['ended', 'pppdExited', 'exit code 16', 'pppdDied', 3600]);
  assert.equal(existsSync(accountPath(fixture.runDirectory, 'abc123')), false);
});

test('without a reason the ended record has none', async (t) => {
  const fixture = new Fixture(t);
  await fixture.account.close();
  const [{ record, reason, detail, cause } = assert.fail()] = fixture.written();
  assert.deepEqual([record, reason, detail, cause], ['ended', null, null, null]);
});

test('amounts are the sums of all calls', async (t) => {
  const fixture = new Fixture(t);
  fixture.state = { counters: counters(1, 20, 3, 400) };
  assert.deepEqual(amountsOf(fixture.now()), [1, 20, 3, 400]);
  fixture.account.callEnded(counters(2, 30, 4, 500));
  fixture.state = { counters: null };
  assert.deepEqual(amountsOf(fixture.now()), [2, 30, 4, 500]);
  fixture.account.callEnded(counters(1, 1, 1, 1));
  fixture.account.callEnded(null);
  fixture.state = { counters: counters(10, 100, 20, 200) };
  assert.deepEqual(amountsOf(fixture.now()), [13, 131, 25, 701]);
  assert.deepEqual(amountsOf(await fixture.end()), [13, 131, 25, 701]);
});

test('the user stays when the call is over, and is authenticated once pppd has accepted the login', (t) => {
  const fixture = new Fixture(t);
  const link = new Link();
  link.open();
  link.challenge();
  link.respond('alice');
  [fixture.state, fixture.ppp] = [{ user: 'alice' }, link.state];
  assert.deepEqual([fixture.now().user, fixture.now().authenticated], ['alice', false]);
  link.server(CHAP, 3, 7, 'S=00 M=Welcome');
  fixture.ppp = link.state;
  assert.equal(fixture.now().authenticated, true);
  [fixture.state, fixture.ppp] = [{ user: null }, null];
  assert.deepEqual([fixture.now().user, fixture.now().authenticated], ['alice', true]);
});

test('another name is another login, and is not authenticated yet', (t) => {
  const fixture = new Fixture(t);
  const link = new Link();
  link.login();
  [fixture.state, fixture.ppp] = [{ user: 'alice' }, link.state];
  assert.equal(fixture.now().authenticated, true);
  const other = new Link();
  other.open();
  [fixture.state, fixture.ppp] = [{ user: 'mallory' }, other.state];
  assert.deepEqual([fixture.now().user, fixture.now().authenticated], ['mallory', false]);
});

test('the addresses of a call that was up stay when the call is over', (t) => {
  const fixture = new Fixture(t);
  const none = { local: null, remote: null };
  fixture.state = { tunnel: none };
  const link = new Link();
  link.login();
  link.agree(IPCP, ipcp.address('203.0.113.77'), ipcp.address('203.0.113.1'));
  const tunnel = { local: '203.0.113.1', remote: '203.0.113.77' };
  [fixture.state, fixture.ppp] = [{ tunnel }, link.state];
  assert.deepEqual(fixture.now().tunnel, tunnel);
  fixture.ppp = null;
  assert.deepEqual(fixture.now().tunnel, tunnel);
});

const none = new Uint8Array();
const encryptions: readonly (readonly [what: string, client: Uint8Array, server: Uint8Array, text: string])[] = [
  ['both ways', mppe('01000040'), mppe('01000040'), 'MPPE 128 stateless'],
  ['with history', mppe('00000020'), mppe('00000020'), 'MPPE 40'],
  ['to the client alone', mppe('01000040'), none, 'MPPE 128 stateless toClient only'],
  ['from the client alone', none, mppe('00000080'), 'MPPE 56 fromClient only'],
];
for (const [what, client, server, text] of encryptions) {
  test(`encryption ${what} is ${text}, and stays when the call is over`, (t) => {
    const fixture = new Fixture(t);
    const link = new Link();
    link.login();
    fixture.ppp = link.state;
    assert.equal(fixture.now().encryption, null, 'not known yet');
    link.agree(CCP, client, server);
    fixture.ppp = link.state;
    assert.equal(fixture.now().encryption, text);
    fixture.ppp = null;
    assert.equal(fixture.now().encryption, text);
  });
}

test('a link that is up without encryption has encryption none', (t) => {
  const fixture = new Fixture(t);
  const link = new Link();
  link.login();
  link.agree(IPCP, ipcp.address('203.0.113.77'), ipcp.address('203.0.113.1'));
  fixture.ppp = link.state;
  assert.equal(fixture.now().encryption, 'none');
});

test('an interim record is written every accounting.interim seconds', async (t) => {
  const fixture = new Fixture(t);
  fixture.pass(INTERIM - 1);
  assert.deepEqual(fixture.written(), []);
  fixture.pass(1);
  for (const round of [1, 2, 3]) {
    await fixture.passUntil(() => fixture.written().length === round);
    fixture.state = { counters: counters(round, 0, 0, 0) };
  }
  const [first, ...later] = fixture.written();
  assert.deepEqual([first?.record, first?.seconds, first?.rxPackets, first?.reason], ['interim', INTERIM, 0, null]);
  for (const [index, { record, seconds, rxPackets }] of later.entries()) {
    assert.deepEqual([record, seconds % INTERIM, rxPackets], ['interim', 0, index + 1]);
  }
  await fixture.end();
  fixture.pass(10 * INTERIM);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(fixture.written().length, 4, 'none behind the end');
});

test('without accounting.interim no interim record is written', async (t) => {
  const fixture = new Fixture(t, { interim: 0 });
  fixture.pass(100_000);
  await fixture.end();
  assert.deepEqual(
    fixture.written().map(({ record }) => record),
    ['ended'],
  );
});

test('if an interim record cannot be written, that is logged, and the account stays kept', async (t) => {
  const fixture = new Fixture(t, { file: '/dev/full' });
  fixture.pass(INTERIM);
  while (fixture.lines.at('warn').length === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.match(fixture.lines.at('warn')[0] ?? '', /^accounting: .*ENOSPC/);
  assert.equal(fixture.now().record, 'interim');
});
