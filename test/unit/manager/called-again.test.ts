import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CalledAgain } from '../../../src/manager/called-again.js';
import type { SessionState } from '../../../src/session/state.js';
import { aState } from '../session/a-state.js';

/** Reports states of sessions, and collects which session is asked to probe its client because of which other. */
class Fixture {
  readonly sessions: SessionState[] = [];
  readonly probes: string[] = [];
  readonly watcher = new CalledAgain(
    () => this.sessions,
    (session, by) => void this.probes.push(`${session} by ${by}`),
  );

  /** Reports a state of this session, with call id 7 by default. */
  tells(session: string, parts: Partial<SessionState> = {}): void {
    const state = aState({ session, peerCallId: 7, phase: 'up', ...parts });
    const at = this.sessions.findIndex((each) => each.session === session);
    const before = this.sessions[at] ?? null;
    if (at < 0) this.sessions.push(state);
    else this.sessions[at] = state;
    this.watcher.changed(state, before);
  }
}

test('the session that called first is probed, once for each later one', () => {
  const fixture = new Fixture();
  fixture.tells('first1', { since: 9 });
  fixture.tells('second', { peerCallId: null, phase: 'connected' });
  assert.deepEqual(fixture.probes, []);
  for (const phase of ['starting', 'negotiating', 'up'] as const) fixture.tells('second', { phase });
  assert.deepEqual(fixture.probes, ['first1 by second']);
  fixture.tells('third1');
  assert.deepEqual(fixture.probes.slice(1), ['first1 by third1', 'second by third1']);
});

const ENDING = { reason: 'kicked', detail: null, cause: null, text: null, remedy: null };
const others: Readonly<Record<string, Partial<SessionState>>> = {
  'another address': { peer: { address: '198.51.100.9', port: 1 } },
  'another address of the server': { localAddress: '192.0.2.2' },
  'another call id': { peerCallId: 8 },
  'no call': { peerCallId: null },
  'ended before': { ending: ENDING, phase: 'ending' },
};
for (const [what, parts] of Object.entries(others)) {
  test(`no session is probed if one has ${what}, in either order`, () => {
    for (const [first, second] of [
      [parts, {}],
      [{}, parts],
    ]) {
      const fixture = new Fixture();
      fixture.tells('first1', first);
      fixture.tells('second', second);
      assert.deepEqual(fixture.probes, []);
    }
  });
}

test('of two found sessions the older one is probed, whichever reports first', () => {
  for (const order of [
    ['older1', 'newer1'],
    ['newer1', 'older1'],
  ]) {
    const fixture = new Fixture();
    for (const session of order) fixture.watcher.entered(session, true);
    for (const session of order) fixture.tells(session, { since: session === 'older1' ? 1 : 2 });
    assert.deepEqual(fixture.probes, ['older1 by newer1']);
  }
});
