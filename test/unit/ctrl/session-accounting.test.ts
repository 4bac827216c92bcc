/** What a worker keeps of its session's account where a file cannot be written, and what it writes all the same. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { pino } from 'pino';
import { type AccountRecord, parseRecord } from '../../../src/accounting/record.js';
import { SessionAccounting } from '../../../src/ctrl/session-accounting.js';
import { Timers } from '../../../src/ctrl/timers.js';
import { PppReader, type PppState } from '../../../src/ppp/reader.js';
import { accountPath, runPaths } from '../../../src/session/paths.js';
import { aState } from '../session/a-state.js';

const ENDING = { reason: 'clientStopped', detail: null, cause: null, text: null };

class Fixture {
  readonly runDirectory: string;
  readonly file: string;
  readonly words: string[] = [];
  readonly account: SessionAccounting;
  ending: typeof ENDING | null = null;
  remote: string | null = '203.0.113.10';
  /** The call's PPP; null: no call. */
  ppp: PppState | null = null;

  /** `file` is the accounting file, in the run directory for the lack of another. */
  constructor(t: TestContext, file?: string) {
    this.runDirectory = mkdtempSync(join(tmpdir(), 'pptpd-ts-'));
    t.after(() => rmSync(this.runDirectory, { recursive: true }));
    this.file = file ?? join(this.runDirectory, 'accounting.jsonl');
    const timers = new Timers();
    t.after(() => timers.stopAll());
    this.account = new SessionAccounting({
      accounting: { file: this.file, interim: 0 },
      runDirectory: this.runDirectory,
      state: () => aState({ ending: this.ending, tunnel: { local: '203.0.113.1', remote: this.remote } }),
      ppp: () => this.ppp,
      timers,
      log: pino({ level: 'warn' }, { write: (line: string) => void this.words.push(line) }),
    });
    this.account.open();
  }

  async end(): Promise<void> {
    this.ending = ENDING;
    await this.account.close();
  }

  /** What the run directory has. */
  kept(): AccountRecord {
    const { record }: { readonly record: AccountRecord } = JSON.parse(
      readFileSync(accountPath(this.runDirectory, 'abc123'), 'utf8'),
    );
    return record;
  }

  written(): (AccountRecord | null)[] {
    return readFileSync(this.file, 'utf8').trimEnd().split('\n').map(parseRecord);
  }
}

test('an end that could not be written stays kept as an end, whatever is new afterwards', async (t) => {
  const fixture = new Fixture(t, '/dev/full');
  await fixture.end();
  fixture.account.update();
  const { record, reason } = fixture.kept();
  assert.deepEqual([record, reason], ['ended', 'clientStopped']);
});

/** Of a link that is up since then, or never was. */
const pppUp = (up: number | null): PppState => {
  const { state } = new PppReader();
  return { ...state, times: { ...state.times, up } };
};

test('a session is accounted under the address that it used last, and under its lease’s while it has used none', async (t) => {
  const fixture = new Fixture(t);
  const accounted = (): string | null => {
    fixture.account.update();
    return fixture.kept().tunnel.remote;
  };
  assert.equal(accounted(), '203.0.113.10');
  [fixture.ppp, fixture.remote] = [pppUp(1), '203.0.113.77'];
  assert.equal(accounted(), '203.0.113.77');
  [fixture.ppp, fixture.remote] = [null, '203.0.113.10'];
  assert.equal(accounted(), '203.0.113.77', 'the call was cleared');
  fixture.ppp = pppUp(null);
  assert.equal(accounted(), '203.0.113.77', 'another one has begun');
  await fixture.end();
  assert.equal(fixture.written()[0]?.tunnel.remote, '203.0.113.77');
});

test('the folder of accounts is removed underneath: it is made anew', async (t) => {
  const fixture = new Fixture(t);
  rmSync(runPaths(fixture.runDirectory).accounts, { recursive: true });
  fixture.account.update();
  assert.equal(fixture.kept().record, 'interim');
  await fixture.end();
  assert.deepEqual([fixture.written().map((each) => each?.reason), fixture.words], [['clientStopped'], []]);
});

test('nothing can be kept: said once, and the end is written all the same', async (t) => {
  const fixture = new Fixture(t);
  const { accounts } = runPaths(fixture.runDirectory);
  rmSync(accounts, { recursive: true });
  writeFileSync(accounts, 'no folder');
  fixture.account.update();
  fixture.account.update();
  assert.equal(fixture.words.length, 1);
  await fixture.end();
  assert.deepEqual(
    fixture.written().map((each) => each?.reason),
    ['clientStopped'],
  );
});
