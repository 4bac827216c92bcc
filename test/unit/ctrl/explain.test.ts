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
  settingPlaces,
} from '../../../src/ctrl/explain.js';
import { endOfLink } from '../../../src/ctrl/session-end.js';
import type { EndCause, PppdComplaint } from '../../../src/link/end-cause.js';
import type { RelayCounters } from '../../../src/gre/relay-counters.js';
import type { MppeOffer } from '../../../src/ppp/options.js';
import type { MonitorFailure } from '../../../src/monitor/monitor-failure.js';
import type { EngineEnd } from '../../../src/ppp/engine/engine.js';
import { type PppFailure, PppReader, type SettingPlaces } from '../../../src/ppp/reader.js';
import { LOGIN_PROBLEMS, type LoginProblem } from '../../../src/radius/protocol.js';

const NEVER = { firstFrame: null, linkOpened: null, authenticated: null, up: null, terminated: null };
const UP = { ...NEVER, up: 1000 };

type Ppp = NonNullable<Evidence['ppp']>;
const SEEN: Ppp = { ...new PppReader().state, frames: { fromClient: 12, toClient: 14 } };
const SEEN_UP: Ppp = { ...SEEN, times: UP, user: 'alice' };

const CONFIGURATION: Evidence['configuration'] = {
  ppp: { engine: 'auto', dataPath: 'auto', secrets: '/etc/ppp/chap-secrets' },
  pppd: { path: '/usr/sbin/pppd', options: '/etc/ppp/options.pptpd' },
  timeouts: { establish: 60, echoInterval: 60, echoReply: 60 },
};

const base: Evidence = {
  end: { reason: 'pppdExited', cause: { kind: 'exit', code: 10, words: '', complaint: null } },
  peer: '192.0.2.11',
  local: '192.0.2.1',
  seconds: 30.2,
  link: 'pppd',
  ppp: SEEN,
  counters: null,
  tunnelPackets: 0,
  configuration: CONFIGURATION,
};

const ended = (cause: EndCause): Evidence['end'] => endOfLink(cause, true);
const endedBy = (end: EngineEnd): Evidence['end'] => ended({ kind: 'ppp', end });

const withFailure = (failure: PppFailure): Partial<Evidence> => ({
  ppp: { ...SEEN, failure },
});

const lost = (direction: 'toClient' | 'fromClient' | null, clientRequests: number): Partial<Evidence> =>
  withFailure({ reason: 'lcpTimeout', lost: direction, clientRequests, serverRequests: 10 });

/** Only these packets arrived from the client. */
const arrivedOnly = (counters: Partial<RelayCounters>): Partial<Evidence> => ({
  ppp: {
    ...SEEN,
    failure: { reason: 'lcpTimeout', lost: 'fromClient', clientRequests: 0, serverRequests: 10 },
    frames: { fromClient: 0, toClient: 10 },
  },
  counters,
});

const failedWith = (code: number, words = '', complaint: PppdComplaint | null = null): Evidence['end'] => ({
  reason: 'pppdFailed',
  cause: { kind: 'exit', code, words, complaint },
});
const STATELESS_128: MppeOffer = { keys: [128], stateless: true, mppc: false };
const KILLED: Evidence['end'] = { reason: 'pppdExited', cause: { kind: 'signal', signal: 9, words: '' } };

/** Causes that only one of the engines has. */
const PPPD_CAUSES = [
  'pppdSilent',
  'pppdSynchronous',
  'pppdNotExecutable',
  'kernelWithoutPpp',
  'pppdOptions',
  'pppdScript',
  'pppdFailed',
  'loginRefused',
  'ptyFailed',
  'pppdPersists',
  'pppdDied',
] as const satisfies readonly FailureCause[];
type PppdCause = (typeof PPPD_CAUSES)[number];
type EngineCause =
  | 'accountDisabled'
  | 'quotaReached'
  | 'addressIsOuter'
  | 'deviceFailed'
  | 'radiusUnavailable'
  | 'loginNotChecked'
  | 'mppeKeysDiffer'
  | 'encryptionLost'
  | 'noAgreement';

/** With pppd. */
const cases: Readonly<Record<Exclude<FailureCause, EngineCause>, Partial<Evidence>>> = {
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
  pppdPersists: { end: { reason: 'linkEnded', cause: { kind: 'noNewLink', seconds: 30 } } },
  loopback: { end: ended({ kind: 'exit', code: 17, words: '', complaint: null }) },
  terminated: withFailure({ reason: 'terminated', by: 'client', text: 'User request', windowsError: null }),
  pppdDied: { end: KILLED },
  clientLeft: {
    end: { reason: 'clientClosed' },
    seconds: 4,
    ppp: { ...SEEN, frames: { fromClient: 0, toClient: 1 } },
  },
};

const WITH_RADIUS: Evidence['configuration'] = {
  ...CONFIGURATION,
  ppp: { ...CONFIGURATION.ppp, engine: 'builtin' },
  radius: {
    servers: [
      { address: '192.0.2.53', authPort: 1812, acctPort: 1813, secretFile: '/etc/radius-secret', timeout: 3, tries: 3 },
    ],
    nasIdentifier: 'pptpd-ts',
    requireMessageAuthenticator: true,
  },
};

/** With the builtin engine. */
const engineCases: Readonly<Record<Exclude<FailureCause, PppdCause> | 'loginRefused', Partial<Evidence>>> = {
  ...withoutPppd(cases),
  addressIsOuter: {
    end: ended({ kind: 'device', problem: 'refused', failure: { kind: 'refused', reason: 'outerAddress' } }),
  },
  deviceFailed: {
    end: ended({
      kind: 'device',
      problem: 'cannot open /dev/net/tun: ENOENT',
      failure: { kind: 'failed', step: 'open /dev/net/tun', code: 'ENOENT' },
    }),
  },
  noSecrets: {
    end: ended({
      kind: 'login',
      problem: 'cannot read /etc/ppp/chap-secrets: ENOENT',
      failure: { kind: 'failed', step: 'read /etc/ppp/chap-secrets', code: 'ENOENT' },
    }),
  },
  radiusUnavailable: {
    end: ended({
      kind: 'login',
      problem: 'no RADIUS server answered (192.0.2.53:1812)',
      failure: { kind: 'notJudged', problem: 'noAnswer', servers: '192.0.2.53:1812' },
    }),
    configuration: WITH_RADIUS,
  },
  loginRefused: { ...cases.authenticationFailed, configuration: WITH_RADIUS },
  loginNotChecked: {
    end: ended({
      kind: 'login',
      problem: 'the monitor does not answer: ETIMEDOUT',
      failure: { kind: 'unavailable', code: 'ETIMEDOUT' },
    }),
  },
  accountDisabled: {
    end: endedBy({ kind: 'authentication', method: 'ms-chap-v2', code: 647, message: 'Account disabled' }),
    ppp: {
      ...SEEN,
      user: 'alice',
      failure: {
        reason: 'authenticationFailed',
        user: 'alice',
        protocol: 'MS-CHAPv2',
        code: 647,
        cause: 'account disabled',
        message: 'Account disabled',
      },
    },
  },
  quotaReached: {
    end: endedBy({ kind: 'authentication', method: 'ms-chap-v2', code: 649, message: 'Quota used up' }),
    ppp: {
      ...SEEN,
      user: 'alice',
      failure: {
        reason: 'authenticationFailed',
        user: 'alice',
        protocol: 'MS-CHAPv2',
        code: 649,
        cause: 'no permission to dial in',
        message: 'Quota used up',
      },
    },
  },
  addressNotAllowed: {
    end: endedBy({ kind: 'noAddress', whose: 'client' }),
    ppp: { ...SEEN, user: 'carol' },
  },
  mppeKeysDiffer: { end: ended({ kind: 'undecryptable' }), ppp: SEEN_UP },
  loopback: { end: endedBy({ kind: 'loopback' }) },
  encryptionLost: { end: endedBy({ kind: 'encryptionLost' }), ppp: SEEN_UP },
  noAgreement: { end: endedBy({ kind: 'noAgreement', protocol: 'LCP' }) },
  encryptionUnavailable: { end: endedBy({ kind: 'encryptionUnavailable', method: 'pap' }) },
};

/** What does not depend on pppd; a failed negotiation ends with the client's Terminate-Request. */
function withoutPppd(all: typeof cases): Omit<typeof cases, PppdCause> {
  const end = endedBy({ kind: 'peerTerminated', text: '', windowsError: null });
  const left = Object.entries(all).filter(([cause]) => !PPPD_CAUSES.some((each) => each === cause));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the causes that are left
  return Object.fromEntries(left.map(([cause, change]) => [cause, { end, ...change }])) as Omit<
    typeof cases,
    PppdCause
  >;
}

const tell = (change: Partial<Evidence>) => explain({ ...base, ...change });
const tellOfEngine = (change: Partial<Evidence>) => tell({ link: 'tun', ...change });

/** The explanation of a cause with each engine; null: the engine does not have it. */
const WITH_PPPD: Readonly<Partial<Record<FailureCause, Partial<Evidence>>>> = cases;
const WITH_ENGINE: Readonly<Partial<Record<FailureCause, Partial<Evidence>>>> = engineCases;
function told(cause: FailureCause) {
  const [pppd, engine] = [WITH_PPPD[cause], WITH_ENGINE[cause]];
  return { pppd: pppd === undefined ? null : tell(pppd), engine: engine === undefined ? null : tellOfEngine(engine) };
}

describe('each row of the table', () => {
  for (const cause of FAILURE_CAUSES) {
    const { pppd, engine } = told(cause);
    test(`${cause}, with the engines that have it`, () => {
      assert.equal(pppd?.cause ?? cause, cause);
      assert.equal(engine?.cause ?? cause, cause);
      assert(pppd !== null || engine !== null);
    });
  }
});

describe('with the builtin engine', () => {
  /** A cause before the link is up, and one after; null: no failure. */
  type Causes = readonly [before: FailureCause | null, after: FailureCause | null];
  const ends: {
    readonly [K in EngineEnd['kind']]: readonly (readonly [Extract<EngineEnd, { kind: K }>, ...Causes])[];
  } = {
    administrative: [[{ kind: 'administrative', reason: 'the server ends the session' }, null, null]],
    peerTerminated: [[{ kind: 'peerTerminated', text: 'User request', windowsError: null }, 'terminated', null]],
    lcpTimeout: [
      [{ kind: 'lcpTimeout', received: 0 }, 'greNotReceived', 'greNotReceived'],
      [{ kind: 'lcpTimeout', received: 3 }, 'lcpTimeout', 'lcpTimeout'],
    ],
    noAgreement: [[{ kind: 'noAgreement', protocol: 'CCP' }, 'noAgreement', 'noAgreement']],
    protocolRejected: [
      [{ kind: 'protocolRejected', protocol: 'LCP' }, 'noAgreement', 'noAgreement'],
      [{ kind: 'protocolRejected', protocol: 'CHAP' }, 'authProtocolRefused', 'authProtocolRefused'],
      [{ kind: 'protocolRejected', protocol: 'IPCP' }, 'noNetworkProtocol', 'noNetworkProtocol'],
    ],
    loopback: [[{ kind: 'loopback' }, 'loopback', 'loopback']],
    echoTimeout: [[{ kind: 'echoTimeout', failures: 4 }, 'clientVanished', 'clientVanished']],
    authenticationRefused: [
      [{ kind: 'authenticationRefused', proposed: 'EAP' }, 'authProtocolRefused', 'authProtocolRefused'],
    ],
    authentication: [
      [
        { kind: 'authentication', method: 'ms-chap-v2', code: 691, message: 'Access denied' },
        'authenticationFailed',
        'authenticationFailed',
      ],
    ],
    authenticationTimeout: [
      [{ kind: 'authenticationTimeout', method: 'pap', challenges: 0 }, 'loginUnanswered', 'loginUnanswered'],
    ],
    verdictTimeout: [[{ kind: 'verdictTimeout' }, 'loginNotChecked', 'loginNotChecked']],
    encryptionUnavailable: [
      [{ kind: 'encryptionUnavailable', method: 'ms-chap' }, 'encryptionUnavailable', 'encryptionUnavailable'],
    ],
    encryptionRefused: [
      [
        { kind: 'encryptionRefused', how: 'reject', asked: null },
        'encryptionRefusedByClient',
        'encryptionRefusedByClient',
      ],
    ],
    encryptionLost: [[{ kind: 'encryptionLost' }, 'encryptionLost', 'encryptionLost']],
    addressRefused: [
      [{ kind: 'addressRefused', whose: 'client', proposed: '203.0.113.9' }, 'addressRefused', 'addressRefused'],
      [{ kind: 'addressRefused', whose: 'server', proposed: null }, 'addressRefused', 'addressRefused'],
    ],
    noAddress: [
      [{ kind: 'noAddress', whose: 'client' }, 'addressNotAllowed', 'addressNotAllowed'],
      [{ kind: 'noAddress', whose: 'server' }, 'addressRefused', 'addressRefused'],
    ],
    ncpTimeout: [[{ kind: 'ncpTimeout', protocol: 'IPCP' }, 'negotiationTimeout', 'negotiationTimeout']],
    networkClosed: [[{ kind: 'networkClosed' }, 'noNetworkProtocol', null]],
  };
  for (const [kind, variants] of Object.entries(ends))
    for (const [end, before, after] of variants)
      test(`${kind} has its cause before the link is up and after: ${JSON.stringify(end)}`, () => {
        const explanation = tellOfEngine({ end: endedBy(end) });
        assert.equal(explanation?.cause, before ?? undefined);
        assert.doesNotMatch(explanation?.text ?? '', /undefined|null|\[object|our pppd/);
        assert.equal(tellOfEngine({ end: endedBy(end), ppp: SEEN_UP })?.cause, after ?? undefined);
      });

  test('an interface of the kernel’s path has a remedy of its own', () => {
    const end = ended({
      kind: 'device',
      problem: "cannot open the kernel's PPTP socket: EPROTONOSUPPORT",
      failure: { kind: 'failed', step: "open the kernel's PPTP socket", code: 'EPROTONOSUPPORT' },
    });
    assert.match(tell({ link: 'kernel', end })?.text ?? '', /remedy: modprobe -a .*pptp .*ppp\.dataPath/);
  });

  test('what the reader has diagnosed counts, unless it is only that the link was ended', () => {
    const end = endedBy({ kind: 'encryptionRefused', how: 'nak', asked: null });
    assert.equal(tellOfEngine({ ...cases.encryptionModesDiffer, end })?.cause, 'encryptionModesDiffer');
    assert.equal(tellOfEngine({ ...cases.terminated, end })?.cause, 'encryptionRefusedByClient');
  });

  test('no sentence names pppd, and no remedy its options', () => {
    for (const cause of FAILURE_CAUSES)
      assert.doesNotMatch(told(cause).engine?.text ?? '', /our pppd|options\.pptpd|; remedy: .*pppd (?!options)/);
  });

  test('a device that cannot be had, by what it lacks', () => {
    const of = (failure: MonitorFailure | undefined): string =>
      tellOfEngine({ end: ended({ kind: 'device', problem: 'it failed', failure }) })?.text ?? '';
    const failing = (code: string): MonitorFailure => ({ kind: 'failed', step: 'open it', code });
    assert.match(of(failing('ENOENT')), /remedy: modprobe tun; .*--device \/dev\/net\/tun --cap-add NET_ADMIN/);
    assert.match(of(failing('EPERM')), /remedy: start the server as root; .*--cap-add NET_ADMIN/);
    assert.match(of(failing('EBUSY')), /remedy: see the server's log/);
    assert.match(of({ kind: 'refused', reason: 'address' }), /remedy: see the server's log/);
    assert.match(of({ kind: 'refused', reason: 'stranger' }), /remedy: see why the manager could not register/);
    assert.match(of(undefined), /^the network interface failed \(it failed\); remedy: /);
  });

  test('without the monitor: whether it is dead, stands still, or is not to be reached', () => {
    for (const kind of ['device', 'login'] as const) {
      const of = (code: string): string =>
        tellOfEngine({ end: ended({ kind, problem: 'it failed', failure: { kind: 'unavailable', code } }) })?.text ??
        '';
      for (const code of ['ECONNREFUSED', 'ENOENT'])
        assert.match(of(code), /remedy: start the server again \(systemctl restart pptpd-ts, or serve\)/, code);
      for (const code of ['ETIMEDOUT', 'EAGAIN'])
        assert.match(of(code), /remedy: kill -KILL the process "pptpd-ts monitor"/, code);
      assert.match(of('EACCES'), /remedy: start the server again as root/);
    }
  });

  test('a login that was not checked, by why', () => {
    const of = (failure: MonitorFailure) =>
      tellOfEngine({ end: ended({ kind: 'login', problem: 'it failed', failure }) });
    const failing = (code: string): MonitorFailure => ({ kind: 'failed', step: 'read it', code });
    assert.equal(of(failing('EACCES'))?.cause, 'noSecrets');
    assert.equal(of(failing('ENOSPC'))?.cause, 'loginNotChecked');
    assert.equal(of({ kind: 'refused', reason: 'notPermitted' })?.cause, 'loginNotChecked');
    const guessed = of({ kind: 'refused', reason: 'tooManyGuesses' });
    assert.equal(guessed?.cause, 'authenticationFailed');
    assert.match(guessed?.text ?? '', /too many wrong passwords/);
  });

  test('without a verdict of RADIUS, the remedy is that of its problem', () => {
    const of = (problem: LoginProblem): string => {
      const failure = { kind: 'notJudged', problem, servers: '192.0.2.53:1812' } as const;
      const explained = tellOfEngine({ end: ended({ kind: 'login', problem: 'it failed', failure }) });
      assert.equal(explained?.cause, 'radiusUnavailable');
      return explained?.text ?? '';
    };
    const texts = (Object.keys(LOGIN_PROBLEMS) as LoginProblem[]).map(of);
    assert.equal(new Set(texts).size, texts.length);
    assert.match(of('forged'), /same secret/);
    assert.match(of('unsigned'), /radius\.requireMessageAuthenticator/);
  });

  test('with RADIUS no remedy is in the secrets file', () => {
    const texts = (['addressNotAllowed', 'loginRefused', 'encryptionUnavailable', 'mppeKeysDiffer'] as const).map(
      (cause) => tellOfEngine({ ...engineCases[cause], configuration: WITH_RADIUS })?.text ?? '',
    );
    const keys = tellOfEngine({
      end: endedBy({ kind: 'encryptionUnavailable', method: 'ms-chap-v2' }),
      configuration: WITH_RADIUS,
    });
    for (const text of [...texts, keys?.text ?? '']) assert.doesNotMatch(text, /chap-secrets/);
    assert.match(keys?.text ?? '', /MS-MPPE-Send-Key/);
    assert.match(texts.at(-1) ?? '', /correct the key that the RADIUS server sends/);
  });

  test('a login without error number or message is authenticationFailed, unlike with pppd', () => {
    assert.equal(tell(cases.loginRefused)?.cause, 'loginRefused');
    assert.equal(tellOfEngine(cases.loginRefused)?.cause, 'authenticationFailed');
  });
});

test('a remedy is the key of the configuration where it is written, because it wins over pppd’s options file', () => {
  const ppp = { ...CONFIGURATION.ppp, encryption: 'require', statefulEncryption: false } as const;
  const change = { configuration: { ...CONFIGURATION, ppp } };
  const textOf = (cause: 'encryptionRefusedByClient' | 'encryptionModesDiffer' | 'authProtocolRefused') =>
    tell({ ...cases[cause], ...change })?.text ?? '';
  assert.match(textOf('encryptionRefusedByClient'), /or set ppp\.encryption to "none"$/);
  assert.match(textOf('encryptionModesDiffer'), /or set ppp\.statefulEncryption to true$/);
  assert.match(textOf('authProtocolRefused'), /in \/etc\/ppp\/options\.pptpd$/);
});

test('a key length that the server does not allow is added to the key that lists them', () => {
  const server = STATELESS_128;
  const textOf = (keys: MppeOffer['keys'], link: 'pppd' | 'tun') =>
    tell({ ...withFailure({ reason: 'encryptionModesDiffer', client: { ...server, keys }, server }), link })?.text ??
    '';
  assert.match(textOf([40], 'tun'), /or add 40 to ppp\.encryptionKeys$/);
  assert.match(textOf([56], 'tun'), /or add 56 to ppp\.encryptionKeys$/);
  assert.match(textOf([40], 'pppd'), /or put require-mppe-40 into \/etc\/ppp\/options\.pptpd, without nomppe-40$/);
  assert.match(textOf([56], 'pppd'), /remedy: allow a key of 128 bit in the client$/);
});

describe('ends that are not failures', () => {
  const up = { ppp: SEEN_UP };
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
    ['rxWrongVersion', /another tunnel .* allow IP protocol 47 \(GRE\) from 192\.0\.2\.11 to 192\.0\.2\.1 /],
    ['rxWrongProtocol', /another tunnel .* allow IP protocol 47 \(GRE\)/],
    ['rxWrongCallId', /another client behind that address .*nf_nat_pptp/],
    ['rxWrongFlags', /faulty, or a router changes its packets.* host 192\.0\.2\.11\)/],
    ['acksReceived', /; remedy: see its own log$/],
  ];
  for (const [counter, remedy] of remedies) test(counter, () => assert.match(tellOf({ [counter]: 4 }), remedy));

  test('also explain a client that leaves before pppd gives up', () => {
    const left = {
      end: { reason: 'clientClosed' },
      seconds: 4,
      ppp: { ...SEEN, frames: { fromClient: 0, toClient: 1 } },
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
  const configuration = { ...CONFIGURATION, pppd: { path: '/usr/sbin/pppd' } };
  assert.match(
    tell({ ...cases.pppdSilent, configuration })?.text ?? '',
    /remove the option "silent" from \/etc\/ppp\/options, and see/,
  );
});

test('after the session was up, pppd’s usual exit codes are not failures', () => {
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
      17: 'loopback',
      18: 'pppdScript',
    };
    assert.equal(
      tell({ ppp: SEEN_UP, end })?.cause,
      usual ? undefined : (own[code] ?? 'pppdDied'),
      `exit code ${code}`,
    );
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
  const ppp = { ...SEEN, frames: { fromClient: 7, toClient: 9 } };
  assert.match(
    tell({ end: { reason: 'clientClosed' }, ppp })?.text ?? '',
    /: 7 PPP frames had arrived from 192\.0\.2\.11; remedy: /,
  );
});

const BLACK_HOLE = { local: '192.0.2.1', peer: '192.0.2.11', arrives: 92, missing: 1404 };
const placesOf = (engine: SettingPlaces['engine']): SettingPlaces => ({
  ...settingPlaces(CONFIGURATION, 'pppd'),
  engine,
});

test('the remedy for a black hole is an MTU of 1280, or of 576 if 1280 octets do not pass', () => {
  for (const [missing, mtu] of [
    [1281, 1280],
    [1280, 576],
    [600, 576],
  ] as const)
    for (const [engine, remedy] of [
      ['pppd', `put "mtu ${mtu}" and`],
      ['builtin', `set ppp.mtu and ppp.mru to ${mtu},`],
    ] as const)
      assert.match(describeBlackHole({ ...BLACK_HOLE, missing }, placesOf(engine)), new RegExp(remedy));
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

  /** The sentences of a cause, first pppd's; that of the builtin engine if it is another one. */
  const sentences = (cause: string): readonly string[] => {
    const [, section = ''] = text.split(`### \`${cause}\`\n`);
    return [...(section.split('\n#', 1)[0] ?? '').matchAll(/^> (.*)$/gm)].map(([, sentence = '']) => sentence);
  };
  const different = (pppd: string | undefined, engine: string | undefined): readonly string[] => [
    ...new Set([pppd, engine].filter((each) => each !== undefined)),
  ];

  for (const cause of FAILURE_CAUSES.filter((each) => each !== 'mppeKeysDiffer'))
    test(`has the log’s texts of ${cause}`, () => {
      const { pppd, engine } = told(cause);
      assert.deepEqual(sentences(cause), different(pppd?.text, engine?.text));
    });

  const warnings: Readonly<Record<string, (engine: SettingPlaces['engine']) => string>> = {
    mtuBlackHole: (engine) => describeBlackHole(BLACK_HOLE, placesOf(engine)),
    mppeKeysDiffer: (engine) => describeMppeKeys('192.0.2.11', 'server', placesOf(engine)),
    callIdShared: () => describeSharedCallId('192.0.2.1', '192.0.2.11', 0, '1kzdpy'),
  };
  for (const [cause, of] of Object.entries(warnings))
    test(`has the log’s texts of the warning ${cause}`, () =>
      assert.deepEqual(sentences(cause), different(of('pppd'), of('builtin'))));

  test('has the same text for keys that differ, whether the session goes on or not', () =>
    assert.equal(told('mppeKeysDiffer').engine?.text, warnings['mppeKeysDiffer']?.('builtin')));
});
