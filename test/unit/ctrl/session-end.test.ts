import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeDetail, endOfLink, type SessionEnd } from '../../../src/ctrl/session-end.js';
import type { EndCause } from '../../../src/link/end-cause.js';

const EXIT: EndCause = { kind: 'exit', code: 16, words: '', complaint: null };
const GRE: EndCause = { kind: 'gre', step: 'receive GRE packets', problem: 'EBADF' };

const PTY_CLOSED: EndCause = { kind: 'ptyClosed', seconds: 30 };
const PTY_UNREADABLE: EndCause = { kind: 'ptyUnreadable', problem: 'EBADF' };

test('the reason of a link that ended: the relay failed, or pppd ended or could not be started', () => {
  for (const cause of [GRE, PTY_CLOSED, PTY_UNREADABLE]) {
    assert.deepEqual(endOfLink(cause, false), { reason: 'relayFailed', cause });
    assert.deepEqual(endOfLink(cause, true), { reason: 'relayFailed', cause });
  }
  assert.deepEqual(endOfLink(EXIT, false), { reason: 'pppdFailed', cause: EXIT });
  assert.deepEqual(endOfLink(EXIT, true), { reason: 'pppdExited', cause: EXIT });
});

const DETAILS: readonly (readonly [SessionEnd, string | null])[] = [
  [{ reason: 'pppdFailed', cause: { kind: 'noFirstFrame', seconds: 60 } }, 'it sent no PPP frame within 60 s'],
  [{ reason: 'pppdExited', cause: EXIT }, 'pppd ended: the link was hung up (exit code 16)'],
  [
    { reason: 'pppdFailed', cause: { kind: 'exit', code: 77, words: 'no tunnel', complaint: null } },
    'pppd ended: an unknown error (exit code 77); it said: no tunnel',
  ],
  [{ reason: 'relayFailed', cause: GRE }, 'cannot receive GRE packets: EBADF'],
  [{ reason: 'relayFailed', cause: PTY_CLOSED }, 'pppd closed its terminal, but did not exit within 30 s'],
  [{ reason: 'relayFailed', cause: PTY_UNREADABLE }, "cannot read pppd's terminal: EBADF"],
  [{ reason: 'clientSilent', silence: 'readsNothing' }, 'it reads nothing of what is sent to it'],
  [{ reason: 'clientSilent', silence: 'noEchoReply', seconds: 60 }, 'no Echo-Reply within 60 s'],
  [{ reason: 'noCall', seconds: 30, after: 'start' }, 'no call within 30 s'],
  [{ reason: 'noCall', seconds: 30, after: 'clearedCall' }, 'no new call within 30 s after clearing the last one'],
  [{ reason: 'sessionTime', seconds: 3600 }, '3600 s'],
  [{ reason: 'idle', seconds: 600 }, '600 s'],
  [{ reason: 'connectionFailed', problem: 'read ECONNRESET' }, 'read ECONNRESET'],
  [{ reason: 'protocolError', problem: 'EchoRequest before the start' }, 'EchoRequest before the start'],
  [{ reason: 'versionRefused', version: 0x0200 }, 'version 0x200'],
  [{ reason: 'clientStopped' }, null],
  [{ reason: 'clientClosed' }, null],
  [{ reason: 'clientCleared' }, null],
  [{ reason: 'kicked', words: 'by root' }, 'by root'],
  [{ reason: 'serverShutdown' }, null],
];
for (const [end, detail] of DETAILS) {
  test(`${end.reason}: ${detail ?? 'no detail'}`, () => assert.equal(describeDetail(end), detail));
}
