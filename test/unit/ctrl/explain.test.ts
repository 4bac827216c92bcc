/** A case for each row of the table of failures; docs/failures.md has the same rows and the same sentences. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import {
  describeBlackHole,
  describeMppeKeys,
  type Evidence,
  explain,
  FAILURE_CAUSES,
  type FailureCause,
} from '../../../src/ctrl/explain.js';
import type { MppeOffer } from '../../../src/ppp/options.js';
import type { PppFailure } from '../../../src/ppp/reader.js';

const NEVER = { firstFrame: null, linkOpened: null, authenticated: null, up: null, terminated: null };
const UP = { ...NEVER, up: 1000 };

const base: Evidence = {
  reason: 'pppdExited',
  detail: null,
  peer: '192.0.2.11',
  local: '192.0.2.1',
  seconds: 30.2,
  ppp: { failure: null, frames: { fromClient: 12, toClient: 14 }, times: NEVER, user: null },
  pppdEnd: null,
  pppdIsSynchronous: false,
  tunnelPackets: 0,
  configuration: {
    pppd: { path: '/usr/sbin/pppd', options: '/etc/ppp/options.pptpd' },
    timeouts: { establish: 60, echoInterval: 60, echoReply: 60 },
  },
};

const pppdEnd = (code: number, ...words: string[]): Evidence['pppdEnd'] => ({ code, signal: 0, words });

const STATELESS_128: MppeOffer = { keys: [128], stateless: true, mppc: false };

const withFailure = (failure: PppFailure): Partial<Evidence> => ({
  ppp: { failure, frames: { fromClient: 12, toClient: 14 }, times: NEVER, user: null },
});

const lost = (direction: 'toClient' | 'fromClient' | null, clientRequests: number): Partial<Evidence> =>
  withFailure({ reason: 'lcpTimeout', lost: direction, clientRequests, serverRequests: 10 });

const cases: Readonly<Record<FailureCause, Partial<Evidence>>> = {
  userLimit: { reason: 'userLimit', detail: '"alice" is on already' },
  pppdSilent: { reason: 'pppdFailed', detail: 'it sent no PPP frame within 60 s', ppp: null },
  pppdSynchronous: { reason: 'pppdFailed', detail: 'it sends PPP frames without HDLC', pppdIsSynchronous: true },
  pppdNotExecutable: {
    reason: 'pppdFailed',
    detail: "cannot start /usr/sbin/pppd: ENOENT: no such file or directory, access '/usr/sbin/pppd'",
    ppp: null,
  },
  kernelWithoutPpp: {
    reason: 'pppdFailed',
    detail:
      'pppd ended: the kernel does not support PPP (exit code 4); it said: pppd: Please load the ppp_generic kernel module.',
    pppdEnd: pppdEnd(4),
  },
  pppdOptions: {
    reason: 'pppdFailed',
    detail:
      "pppd ended: an error in its options or options file (exit code 2); it said: pppd: In file /etc/ppp/options.pptpd: unrecognized option 'no-such-option'",
    pppdEnd: pppdEnd(2),
  },
  pppdScript: {
    reason: 'pppdFailed',
    detail: 'pppd ended: the connect script failed (exit code 8)',
    pppdEnd: pppdEnd(8),
  },
  addressNotAllowed: withFailure({
    reason: 'addressNotAllowed',
    user: 'carol',
    protocol: 'MS-CHAPv2',
    address: '198.51.100.11',
  }),
  noSecrets: {
    reason: 'pppdFailed',
    detail: 'pppd ended: an immediately fatal error (exit code 1); it said: …',
    pppdEnd: pppdEnd(
      1,
      'The remote system is required to authenticate itself',
      "but I couldn't find any suitable secret (password) for it to use to do so.",
    ),
  },
  pppdFailed: {
    reason: 'pppdFailed',
    detail: 'pppd ended: an immediately fatal error (exit code 1)',
    pppdEnd: pppdEnd(1),
  },
  loginRefused: withFailure({
    reason: 'authenticationFailed',
    user: 'nobody',
    protocol: 'MS-CHAPv2',
    code: null,
    cause: 'login refused',
    message: null,
  }),
  authenticationFailed: withFailure({
    reason: 'authenticationFailed',
    user: 'alice',
    protocol: 'MS-CHAPv2',
    code: 691,
    cause: 'authentication failure: wrong user name or password',
    message: 'Access denied',
  }),
  loginUnanswered: withFailure({ reason: 'loginUnanswered', protocol: 'MS-CHAPv2', challenges: 10 }),
  authProtocolRefused: withFailure({
    reason: 'authProtocolRefused',
    by: 'client',
    protocol: 'MS-CHAPv2',
    proposed: 'PAP',
  }),
  encryptionRefusedByClient: withFailure({ reason: 'encryptionRefused', by: 'client', asked: STATELESS_128 }),
  encryptionRefusedByServer: withFailure({ reason: 'encryptionRefused', by: 'server', asked: STATELESS_128 }),
  encryptionModesDiffer: withFailure({
    reason: 'encryptionModesDiffer',
    client: { ...STATELESS_128, stateless: false },
    server: STATELESS_128,
  }),
  encryptionUnavailable: withFailure({
    reason: 'encryptionUnavailable',
    by: 'server',
    protocol: 'CHAP-MD5',
    bothWays: false,
  }),
  addressRefused: withFailure({
    reason: 'addressRefused',
    by: 'server',
    whose: 'client',
    address: '203.0.113.9',
    proposed: '198.51.100.11',
    text: '',
  }),
  serverLoginRefused: withFailure({ reason: 'serverLoginRefused', protocol: 'MS-CHAPv2' }),
  negotiationTimeout: withFailure({ reason: 'negotiationTimeout', protocol: 'IPCP', requests: 10 }),
  noNetworkProtocol: withFailure({ reason: 'noNetworkProtocol', by: 'client' }),
  greNotReceived: lost('fromClient', 0),
  greNotDelivered: lost('toClient', 8),
  lcpTimeout: lost(null, 3),
  controlConnectionLost: { reason: 'clientSilent', detail: 'no Echo-Reply within 60 s', tunnelPackets: 217 },
  clientVanished: { reason: 'clientSilent', detail: 'no Echo-Reply within 60 s' },
  connectionFailed: { reason: 'connectionFailed', detail: 'read ETIMEDOUT' },
  protocolError: { reason: 'protocolError', detail: 'the magic cookie is wrong' },
  relayFailed: { reason: 'relayFailed', detail: 'cannot send GRE: EINVAL' },
  noCall: { reason: 'noCall', seconds: 60, ppp: null },
  pppdPersists: { reason: 'linkEnded', detail: 'no other came up within 30 s' },
  terminated: withFailure({ reason: 'terminated', by: 'client', text: 'User request', windowsError: null }),
  pppdDied: { detail: 'pppd was ended by signal 9', pppdEnd: { code: 0, signal: 9, words: [] } },
  clientLeft: {
    reason: 'clientClosed',
    seconds: 4,
    ppp: { failure: null, frames: { fromClient: 0, toClient: 1 }, times: NEVER, user: null },
  },
};

const tell = (change: Partial<Evidence>) => explain({ ...base, ...change });

describe('each row of the table', () => {
  for (const cause of FAILURE_CAUSES) {
    test(cause, () => assert.equal(tell(cases[cause])?.cause, cause));
  }
});

describe('ends that are no failure', () => {
  const up = { ppp: { failure: null, frames: { fromClient: 9, toClient: 9 }, times: UP, user: 'alice' } };
  const usual: Readonly<Record<string, Partial<Evidence>>> = {
    'a client that was up hangs up': { ...up, reason: 'clientStopped' },
    'a client that was up clears its call': { ...up, reason: 'clientCleared' },
    'pppd ends a link that was idle': { ...up, detail: 'pppd ended: the link was idle', pppdEnd: pppdEnd(12) },
    'pppd ends a link that has had its octets': {
      ...up,
      detail: 'pppd ended: the traffic limit',
      pppdEnd: pppdEnd(20),
    },
    'the administrator ends it': { reason: 'kicked' },
    'the server shuts down': { reason: 'serverShutdown' },
    'a client without a call goes': { ppp: null, reason: 'clientClosed' },
  };
  for (const [what, change] of Object.entries(usual)) test(what, () => assert.equal(tell(change), null));

  test('but a pppd that dies under a session that was up is one', () => {
    assert.equal(tell({ ...up, ...cases.pppdDied })?.cause, 'pppdDied');
  });

  test('and so is a client that was up and answers no echo request', () => {
    assert.equal(tell({ ...up, reason: 'clientSilent' })?.cause, 'clientVanished');
    const unread = { ...up, reason: 'clientSilent', detail: 'it takes nothing of what is sent to it' } as const;
    assert.match(tell(unread)?.text ?? '', /it takes nothing/);
    const detail = 'pppd ended: the peer no longer answered its echo requests (exit code 15)';
    assert.match(tell({ ...up, detail, pppdEnd: pppdEnd(15) })?.text ?? '', /no LCP echo request/);
  });
});

test('addresses, files and times are the real ones', () => {
  const change = { peer: '198.51.100.7', local: '203.0.113.1', seconds: 7 };
  assert.match(tell({ ...cases.greNotReceived, ...change })?.text ?? '', /from 198\.51\.100\.7 to 203\.0\.113\.1/);
  assert.match(tell({ ...cases.greNotDelivered, ...change })?.text ?? '', /from 203\.0\.113\.1 to 198\.51\.100\.7/);
  assert.match(tell({ ...cases.clientLeft, ...change })?.text ?? '', / 7 s after it came.*198\.51\.100\.7/);
  assert.match(tell({ ...cases.clientVanished, ...change })?.text ?? '', /198\.51\.100\.7.* 120 s/);
});

test('a file that is read in any case is named once', () => {
  const configuration = { ...base.configuration, pppd: { path: '/usr/sbin/pppd' } };
  assert.match(
    tell({ ...cases.pppdSilent, configuration })?.text ?? '',
    /take the option "silent" out of \/etc\/ppp\/options, and see/,
  );
});

describe('docs/failures.md', () => {
  const text = readFileSync('docs/failures.md', 'utf8');
  const rows = new Map([...text.matchAll(/^### `(\w+)`\n\n> (.*)$/gm)].map(([, cause, sentence]) => [cause, sentence]));

  test('names a test for every cause, and that test has it', () => {
    const tests = new Map([...text.matchAll(/^\| `(\w+)` \| (.*) \|$/gm)].map(([, cause, path]) => [cause, path]));
    assert.deepEqual(new Set(tests.keys()), new Set(rows.keys()));
    for (const [cause = '', path = ''] of tests)
      assert.match(readFileSync(path, 'utf8'), new RegExp(`\\b${cause}\\b`), path);
  });

  test('has every cause, and no other', () => {
    assert.deepEqual(new Set(rows.keys()), new Set([...FAILURE_CAUSES, 'full', 'mtuBlackHole', 'mppeKeysDiffer']));
  });

  for (const cause of FAILURE_CAUSES) {
    test(`tells ${cause} as the log does`, () => assert.equal(rows.get(cause), tell(cases[cause])?.text));
  }

  test('tells of the black hole as the log does', () =>
    assert.equal(rows.get('mtuBlackHole'), describeBlackHole('192.0.2.1', '192.0.2.11', 92, 1404)));

  test('tells of keys that differ as the log does', () =>
    assert.equal(rows.get('mppeKeysDiffer'), describeMppeKeys('192.0.2.11', 'server')));
});
