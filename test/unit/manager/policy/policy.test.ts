/** The manager's policy on logins, driven by the states that sessions report. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { pino } from 'pino';
import { checkConfiguration } from '../../../../src/config/load.js';
import type { ConfigurationInput } from '../../../../src/config/schema.js';
import { Policy } from '../../../../src/manager/policy/policy.js';
import type { SessionState } from '../../../../src/session/state.js';
import { aState } from '../../session/a-state.js';

const ADDRESS = '198.51.100.7';

type Result = 'none' | 'pending' | 'succeeded' | 'failed';

const state = (session: string, user: string | null, result: Result, responses = 1): SessionState =>
  aState({ session, peer: { address: ADDRESS, port: 1024 }, ppp: { user, authentication: { result, responses } } });

class Fixture {
  readonly blocksFile: string;
  readonly ended: string[] = [];
  readonly words: string[] = [];
  readonly states = new Map<string, SessionState>();
  readonly policy: Policy;

  constructor(t: TestContext, policy: ConfigurationInput['policy'], blocks?: string) {
    const directory = mkdtempSync(join(tmpdir(), 'pptpd-ts-'));
    t.after(() => rmSync(directory, { recursive: true, force: true }));
    this.blocksFile = join(directory, 'blocks.json');
    if (blocks !== undefined) writeFileSync(this.blocksFile, blocks);
    const checked = checkConfiguration({ policy });
    assert(checked.ok);
    this.policy = new Policy(checked.configuration.policy, {
      blocksFile: this.blocksFile,
      disconnect: (session, reason, text) => void this.ended.push(`${session} ${reason}: ${text}`),
      sessions: () => [...this.states.values()],
      log: pino({ level: 'warn' }, { write: (line: string) => void this.words.push(line) }),
    });
    this.policy.recover();
  }

  tell(next: SessionState): void {
    const before = this.states.get(next.session) ?? null;
    this.states.set(next.session, next);
    this.policy.changed(next, before);
  }
}

test('a user counts from the login on, not from the name alone', (t) => {
  const fixture = new Fixture(t, { sessionsPerUser: 1 });
  fixture.tell(state('a', 'alice', 'pending'));
  fixture.tell(state('b', 'alice', 'succeeded'));
  assert.deepEqual(fixture.ended, []);
  fixture.tell(state('a', 'alice', 'succeeded'));
  assert.deepEqual(fixture.ended, ['a userLimit: "alice" already has a session']);
});

test('the limit of the account counts instead of that of the policy', (t) => {
  const fixture = new Fixture(t, { sessionsPerUser: 1 });
  const limited = (session: string, user: string, sessions: number | null): SessionState => ({
    ...state(session, user, 'succeeded'),
    limits: { account: user, sessions, sessionTime: null, idleTime: null, filter: null },
  });
  for (const session of ['a', 'b', 'c']) fixture.tell(limited(session, 'alice', 2));
  assert.deepEqual(fixture.ended, ['c userLimit: "alice" already has 2 sessions']);
  assert.match(fixture.words.join(''), /sessions of the account: /);
  for (const session of ['d', 'e', 'f']) fixture.tell(limited(session, 'bob', 0));
  for (const session of ['g', 'h']) fixture.tell(limited(session, 'carol', null));
  assert.deepEqual(fixture.ended.slice(1), ['h userLimit: "carol" already has a session']);
});

test('the detail of a replaced session names the new session', (t) => {
  const fixture = new Fixture(t, { sessionsPerUser: 1, whenExceeded: 'replace' });
  for (const session of ['a', 'b']) fixture.tell(state(session, 'alice', 'succeeded'));
  assert.deepEqual(fixture.ended, ['a replaced: "alice" has logged in again, as session b']);
});

test('a session that is ending does not count against the limit', (t) => {
  const fixture = new Fixture(t, { sessionsPerUser: 1 });
  fixture.tell(state('a', 'alice', 'succeeded'));
  const ending = { reason: 'clientStopped', detail: null, cause: null, text: null, remedy: null };
  fixture.tell({ ...state('a', 'alice', 'succeeded'), phase: 'ending', ending });
  fixture.tell(state('b', 'alice', 'succeeded'));
  assert.deepEqual(fixture.ended, []);
});

test('sessions of an earlier manager count and stay; their failures are not counted again', (t) => {
  const fixture = new Fixture(t, { sessionsPerUser: 1, failedLogins: 1 });
  for (const session of ['a', 'b', 'c']) fixture.policy.entered(session, true);
  for (const session of ['a', 'b']) fixture.tell(state(session, 'alice', 'succeeded'));
  fixture.tell(state('c', 'bob', 'failed'));
  assert.deepEqual([fixture.ended, fixture.policy.blocks()], [[], []]);
  fixture.tell(state('d', 'alice', 'succeeded'));
  assert.deepEqual(fixture.ended, ['d userLimit: "alice" already has a session']);
});

test('each failure is counted once, also several of one session, and they block the address', (t) => {
  const fixture = new Fixture(t, { failedLogins: 3, blockFor: 50 });
  fixture.tell(state('a', 'alice', 'failed', 1));
  fixture.tell(state('a', 'alice', 'failed', 1)); // something else is new
  fixture.tell(state('a', 'alice', 'failed', 2));
  assert.equal(fixture.policy.isBlocked(ADDRESS), false);
  fixture.tell(state('b', 'bob', 'succeeded'));
  fixture.tell(state('c', 'carol', 'failed'));
  assert.equal(fixture.policy.isBlocked(ADDRESS), true);
  const why = `blocked: ${ADDRESS} is blocked for 50 s; failed logins from it: 3`;
  assert.deepEqual(fixture.ended, [`a ${why}`, `c ${why}`], 'a session that is logged in continues');
  fixture.tell(state('d', 'dave', 'failed'));
  const late = `d blocked: ${ADDRESS} is blocked`;
  assert.deepEqual(fixture.ended.slice(2), [late], 'a session that connected before the block and reported later');
});

test('blocks survive the manager, and do not last longer if the clock is set back', (t) => {
  const first = new Fixture(t, { failedLogins: 1, blockFor: 50 });
  first.tell(state('a', 'alice', 'failed'));
  const file = readFileSync(first.blocksFile, 'utf8');
  assert(new Fixture(t, { failedLogins: 1, blockFor: 50 }, file).policy.isBlocked(ADDRESS));
  const far = JSON.stringify([{ address: ADDRESS, failedLogins: 1, until: Date.now() + 1e9 }]);
  const [block] = new Fixture(t, { failedLogins: 1, blockFor: 50 }, far).policy.blocks();
  assert(block !== undefined && block.remaining <= 50);
  assert.deepEqual(first.policy.unblock(ADDRESS), [ADDRESS]);
  assert.equal(readFileSync(first.blocksFile, 'utf8'), '[]');
});

for (const [what, file] of Object.entries({
  'invalid JSON': '{"half',
  'another form': '{"blocks":[]}',
  'an invalid address': '[{"address":"x","failedLogins":1,"until":99999999999999}]',
})) {
  test(`a blocks file with ${what} is ignored with a warning`, (t) => {
    const fixture = new Fixture(t, {}, file);
    assert.deepEqual(fixture.policy.blocks(), []);
    assert.match(fixture.words.join(''), /cannot read .*no longer blocked/);
  });
}

test('blocks that cannot be written still apply', (t) => {
  const fixture = new Fixture(t, { failedLogins: 1 });
  rmSync(join(fixture.blocksFile, '..'), { recursive: true });
  t.after(() => assert(!existsSync(fixture.blocksFile)));
  fixture.tell(state('a', 'alice', 'failed'));
  assert(fixture.policy.isBlocked(ADDRESS));
  assert.match(fixture.words.join(''), /cannot write the blocked addresses/);
});
