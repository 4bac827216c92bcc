/** Sessions whose accounts have ended, as the monitor tells it. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { pino } from 'pino';
import { AccountReview, REVIEW_MS } from '../../../src/manager/account-review.js';
import type { AccountOver } from '../../../src/monitor/protocol.js';
import type { SessionState } from '../../../src/session/state.js';
import { aState } from '../session/a-state.js';

const limits = { account: 'alice', sessions: null, sessionTime: null, idleTime: null, filter: null };

function fixture(t: TestContext, review: () => Promise<readonly AccountOver[]>) {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const seen = {
    sessions: new Array<SessionState>(),
    ended: new Array<string>(),
    words: new Array<string>(),
    asked: 0,
  };
  const accountReview = new AccountReview({
    registrar: {
      review: async () => {
        seen.asked += 1;
        return review();
      },
    },
    sessions: () => seen.sessions,
    disconnect: (session, reason, detail) => void seen.ended.push(`${session} ${reason}: ${detail}`),
    log: pino({ level: 'warn' }, { write: (line: string) => void seen.words.push(line) }),
  });
  t.after(() => accountReview.close());
  const pass = async (): Promise<void> => {
    t.mock.timers.tick(REVIEW_MS);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { seen, pass };
}

test('each session that the monitor names is ended, with the reason', async (t) => {
  const over: AccountOver[] = [
    { session: 'aaaaaa', why: 'disabled' },
    { session: 'bbbbbb', why: 'expired' },
    { session: 'cccccc', why: 'removed' },
    { session: 'eeeeee', why: 'quota' },
    { session: 'dddddd', why: 'removed' },
    { session: 'gone11', why: 'removed' },
  ];
  const { seen, pass } = fixture(t, async () => over);
  const ending = { reason: 'kicked', detail: null, cause: null, text: null, remedy: null };
  seen.sessions = ['aaaaaa', 'bbbbbb', 'cccccc', 'eeeeee'].map((session) => aState({ session, limits }));
  seen.sessions.push(aState({ session: 'dddddd', limits, ending }));
  await pass();
  assert.deepEqual(seen.ended, [
    'aaaaaa accountEnded: "alice" is disabled',
    'bbbbbb accountEnded: "alice" has expired',
    'cccccc accountEnded: "alice" was removed',
    'eeeeee accountEnded: "alice" has used up its quota',
  ]);
});

test('without sessions the monitor is not asked; with any it is, whatever they say of their accounts', async (t) => {
  const { seen, pass } = fixture(t, async () => []);
  await pass();
  assert.equal(seen.asked, 0);
  seen.sessions = [aState({ user: 'bob' })];
  await pass();
  assert.equal(seen.asked, 1);
});

test('a monitor that hangs is asked once, and one that fails is reported once', async (t) => {
  let fail: (error: Error) => void = () => undefined;
  let answer = new Promise<readonly AccountOver[]>((_, reject) => (fail = reject));
  const { seen, pass } = fixture(t, async () => answer);
  seen.sessions = [aState({ limits })];
  await pass();
  await pass();
  assert.equal(seen.asked, 1);
  fail(new Error('no monitor'));
  answer = Promise.reject(new Error('no monitor'));
  answer.catch(() => undefined);
  for (let count = 0; count < 3; count += 1) await pass();
  assert(seen.asked > 2);
  assert.equal(seen.words.length, 1);
});
