/** A case for each row of the table of failures. docs/failures.md has the same rows and the same sentences. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import {
  describeBlackHole,
  describeMppeKeys,
  describeSharedCallId,
  type Evidence,
  explain,
  FAILURE_CAUSES,
  type FailureCause,
} from '../../../src/ctrl/explain.js';
import type { PppdComplaint } from '../../../src/link/end-cause.js';
import type { RelayCounters } from '../../../src/gre/relay-counters.js';
import type { MppeOffer } from '../../../src/ppp/options.js';
import type { PppFailure } from '../../../src/ppp/reader.js';

const NEVER = { firstFrame: null, linkOpened: null, authenticated: null, up: null, terminated: null };
const UP = { ...NEVER, up: 1000 };

const base: Evidence = {
  end: { reason: 'pppdExited', cause: { kind: 'exit', code: 10, words: '', complaint: null } },
  peer: '192.0.2.11',
  local: '192.0.2.1',
  seconds: 30.2,
  ppp: { failure: null, frames: { fromClient: 12, toClient: 14 }, times: NEVER, user: null },
  counters: null,
  tunnelPackets: 0,
  configuration: {
    pppd: { path: '/usr/sbin/pppd', options: '/etc/ppp/options.pptpd' },
    timeouts: { establish: 60, echoInterval: 60, echoReply: 60 },
  },
};

const withFailure = (failure: PppFailure): Partial<Evidence> => ({
  ppp: { failure, frames: { fromClient: 12, toClient: 14 }, times: NEVER, user: null },
});

const lost = (direction: 'toClient' | 'fromClient' | null, clientRequests: number): Partial<Evidence> =>
  withFailure({ reason: 'lcpTimeout', lost: direction, clientRequests, serverRequests: 10 });

/** Only these packets arrived from the client. */
const arrivedOnly = (counters: Partial<RelayCounters>): Partial<Evidence> => ({
  ppp: {
    failure: { reason: 'lcpTimeout', lost: 'fromClient', clientRequests: 0, serverRequests: 10 },
    frames: { fromClient: 0, toClient: 10 },
    times: NEVER,
    user: null,
  },
  counters,
});

const failedWith = (code: number, words = '', complaint: PppdComplaint | null = null): Evidence['end'] => ({
  reason: 'pppdFailed',
  cause: { kind: 'exit', code, words, complaint },
});
const STATELESS_128: MppeOffer = { keys: [128], stateless: true, mppc: false };
const KILLED: Evidence['end'] = { reason: 'pppdExited', cause: { kind: 'signal', signal: 9, words: '' } };

const cases: Readonly<Record<FailureCause, Partial<Evidence>>> = {
  userLimit: { end: { reason: 'userLimit', words: '"alice" already has a session' } },
  calledAgain: { end: { reason: 'calledAgain', silence: 'noEchoReply', seconds: 3 } },
  pppdSilent: { end: { reason: 'pppdFailed', cause: { kind: 'noFirstFrame', seconds: 60 } }, ppp: null },
  pppdSynchronous: { end: { reason: 'pppdFailed', cause: { kind: 'synchronous' } } },
  pppdNotExecutable: {
    end: {
      reason: 'pppdFailed',
      cause: {
        kind: 'notStarted',
        program: '/usr/sbin/pppd',
        problem: "ENOENT: no such file or directory, access '/usr/sbin/pppd'",
      },
    },
    ppp: null,
  },
  kernelWithoutPpp: {
    end: failedWith(4, 'pppd: Please load the ppp_generic kernel module.'),
  },
  pppdOptions: {
    end: failedWith(2, "pppd: In file /etc/ppp/options.pptpd: unrecognized option 'no-such-option'"),
  },
  pppdScript: { end: failedWith(8) },
  addressNotAllowed: withFailure({
    reason: 'addressNotAllowed',
    user: 'carol',
    protocol: 'MS-CHAPv2',
    address: '198.51.100.11',
  }),
  noSecrets: { end: failedWith(1, '', 'noSecret') },
  pppdFailed: { end: failedWith(1) },
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
  serverLoginRefused: withFailure({ reason: 'serverLoginRefused', protocol: 'MS-CHAPv2' }),
  negotiationTimeout: withFailure({ reason: 'negotiationTimeout', protocol: 'IPCP', requests: 10 }),
  addressRefused: withFailure({
    reason: 'addressRefused',
    by: 'server',
    whose: 'client',
    address: '203.0.113.9',
    proposed: '198.51.100.11',
    text: '',
  }),
  noNetworkProtocol: withFailure({ reason: 'noNetworkProtocol', by: 'client' }),
  greUnusable: arrivedOnly({ rxNoSequence: 12, acksReceived: 2 }),
  greNotReceived: lost('fromClient', 0),
  greNotDelivered: lost('toClient', 8),
  lcpTimeout: lost(null, 3),
  controlConnectionLost: {
    end: { reason: 'clientSilent', silence: 'noEchoReply', seconds: 60 },
    tunnelPackets: 217,
  },
  clientVanished: { end: { reason: 'clientSilent', silence: 'noEchoReply', seconds: 60 } },
  connectionFailed: { end: { reason: 'connectionFailed', problem: 'read ETIMEDOUT' } },
  protocolError: { end: { reason: 'protocolError', problem: 'the magic cookie is wrong' } },
  ptyFailed: { end: { reason: 'relayFailed', cause: { kind: 'ptyClosed', seconds: 30 } } },
  relayFailed: { end: { reason: 'relayFailed', cause: { kind: 'gre', step: 'send GRE packets', problem: 'EINVAL' } } },
  noCall: { end: { reason: 'noCall', seconds: 60, after: 'start' }, seconds: 60, ppp: null },
  pppdPersists: { end: { reason: 'linkEnded', cause: { kind: 'linkEnded', seconds: 30 } } },
  terminated: withFailure({ reason: 'terminated', by: 'client', text: 'User request', windowsError: null }),
  pppdDied: { end: KILLED },
  clientLeft: {
    end: { reason: 'clientClosed' },
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

describe('ends that are not failures', () => {
  const up = { ppp: { failure: null, frames: { fromClient: 9, toClient: 9 }, times: UP, user: 'alice' } };
  const usual: Readonly<Record<string, Partial<Evidence>>> = {
    'a client that was up hangs up': { ...up, end: { reason: 'clientStopped' } },
    'a client that was up clears its call': { ...up, end: { reason: 'clientCleared' } },
    'pppd ends a link that was idle': {
      ...up,
      end: { reason: 'pppdExited', cause: { kind: 'exit', code: 12, words: '', complaint: null } },
    },
    'pppd ends a link that reached its traffic limit': {
      ...up,
      end: { reason: 'pppdExited', cause: { kind: 'exit', code: 20, words: '', complaint: null } },
    },
    'the administrator ends it': { end: { reason: 'kicked' } },
    'the server shuts down': { end: { reason: 'serverShutdown' } },
    'a client cleared its call and starts no other': {
      ...up,
      end: { reason: 'noCall', seconds: 60, after: 'clearedCall' },
    },
    'a client without a call leaves': { ppp: null, end: { reason: 'clientClosed' } },
  };
  for (const [what, change] of Object.entries(usual)) test(what, () => assert.equal(tell(change), null));

  test('except that pppd dies while the session is up', () => {
    assert.equal(tell({ ...up, end: KILLED })?.cause, 'pppdDied');
  });

  test('except that a client that was up stops answering echo requests', () => {
    assert.equal(
      tell({ ...up, end: { reason: 'clientSilent', silence: 'noEchoReply', seconds: 60 } })?.cause,
      'clientVanished',
    );
    const unread = { ...up, end: { reason: 'clientSilent', silence: 'readsNothing' } } as const;
    assert.match(tell(unread)?.text ?? '', /it reads nothing/);
    const end: Evidence['end'] = {
      reason: 'pppdExited',
      cause: { kind: 'exit', code: 15, words: '', complaint: null },
    };
    assert.match(tell({ ...up, end })?.text ?? '', /no LCP echo request/);
  });
});

test('sentences have the session’s addresses, files and times', () => {
  const change = { peer: '198.51.100.7', local: '203.0.113.1', seconds: 7 };
  assert.match(tell({ ...cases.greNotReceived, ...change })?.text ?? '', /from 198\.51\.100\.7 to 203\.0\.113\.1/);
  assert.match(tell({ ...cases.greNotDelivered, ...change })?.text ?? '', /from 203\.0\.113\.1 to 198\.51\.100\.7/);
  assert.match(tell({ ...cases.clientLeft, ...change })?.text ?? '', / 7 s after it connected.*198\.51\.100\.7/);
  assert.match(tell({ ...cases.clientVanished, ...change })?.text ?? '', /198\.51\.100\.7.* 120 s/);
});

describe('GRE packets that arrived but were not usable', () => {
  const tellOf = (counters: Partial<RelayCounters>): string => tell(arrivedOnly(counters))?.text ?? '';

  test('are listed by counter, the most frequent first', () => {
    assert.match(
      tellOf({ rxNoSequence: 1, acksReceived: 3, rxHeld: 9 }),
      /but none was usable: 3 with an acknowledgment \(acksReceived\), 1 without a sequence number \(rxNoSequence\); the client receives our packets/,
    );
  });

  const remedies: readonly (readonly [counter: keyof RelayCounters, remedy: RegExp])[] = [
    ['rxWrongVersion', /another tunnel .* let IP protocol 47 pass from 192\.0\.2\.11 to 192\.0\.2\.1 /],
    ['rxWrongProtocol', /another tunnel .* let IP protocol 47 pass/],
    ['rxWrongCallId', /another client behind that address .*nf_nat_pptp/],
    ['rxWrongFlags', /faulty, or a router changes its packets.* host 192\.0\.2\.11\)/],
    ['acksReceived', /; remedy: see its own log$/],
  ];
  for (const [counter, remedy] of remedies) test(counter, () => assert.match(tellOf({ [counter]: 4 }), remedy));

  test('also explain a client that leaves before pppd gives up', () => {
    const left = {
      end: { reason: 'clientClosed' },
      seconds: 4,
      ppp: { failure: null, frames: { fromClient: 0, toClient: 1 }, times: NEVER, user: null },
    } as const;
    const unusable = tell({ ...left, counters: { rxWrongFlags: 2 } });
    assert.equal(unusable?.cause, 'greUnusable');
    assert.match(unusable?.text ?? '', /^the client closed the TCP connection 4 s after it connected, .*; GRE packets/);
    assert.equal(tell({ ...left, counters: { rxHeld: 1 } })?.cause, 'clientLeft');
  });

  test('but do not explain a failure after a PPP frame has arrived', () => {
    const ppp = withFailure({ reason: 'lcpTimeout', lost: null, clientRequests: 1, serverRequests: 10 });
    assert.equal(tell({ ...ppp, counters: { rxPackets: 12, rxNoSequence: 3 } })?.cause, 'lcpTimeout');
  });
});

test('/etc/ppp/options is named once if it is also pppd.options', () => {
  const configuration = { ...base.configuration, pppd: { path: '/usr/sbin/pppd' } };
  assert.match(
    tell({ ...cases.pppdSilent, configuration })?.text ?? '',
    /remove the option "silent" from \/etc\/ppp\/options, and see/,
  );
});

test('after the session was up, pppd’s usual exit codes are not failures', () => {
  const up = { failure: null, frames: { fromClient: 9, toClient: 9 }, times: UP, user: 'alice' };
  for (let code = 0; code < 20; code += 1) {
    const end: Evidence['end'] = { reason: 'pppdExited', cause: { kind: 'exit', code, words: '', complaint: null } };
    const usual = [0, 5, 12, 13, 16].includes(code);
    // Some codes have their own sentences; 15 means that the client has vanished.
    const own: Readonly<Record<number, FailureCause>> = {
      2: 'pppdOptions',
      4: 'kernelWithoutPpp',
      8: 'pppdScript',
      9: 'pppdScript',
      15: 'clientVanished',
      18: 'pppdScript',
    };
    assert.equal(tell({ ppp: up, end })?.cause, usual ? undefined : (own[code] ?? 'pppdDied'), `exit code ${code}`);
    // Before the session is up, every code is a failure.
    assert.notEqual(tell({ end }), null);
  }
});

test('a login that pppd refuses with neither an error number nor a message is loginRefused', () => {
  const failure = {
    reason: 'authenticationFailed',
    user: 'alice',
    protocol: 'MS-CHAPv2',
    cause: 'login refused',
  } as const;
  const causeOf = (parts: { code: number | null; message: string | null; protocol?: string | null }) =>
    tell(withFailure({ ...failure, ...parts }))?.cause;
  assert.equal(causeOf({ code: null, message: null }), 'loginRefused');
  assert.equal(causeOf({ code: 691, message: null }), 'authenticationFailed');
  assert.equal(causeOf({ code: null, message: 'Access denied' }), 'authenticationFailed');
  assert.equal(causeOf({ code: null, message: null, protocol: 'PAP' }), 'authenticationFailed');
  assert.equal(causeOf({ code: null, message: null, protocol: null }), 'authenticationFailed');
});

test('a refused address is not refused encryption, whichever side refused it', () => {
  for (const by of ['client', 'server'] as const)
    assert.equal(
      tell(withFailure({ reason: 'addressRefused', by, whose: null, address: null, proposed: null, text: '' }))?.cause,
      'addressRefused',
    );
});

test('the sentence about a client that left has the number of its PPP frames', () => {
  const frames = { fromClient: 7, toClient: 9 };
  const ppp = { failure: null, frames, times: NEVER, user: null };
  assert.match(
    tell({ end: { reason: 'clientClosed' }, ppp })?.text ?? '',
    /: 7 PPP frames had arrived from 192\.0\.2\.11; remedy: /,
  );
});

test('the remedy for a black hole is an MTU of 1280, or of 576 if 1280 octets do not pass', () => {
  for (const [missing, mtu] of [
    [1281, 1280],
    [1280, 576],
    [600, 576],
  ] as const)
    assert.match(describeBlackHole('192.0.2.1', '192.0.2.11', 92, missing), new RegExp(`"mtu ${mtu}"`));
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
    assert.deepEqual(
      new Set(rows.keys()),
      new Set([...FAILURE_CAUSES, 'full', 'mtuBlackHole', 'mppeKeysDiffer', 'callIdShared']),
    );
  });

  for (const cause of FAILURE_CAUSES) {
    test(`has the log’s text of ${cause}`, () => assert.equal(rows.get(cause), tell(cases[cause])?.text));
  }

  test('has the log’s text of mtuBlackHole', () =>
    assert.equal(rows.get('mtuBlackHole'), describeBlackHole('192.0.2.1', '192.0.2.11', 92, 1404)));

  test('has the log’s text of callIdShared', () =>
    assert.equal(rows.get('callIdShared'), describeSharedCallId('192.0.2.1', '192.0.2.11', 0, '1kzdpy')));

  test('has the log’s text of mppeKeysDiffer', () =>
    assert.equal(rows.get('mppeKeysDiffer'), describeMppeKeys('192.0.2.11', 'server')));
});
