/** A session's account when files cannot be written: what is kept, and what is still written. */
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

const ENDING = { reason: 'clientStopped', detail: null, cause: null, text: null, remedy: null };

class Fixture {
  readonly runDirectory: string;
  readonly file: string;
  readonly words: string[] = [];
  readonly account: SessionAccounting;
  ending: typeof ENDING | null = null;
  remote: string | null = '203.0.113.10';
  /** Of the call; null: no call. */
  ppp: PppState | null = null;

  /** `file`: the accounting file, by default in the run directory. */
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

  /** The account in the run directory. */
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

test('an ended record that could not be written stays kept, whatever changes afterwards', async (t) => {
  const fixture = new Fixture(t, '/dev/full');
  await fixture.end();
  fixture.account.update();
  const { record, reason } = fixture.kept();
  assert.deepEqual([record, reason], ['ended', 'clientStopped']);
});

/** `up`: since when the link is up; null: never. */
const pppUp = (up: number | null): PppState => {
  const { state } = new PppReader();
  return { ...state, times: { ...state.times, up } };
};

test('a session is accounted with the address that it used last, or with that of its lease', async (t) => {
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

test('if the folder of accounts was removed, it is made again', async (t) => {
  const fixture = new Fixture(t);
  rmSync(runPaths(fixture.runDirectory).accounts, { recursive: true });
  fixture.account.update();
  assert.equal(fixture.kept().record, 'interim');
  await fixture.end();
  assert.deepEqual([fixture.written().map((each) => each?.reason), fixture.words], [['clientStopped'], []]);
});

test('if nothing can be kept, that is logged once, and the ended record is still written', async (t) => {
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
