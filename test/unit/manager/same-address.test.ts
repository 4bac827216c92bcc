/** When two sessions have the same address, that is said, once. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SameAddress } from '../../../src/manager/same-address.js';
import type { SessionState } from '../../../src/session/state.js';
import { LogLines } from '../ctrl/log-lines.js';
import { aState } from '../session/a-state.js';

const REMOTE = '203.0.113.10';

/** Sessions that tell of themselves, and what is logged. */
class Fixture {
  readonly lines = new LogLines();
  readonly #sessions = new Map<string, SessionState>();
  readonly #watcher = new SameAddress(() => [...this.#sessions.values()], this.lines.log);

  tells(session: string, parts: Partial<SessionState> = {}): void {
    const before = this.#sessions.get(session) ?? null;
    const state = aState({ session, phase: 'up', tunnel: { local: null, remote: REMOTE }, ...parts });
    this.#sessions.set(session, state);
    this.#watcher.changed(state, before);
  }

  /** Who was named by whom. */
  get said(): unknown[] {
    return this.lines.all.map(({ session, otherSession, address }) => [session, otherSession, address]);
  }
}

test('both sessions and their users are named, with what to do', () => {
  const fixture = new Fixture();
  fixture.tells('first1', { user: 'alice' });
  assert.deepEqual(fixture.said, []);
  fixture.tells('second');
  assert.deepEqual(fixture.said, [['second', 'first1', REMOTE]]);
  const [words] = fixture.lines.at('warn');
  assert.match(words ?? '', /^sessions first1 \("alice"\) and second have the same address, 203\.0\.113\.10/);
  assert.match(words ?? '', /pptpd-ts kick/);
});

test('it is not said again for what else is new, but for a new address and a new call', () => {
  const fixture = new Fixture();
  fixture.tells('first1');
  fixture.tells('second', { tunnel: { local: null, remote: '203.0.113.11' } });
  fixture.tells('second');
  fixture.tells('second', { user: 'bob' });
  assert.equal(fixture.said.length, 1);
  fixture.tells('second', { phase: 'connected' });
  fixture.tells('second');
  assert.equal(fixture.said.length, 2);
});

describe('nothing is said', () => {
  const others: Readonly<Record<string, Partial<SessionState>>> = {
    'has another address': { tunnel: { local: null, remote: '203.0.113.11' } },
    'is not up yet': { phase: 'negotiating' },
    'is ending': { phase: 'ending' },
  };
  for (const [what, parts] of Object.entries(others)) {
    test(`where one ${what}, whichever comes first`, () => {
      for (const [first, second] of [
        [parts, {}],
        [{}, parts],
      ]) {
        const fixture = new Fixture();
        fixture.tells('first1', first);
        fixture.tells('second', second);
        assert.deepEqual(fixture.said, []);
      }
    });
  }

  test('where neither has an address', () => {
    const fixture = new Fixture();
    for (const session of ['first1', 'second']) fixture.tells(session, { tunnel: { local: null, remote: null } });
    assert.deepEqual(fixture.said, []);
  });
});
