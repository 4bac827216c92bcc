/**
 * Explains in one sentence why a login or a session failed, with the remedy: a table of conditions over what is known at the
 * end. The failures of the PPP negotiation get their words from ppp/failure; addresses and files are added here.
 * docs/failures.md lists the sentences. Pure.
 */
import type { Configuration } from '../config/schema.js';
import type { RelayCounters } from '../gre/relay-counters.js';
import { failureOfEnd, type ReadState } from '../ppp/engine/end-failure.js';
import type { EngineEnd } from '../ppp/engine/engine.js';
import {
  type PppEngine,
  type PppFailure,
  type PppState,
  problemAndRemedy,
  type ProblemAndRemedy,
  secretsFile,
  type SettingPlaces,
  type Side,
} from '../ppp/reader.js';
import type { EndCause, PppdComplaint } from '../link/end-cause.js';
import type { LinkKind } from '../link/link.js';
import { type Absence, absenceOf, type MonitorFailure } from '../monitor/monitor-failure.js';
import type { LoginProblem } from '../radius/protocol.js';
import { CLOSE_REASONS } from '../session/close-reason.js';
import { describeDetail, type SessionEnd } from './session-end.js';

/** What is known when a call or its session ends. */
export interface Evidence {
  readonly end: SessionEnd;
  /** The client's address, and the server's address that it called. */
  readonly peer: string;
  readonly local: string;
  /** Seconds since the session's start. */
  readonly seconds: number;
  /** Of the call, or of the calls that the client might have had. */
  readonly link: LinkKind;
  /** null: the client had no call. */
  readonly ppp: (ReadState & Pick<PppState, 'frames'>) | null;
  /** null: the client had no call, or no relay. */
  readonly counters: Readonly<Partial<RelayCounters>> | null;
  /** GRE packets of the call that arrived since the last Echo-Request was sent to the client. */
  readonly tunnelPackets: number;
  readonly configuration: {
    readonly ppp: Configuration['ppp'];
    readonly pppd: Pick<Configuration['pppd'], 'path' | 'options'>;
    readonly timeouts: Pick<Configuration['timeouts'], 'establish' | 'echoInterval' | 'echoReply'>;
    readonly radius?: Configuration['radius'];
  };
}

export interface Explanation {
  /** A name of FAILURES: stable, for scripts and metrics. */
  readonly cause: FailureCause;
  /** The whole sentence, with the remedy. */
  readonly text: string;
  readonly remedy: string | null;
}

/** A failure's sentence is `PROBLEM; remedy: REMEDY`, or the problem alone. */
interface Row {
  readonly when: (evidence: Evidence) => boolean;
  readonly problem: (evidence: Evidence) => string;
  /** An imperative; null: there is none. */
  readonly remedy?: (evidence: Evidence) => string | null;
}

const ENGINES: Readonly<Record<LinkKind, PppEngine>> = { pppd: 'pppd', tun: 'builtin', kernel: 'builtin' };

export function settingPlaces(
  { ppp, pppd, radius }: Pick<Evidence['configuration'], 'ppp' | 'pppd' | 'radius'>,
  link: LinkKind,
): SettingPlaces {
  return {
    engine: ENGINES[link],
    optionsFile: pppd.options ?? DEFAULT_OPTIONS,
    written: new Set(Object.entries(ppp).flatMap(([key, value]) => (value === undefined ? [] : key))),
    secrets: ppp.secrets,
    radius: radius !== undefined,
  };
}

const DEFAULT_OPTIONS = '/etc/ppp/options';

const placesOf = ({ configuration, link }: Evidence): SettingPlaces => settingPlaces(configuration, link);
const engineOf = (evidence: Evidence): PppEngine => placesOf(evidence).engine;
const optionsFile = (evidence: Evidence): string => placesOf(evidence).optionsFile;

/** The link failed or ended by itself, for such a cause. */
const endedBy =
  (accepts: (cause: EndCause) => boolean) =>
  ({ end }: Evidence): boolean =>
    'cause' in end && accepts(end.cause);

/** pppd exited with one of these codes (pppd(8)). */
const exited = (...codes: readonly number[]): ((evidence: Evidence) => boolean) =>
  endedBy((cause) => cause.kind === 'exit' && codes.includes(cause.code));

/** The builtin engine ended the link for one of these reasons. */
const engineEnded = (...kinds: readonly EngineEnd['kind'][]): ((evidence: Evidence) => boolean) =>
  endedBy((cause) => cause.kind === 'ppp' && kinds.includes(cause.end.kind));

/** Why the monitor did not do what the link needed; undefined: it was not the monitor. */
const monitorFailure = ({ end }: Evidence): MonitorFailure | undefined =>
  'cause' in end && 'failure' in end.cause ? end.cause.failure : undefined;

const isLoginUnchecked = endedBy(({ kind }) => kind === 'login');

/** The monitor checks no more passwords of this session. */
function guessedTooOften(evidence: Evidence): boolean {
  const failure = monitorFailure(evidence);
  return isLoginUnchecked(evidence) && failure?.kind === 'refused' && failure.reason === 'tooManyGuesses';
}

/** The failure of the negotiation, from the builtin engine's end or as the reader has diagnosed it. */
function failureOf(evidence: Evidence): PppFailure | null {
  const { end, ppp } = evidence;
  if (ppp === null) return null;
  if ('cause' in end && end.cause.kind === 'ppp') return failureOfEnd(end.cause.end, ppp);
  if (!guessedTooOften(evidence)) return ppp.failure;
  const cause =
    'too many wrong passwords; the monitor looks at no more of this session, client address or account for a while';
  return { reason: 'authenticationFailed', user: ppp.user, protocol: null, code: null, cause, message: null };
}

const failed =
  (accepts: (failure: PppFailure) => boolean) =>
  (evidence: Evidence): boolean => {
    const failure = failureOf(evidence);
    return failure !== null && accepts(failure);
  };

function pppFailureText(evidence: Evidence): ProblemAndRemedy {
  const failure = failureOf(evidence);
  return failure === null
    ? { problem: CLOSE_REASONS[evidence.end.reason].text, remedy: null }
    : problemAndRemedy(failure, placesOf(evidence));
}

/** The words of ppp/failure. */
const pppProblem = (evidence: Evidence): string => pppFailureText(evidence).problem;
const PPP_FAILURE = { problem: pppProblem, remedy: (evidence: Evidence) => pppFailureText(evidence).remedy };

const reasonWithDetail = ({ end }: Evidence): string => {
  const detail = describeDetail(end);
  return `${CLOSE_REASONS[end.reason].text}${detail === null ? '' : ` (${detail})`}`;
};

/** The file with the passwords of the protocol that the client logged in by. */
function loginSecrets(evidence: Evidence): string {
  const failure = failureOf(evidence);
  const protocol = failure?.reason === 'authenticationFailed' ? failure.protocol : null;
  return secretsFile(placesOf(evidence), protocol);
}

const openGre = (from: string, to: string): string =>
  `allow IP protocol 47 (GRE) from ${from} to ${to} in every firewall; on every NAT router, load the PPTP helper ` +
  `(nf_nat_pptp); to check: tcpdump -ni any proto 47 and host ${from === to ? from : `${from} and host ${to}`}`;

interface Sender {
  /** Who sends the packets that are not usable. */
  readonly who: string;
  readonly remedy: (evidence: Evidence) => string;
}

const SENDERS = {
  otherTunnel: {
    who: "another tunnel between the two, such as plain GRE or EoIP, sends them, and PPTP's own packets do not arrive",
    remedy: ({ peer, local }) => openGre(peer, local),
  },
  otherCall: {
    who: 'another client behind that address sends them, or an earlier call, or a NAT router changes the call id',
    remedy: () => 'load the PPTP helper (nf_nat_pptp) on every router between them that has NAT',
  },
  faultyClient: {
    who: "the client's PPTP is faulty, or a router changes its packets",
    remedy: ({ peer }) =>
      `compare what it sends with what arrives here (tcpdump -vni any proto 47 and host ${peer}), and try another client or another network`,
  },
  silentPpp: {
    who: 'the client receives our packets but does not start a PPP negotiation',
    remedy: () => 'see its own log',
  },
} as const satisfies Record<string, Sender>;

interface Unusable {
  readonly counter: keyof RelayCounters;
  /** What kind of packets the counter counts, to follow their number. */
  readonly words: string;
  readonly sender: keyof typeof SENDERS;
}

/** Packets that may arrive from a client that never sends a PPP frame of the negotiation. */
const UNUSABLE: readonly Unusable[] = [
  { counter: 'rxTooShort', words: 'too short for a header', sender: 'faultyClient' },
  { counter: 'rxWrongVersion', words: 'of another GRE version than 1', sender: 'otherTunnel' },
  { counter: 'rxWrongProtocol', words: 'of another protocol than PPP (0x880B)', sender: 'otherTunnel' },
  { counter: 'rxWrongFlags', words: 'with flags that PPTP does not allow', sender: 'faultyClient' },
  { counter: 'rxWrongCallId', words: 'with the call id of another call', sender: 'otherCall' },
  { counter: 'rxTruncated', words: 'shorter than their header says', sender: 'faultyClient' },
  { counter: 'rxNoSequence', words: 'without a sequence number', sender: 'faultyClient' },
  { counter: 'rxTooLong', words: 'longer than any PPP frame', sender: 'faultyClient' },
  { counter: 'rxLate', words: 'too late in sequence', sender: 'faultyClient' },
  { counter: 'rxDuplicate', words: 'with the same sequence number as one before', sender: 'faultyClient' },
  { counter: 'rxOutsideWindow', words: 'far out of sequence', sender: 'faultyClient' },
  { counter: 'rxEmpty', words: 'without payload', sender: 'faultyClient' },
  { counter: 'rxPackets', words: 'with data instead of a negotiation', sender: 'faultyClient' },
  { counter: 'acksReceived', words: 'with an acknowledgment', sender: 'silentPpp' },
];

/** Those that arrived, the most frequent first. */
const unusableOf = ({ counters }: Evidence): readonly (Unusable & { readonly count: number })[] =>
  UNUSABLE.map((each) => ({ ...each, count: counters?.[each.counter] ?? 0 }))
    .filter(({ count }) => count > 0)
    .toSorted((one, other) => other.count - one.count);

const likelySender = (evidence: Evidence): Sender => SENDERS[unusableOf(evidence)[0]?.sender ?? 'faultyClient'];

function unusableProblem(evidence: Evidence): string {
  const list = unusableOf(evidence).map(({ count, words, counter }) => `${count} ${words} (${counter})`);
  return `GRE packets (IP protocol 47) came from ${evidence.peer} but none was usable: ${list.join(', ')}; ${likelySender(evidence).who}`;
}

/** pppd printed this complaint before it exited. */
const pppdComplained = (complaint: PppdComplaint): ((evidence: Evidence) => boolean) =>
  endedBy((cause) => cause.kind === 'exit' && cause.complaint === complaint);

/** pppd's exit codes that are no failure if the session was up: it was told to end, was idle, or hung up. */
const USUAL_ENDS: readonly number[] = [0, 5, 12, 13, 16, 20];
/** pppd's exit code when the peer answers no LCP echo request. */
const PEER_DEAD = 15;
/** pppd's exit code when it hears itself. */
const LOOPED_BACK = 17;

const neverUp = ({ ppp }: Evidence): boolean => ppp === null || ppp.times.up === null;
const clientGone = ({ end: { reason } }: Evidence): boolean =>
  reason === 'clientStopped' || reason === 'clientClosed' || reason === 'clientCleared';

/** The client gave up before the link was up. */
const leftEarly = (evidence: Evidence): boolean => evidence.ppp !== null && neverUp(evidence) && clientGone(evidence);

const noFrameArrived = failed((failure) => failure.reason === 'lcpTimeout' && failure.lost === 'fromClient');

const timeOfLeaving = ({ end, seconds }: Evidence): string =>
  `${CLOSE_REASONS[end.reason].text} ${Math.round(seconds)} s after it connected, before it was logged in`;

const ECHO_SETTINGS: Readonly<Record<PppEngine, string>> = {
  pppd: 'lcp-echo-interval, lcp-echo-failure',
  builtin: 'ppp.lcpEcho',
};

/** The sign that the client has vanished. */
function silenceOf(evidence: Evidence): string {
  const { end, configuration } = evidence;
  const { echoInterval, echoReply } = configuration.timeouts;
  if (end.reason !== 'clientSilent') return `it answers no LCP echo request (${ECHO_SETTINGS[engineOf(evidence)]})`;
  return end.silence === 'readsNothing'
    ? 'it reads nothing of what is sent to it on its control connection'
    : `nothing arrived on its control connection for ${echoInterval + echoReply} s`;
}

/** What an interface lacks, by the error name of the failed system call. */
type DeviceFault = 'noDevice' | 'noPermission';
const DEVICE_FAULTS: Readonly<Record<string, DeviceFault>> = {
  ENOENT: 'noDevice',
  ENODEV: 'noDevice',
  ENXIO: 'noDevice',
  EACCES: 'noPermission',
  EPERM: 'noPermission',
};

const ABSENCE_REMEDIES: Readonly<Record<Absence, string>> = {
  notRunning:
    'start the server again (systemctl restart pptpd-ts, or serve), which starts a monitor; sessions that are up continue',
  notAnswering:
    'kill -KILL the process "pptpd-ts monitor"; its supervisor starts another one, and sessions that are up continue',
  unreachable: "start the server again as root, and see the monitor's messages in its log",
};

const SEE_REGISTRATION = "see why the manager could not register the session with the monitor in the server's log";

/** null: the monitor could be reached, and failed. */
function monitorRemedy(evidence: Evidence): string | null {
  const failure = monitorFailure(evidence);
  if (failure?.kind === 'unavailable') return ABSENCE_REMEDIES[absenceOf(failure.code)];
  return failure?.kind === 'refused' && failure.reason === 'stranger' ? SEE_REGISTRATION : null;
}

const DEVICE_REMEDIES: Readonly<Record<DeviceFault | 'other', string>> = {
  noDevice: 'modprobe tun; a container needs the device as well: docker run --device /dev/net/tun --cap-add NET_ADMIN',
  noPermission: 'start the server as root; a container needs docker run --cap-add NET_ADMIN --device /dev/net/tun',
  other: "see the server's log; pptpd-ts doctor checks what a network interface needs",
};

const KERNEL_PATH_REMEDY =
  'modprobe -a ppp_generic pppox pptp ppp_mppe, or set ppp.dataPath to "tun"; pptpd-ts doctor checks what the kernel has';

function deviceRemedy(evidence: Evidence): string {
  const failure = monitorFailure(evidence);
  if (evidence.link === 'kernel' && failure?.kind === 'failed') return KERNEL_PATH_REMEDY;
  const fault = failure?.kind === 'failed' ? DEVICE_FAULTS[failure.code] : undefined;
  return monitorRemedy(evidence) ?? DEVICE_REMEDIES[fault ?? 'other'];
}

/** Error names of a file that is missing or cannot be read. */
const UNREADABLE: readonly string[] = ['ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES', 'EPERM', 'ELOOP'];

/** The monitor could not read the builtin engine's secrets. */
function secretsUnreadable(evidence: Evidence): boolean {
  const failure = monitorFailure(evidence);
  return isLoginUnchecked(evidence) && failure?.kind === 'failed' && UNREADABLE.includes(failure.code);
}

/** RFC 2759 §6: what the monitor answers for an account that is disabled or has expired, and for one without quota left. */
const ACCOUNT_DISABLED = 647;
const NO_PERMISSION = 649;

const refusedWith = (code: number): ((evidence: Evidence) => boolean) =>
  endedBy((cause) => cause.kind === 'ppp' && cause.end.kind === 'authentication' && cause.end.code === code);

/** What to do when RADIUS has not judged a login. */
const RADIUS_REMEDIES: Readonly<Record<LoginProblem, string>> = {
  noAnswer:
    'start the RADIUS server, let UDP pass to it and back, add this server to its clients, and give both the same secret ' +
    '(radius.servers, secretFile)',
  forged: 'give the RADIUS server and its secretFile in radius.servers the same secret',
  unsigned:
    'have the RADIUS server sign its answers (FreeRADIUS: 3.2.5 or later, or update reply { Message-Authenticator := 0x00 } in ' +
    'post-auth), or, if nobody else can reach the network between the two, set radius.requireMessageAuthenticator to false',
  noProof: 'let the RADIUS server check the login by MS-CHAPv2 (FreeRADIUS: module mschap), and see its log',
  noSecret: "correct the secretFile in radius.servers; the server's log and pptpd-ts doctor say what is wrong with it",
  notRunning: "see the messages of the RADIUS process in the server's log",
};

/** Why RADIUS has not judged the login; null: it has, or was not asked. */
function notJudged(evidence: Evidence): LoginProblem | null {
  const failure = monitorFailure(evidence);
  return failure?.kind === 'notJudged' ? failure.problem : null;
}

/** Which of user name and password was wrong is not told. */
const NAME_OR_PASSWORD: Readonly<Record<PppEngine, { readonly problem: string; readonly remedy: string }>> = {
  pppd: {
    problem: 'pppd does not say whether the user name or the password is wrong',
    remedy: "this server's name or * in the second; with RADIUS, see the RADIUS server's log",
  },
  builtin: {
    problem: 'an unknown user name and a wrong password get the same answer',
    remedy:
      "this server's name (ppp.name) or * in the second; or list the users of accounts.file, too: pptpd-ts users list",
  },
};

/** The builtin engine's login, which the RADIUS server has refused. */
const refusedByRadius = (evidence: Evidence): boolean =>
  placesOf(evidence).radius &&
  engineOf(evidence) === 'builtin' &&
  !guessedTooOften(evidence) &&
  failed(({ reason }) => reason === 'authenticationFailed')(evidence);

/** pppd's refusal by MS-CHAP without an error number. */
const refusedWithoutReason = (evidence: Evidence): boolean =>
  engineOf(evidence) === 'pppd' &&
  failed(
    (failure) =>
      failure.reason === 'authenticationFailed' &&
      failure.code === null &&
      failure.message === null &&
      (failure.protocol?.startsWith('MS-CHAP') ?? false),
  )(evidence);

/** The first row that applies counts. */
const FAILURES = {
  userLimit: {
    when: ({ end }) => end.reason === 'userLimit',
    problem: reasonWithDetail,
    remedy: () => 'end the other session with pptpd-ts kick, raise the limit, or set policy.whenExceeded to "replace"',
  },
  calledAgain: {
    when: ({ end }) => end.reason === 'calledAgain',
    problem: ({ peer, local, end }) =>
      `client ${peer} called again under the same call id, and its earlier connection to ${local} is dead ` +
      `(${describeDetail(end)}): it was restarted, or its network was down for a while`,
  },
  pppdSilent: {
    when: endedBy(({ kind }) => kind === 'noFirstFrame'),
    problem: (evidence) => `${reasonWithDetail(evidence)}: pppd waits for the client, and the client waits for pppd`,
    remedy: (evidence) =>
      `remove the option "silent" from ${[...new Set([optionsFile(evidence), DEFAULT_OPTIONS])].join(' and ')}, and see pppd's own log`,
  },
  pppdSynchronous: {
    when: endedBy(({ kind }) => kind === 'synchronous'),
    problem: reasonWithDetail,
    remedy: (evidence) => `remove the option sync from ${optionsFile(evidence)}`,
  },
  pppdNotExecutable: {
    when: endedBy(({ kind }) => kind === 'notStarted'),
    problem: reasonWithDetail,
    remedy: () => 'apt-get install ppp, or set pppd.path to another program',
  },
  kernelWithoutPpp: {
    when: exited(4),
    problem: reasonWithDetail,
    remedy: () => 'modprobe ppp_async ppp_mppe; in a container the host must provide these modules and /dev/ppp',
  },
  pppdOptions: {
    when: exited(2),
    problem: reasonWithDetail,
    remedy: (evidence) => `correct ${optionsFile(evidence)} (pppd.options) or pppd.args; pptpd-ts doctor checks them`,
  },
  pppdScript: {
    when: exited(8, 9, 18),
    problem: reasonWithDetail,
    remedy: (evidence) =>
      `remove connect, init and pty from ${optionsFile(evidence)}; they are for modems, but here the line already exists`,
  },
  addressNotAllowed: {
    when: (evidence) =>
      failed(({ reason }) => reason === 'addressNotAllowed')(evidence) ||
      pppdComplained('noAddressInSecrets')(evidence),
    problem: (evidence) =>
      pppdComplained('noAddressInSecrets')(evidence)
        ? `${CLOSE_REASONS.pppdFailed.text}: the first line for this server in /etc/ppp/chap-secrets (pap-secrets with ` +
          'PAP) allows no address, and pppd then refuses to run'
        : pppProblem(evidence),
    remedy: (evidence) =>
      pppdComplained('noAddressInSecrets')(evidence)
        ? 'in the fourth column of every line, put *, or the address or network that the user may have'
        : PPP_FAILURE.remedy(evidence),
  },
  addressIsOuter: {
    when: (evidence) => {
      const failure = monitorFailure(evidence);
      return failure?.kind === 'refused' && failure.reason === 'outerAddress';
    },
    problem: ({ peer, local }) =>
      `the tunnel would have the client's own address (${peer}) or the server's (${local}) inside, and its packets would be sent into the tunnel itself`,
    remedy: () =>
      "take the addresses that clients come from out of addresses.remote, and out of the fourth column of the user's line in chap-secrets",
  },
  deviceFailed: {
    when: ({ end }) => end.reason === 'deviceFailed',
    problem: reasonWithDetail,
    remedy: deviceRemedy,
  },
  noSecrets: {
    when: (evidence) => pppdComplained('noSecret')(evidence) || secretsUnreadable(evidence),
    problem: (evidence) =>
      secretsUnreadable(evidence)
        ? reasonWithDetail(evidence)
        : `${CLOSE_REASONS.pppdFailed.text}: /etc/ppp/chap-secrets (pap-secrets with PAP) has no password for this server`,
    remedy: (evidence) =>
      secretsUnreadable(evidence)
        ? `create ${secretsFile(placesOf(evidence), null)} with a line of user name, server, password and * for each ` +
          "user, where server is this server's name (ppp.name) or *"
        : `add a line with user name, server, password and *, where server is the name in ${optionsFile(evidence)}, or *`,
  },
  radiusUnavailable: {
    when: (evidence) => notJudged(evidence) !== null,
    problem: reasonWithDetail,
    remedy: (evidence) => RADIUS_REMEDIES[notJudged(evidence) ?? 'noAnswer'],
  },
  loginNotChecked: {
    when: (evidence) =>
      engineEnded('verdictTimeout')(evidence) || (isLoginUnchecked(evidence) && !guessedTooOften(evidence)),
    problem: reasonWithDetail,
    remedy: (evidence) => monitorRemedy(evidence) ?? "see the monitor's messages in the server's log",
  },
  pppdFailed: {
    when: ({ end }) => end.reason === 'pppdFailed',
    problem: reasonWithDetail,
    remedy: () => "see pppd's messages in the system log; pptpd-ts doctor checks for more causes",
  },
  // pppd with its own secrets refuses an unknown name without MS-CHAP's error number.
  loginRefused: {
    when: (evidence) => refusedByRadius(evidence) || refusedWithoutReason(evidence),
    problem: (evidence) =>
      refusedByRadius(evidence)
        ? `the RADIUS server refused the login: ${pppProblem(evidence)}`
        : `${pppProblem(evidence)}; pppd gave no error number: its own secrets have no such name, or the RADIUS server refused`,
    remedy: (evidence) =>
      refusedByRadius(evidence)
        ? "see the RADIUS server's log"
        : "put the name into the first column of /etc/ppp/chap-secrets, and this server's name or * into the second; with RADIUS, see " +
          "the RADIUS server's log",
  },
  accountDisabled: {
    when: refusedWith(ACCOUNT_DISABLED),
    problem: pppProblem,
    remedy: () =>
      'pptpd-ts users enable NAME if it is disabled, pptpd-ts users set NAME --expires TIME if it has expired',
  },
  quotaReached: {
    when: refusedWith(NO_PERMISSION),
    problem: (evidence) => `the account has used up its quota: ${pppProblem(evidence)}`,
    remedy: () =>
      'pptpd-ts users show NAME shows when it begins anew; pptpd-ts users set NAME --quota SIZE/PERIOD raises it',
  },
  authenticationFailed: {
    when: failed(({ reason }) => reason === 'authenticationFailed'),
    problem: (evidence) => `${pppProblem(evidence)}; ${NAME_OR_PASSWORD[engineOf(evidence)].problem}`,
    remedy: (evidence) =>
      `look for the user name in the first column of ${loginSecrets(evidence)}, and for ` +
      NAME_OR_PASSWORD[engineOf(evidence)].remedy,
  },
  loginUnanswered: { when: failed(({ reason }) => reason === 'loginUnanswered'), ...PPP_FAILURE },
  authProtocolRefused: { when: failed(({ reason }) => reason === 'authProtocolRefused'), ...PPP_FAILURE },
  encryptionRefusedByClient: {
    when: failed((failure) => failure.reason === 'encryptionRefused' && failure.by === 'client'),
    ...PPP_FAILURE,
  },
  encryptionRefusedByServer: {
    when: failed((failure) => failure.reason === 'encryptionRefused' && failure.by === 'server'),
    ...PPP_FAILURE,
  },
  encryptionModesDiffer: { when: failed(({ reason }) => reason === 'encryptionModesDiffer'), ...PPP_FAILURE },
  encryptionUnavailable: { when: failed(({ reason }) => reason === 'encryptionUnavailable'), ...PPP_FAILURE },
  serverLoginRefused: { when: failed(({ reason }) => reason === 'serverLoginRefused'), ...PPP_FAILURE },
  negotiationTimeout: {
    when: failed(({ reason }) => reason === 'negotiationTimeout'),
    problem: pppProblem,
    remedy: ({ peer, local }) => openGre(peer, local),
  },
  addressRefused: { when: failed(({ reason }) => reason === 'addressRefused'), ...PPP_FAILURE },
  noNetworkProtocol: { when: failed(({ reason }) => reason === 'noNetworkProtocol'), ...PPP_FAILURE },
  greUnusable: {
    when: (evidence) =>
      evidence.ppp?.frames.fromClient === 0 &&
      unusableOf(evidence).length > 0 &&
      (noFrameArrived(evidence) || leftEarly(evidence)),
    problem: (evidence) =>
      `${noFrameArrived(evidence) ? pppProblem(evidence) : timeOfLeaving(evidence)}; ${unusableProblem(evidence)}`,
    remedy: (evidence) => likelySender(evidence).remedy(evidence),
  },
  greNotReceived: {
    when: noFrameArrived,
    problem: (evidence) => `${pppProblem(evidence)}; GRE (IP protocol 47) is blocked from the client to the server`,
    remedy: ({ peer, local }) => openGre(peer, local),
  },
  greNotDelivered: {
    when: failed((failure) => failure.reason === 'lcpTimeout' && failure.lost === 'toClient'),
    problem: pppProblem,
    remedy: ({ peer, local }) => openGre(local, peer),
  },
  lcpTimeout: {
    when: failed(({ reason }) => reason === 'lcpTimeout'),
    problem: pppProblem,
    remedy: ({ peer, local }) => openGre(peer, local),
  },
  controlConnectionLost: {
    when: ({ end, tunnelPackets }) => end.reason === 'clientSilent' && tunnelPackets > 0,
    problem: (evidence) =>
      `the control connection of client ${evidence.peer} is dead, but its tunnel is not: ${silenceOf(evidence)}, and ` +
      `${evidence.tunnelPackets} GRE packets arrived meanwhile; a NAT router or firewall between ${evidence.peer} and ` +
      `${evidence.local} has forgotten the connection to TCP port 1723`,
    remedy: () => 'raise its timeout for idle TCP connections, or set timeouts.echoInterval to less than that',
  },
  clientVanished: {
    when: (evidence) =>
      evidence.end.reason === 'clientSilent' || exited(PEER_DEAD)(evidence) || engineEnded('echoTimeout')(evidence),
    problem: (evidence) =>
      `client ${evidence.peer} has vanished: ${silenceOf(evidence)}; its machine or its path to ${evidence.local} is down, or a NAT router has forgotten the connection`,
  },
  connectionFailed: {
    when: ({ end }) => end.reason === 'connectionFailed',
    problem: (evidence) =>
      `${reasonWithDetail(evidence)}: the path between ${evidence.peer} and ${evidence.local} is broken`,
  },
  protocolError: {
    when: ({ end }) => end.reason === 'protocolError' || end.reason === 'versionRefused',
    problem: (evidence) => `${reasonWithDetail(evidence)}: ${evidence.peer} is not a PPTP version 1 client (RFC 2637)`,
  },
  ptyFailed: {
    when: endedBy(({ kind }) => kind === 'ptyClosed' || kind === 'ptyUnreadable'),
    problem: reasonWithDetail,
    remedy: () =>
      "see pppd's messages in the system log; a program in pppd.path that is not pppd must exit when it closes its standard input",
  },
  relayFailed: {
    when: ({ end }) => end.reason === 'relayFailed',
    problem: reasonWithDetail,
    remedy: ({ peer, local }) =>
      `run ip route get ${peer} from ${local}, and look for a blackhole route to the client or a missing address of this server`,
  },
  noCall: {
    when: ({ end }) => end.reason === 'noCall' && end.after === 'start',
    problem: ({ peer, seconds, configuration }) =>
      `client ${peer} started no call within ${Math.round(seconds)} s (timeouts.establish is ` +
      `${configuration.timeouts.establish} s): it hangs, or it does not want a tunnel`,
  },
  pppdPersists: {
    when: ({ end }) => end.reason === 'linkEnded',
    problem: reasonWithDetail,
    remedy: (evidence) => `remove the option persist from ${optionsFile(evidence)}; it is for the side that dials`,
  },
  mppeKeysDiffer: {
    when: endedBy(({ kind }) => kind === 'undecryptable'),
    problem: ({ peer }) => mppeKeysProblem(peer, 'server'),
    remedy: (evidence) => mppeKeysRemedy('server', placesOf(evidence)),
  },
  loopback: {
    when: (evidence) => engineEnded('loopback')(evidence) || exited(LOOPED_BACK)(evidence),
    problem: ({ peer, local }) =>
      `the server received its own PPP frames: something between ${local} and ${peer} sends GRE packets back`,
    remedy: ({ peer }) => `look for what answers in the client's place: tcpdump -eni any proto 47 and host ${peer}`,
  },
  encryptionLost: {
    when: engineEnded('encryptionLost'),
    problem: (evidence) =>
      `${reasonWithDetail(evidence)}: the same keys must not encrypt twice, so the client has to log in again`,
    remedy: () => "see the client's own log",
  },
  noAgreement: {
    when: engineEnded('noAgreement', 'protocolRejected'),
    problem: (evidence) =>
      `${reasonWithDetail(evidence)}: its PPP is faulty, or it wants what this server does not offer`,
    remedy: ({ peer }) => `record its next login (pptpd-ts capture --next ${peer} -w FILE), and try another client`,
  },
  terminated: { when: failed(({ reason }) => reason === 'terminated'), ...PPP_FAILURE },
  pppdDied: {
    when: (evidence) => evidence.end.reason === 'pppdExited' && (neverUp(evidence) || !exited(...USUAL_ENDS)(evidence)),
    problem: reasonWithDetail,
    remedy: () => "see pppd's messages in the system log",
  },
  clientLeft: {
    when: leftEarly,
    problem: (evidence) => {
      const { peer, local, ppp } = evidence;
      const frames = ppp?.frames.fromClient ?? 0;
      return (
        `${timeOfLeaving(evidence)}: ` +
        (frames === 0
          ? `no GRE packet (IP protocol 47) had arrived from ${peer} at ${local}`
          : `${frames} PPP frames had arrived from ${peer}`)
      );
    },
    remedy: () => "see the client's own log",
  },
} as const satisfies Record<string, Row>;

export type FailureCause = keyof typeof FAILURES;

/** In the order of the table. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the table's own keys
export const FAILURE_CAUSES = Object.keys(FAILURES) as readonly FailureCause[];

/** The explanation; null if the end is not a failure. */
export function explain(evidence: Evidence): Explanation | null {
  const cause = FAILURE_CAUSES.find((each) => FAILURES[each].when(evidence));
  if (cause === undefined) return null;
  const row: Row = FAILURES[cause];
  const remedy = row.remedy?.(evidence) ?? null;
  return { cause, text: sentence(row.problem(evidence), remedy), remedy };
}

const sentence = (problem: string, remedy: string | null): string =>
  remedy === null ? problem : `${problem}; remedy: ${remedy}`;

/** `by`: the side that cannot decrypt what it receives (ppp/mppe-keys). */
const mppeKeysProblem = (peer: string, by: Side): string =>
  `the MPPE keys differ: ${
    by === 'server' ? `the server cannot decrypt what ${peer} sends` : `${peer} cannot decrypt what the server sends`
  }, so no traffic gets through`;

const MPPE_KEYS_REMEDIES: Readonly<Record<PppEngine, (by: Side) => string>> = {
  pppd: (by) =>
    `with RADIUS, correct the key that its server sends (${by === 'server' ? 'MS-MPPE-Recv-Key' : 'MS-MPPE-Send-Key'}), ` +
    'and replace pppd 2.5.0, whose radius.so misreads it, with a newer one; without RADIUS, update the client, which ' +
    'computes its key wrong',
  builtin: () => 'update the client, which computes its key wrong',
};

const mppeKeysRemedy = (by: Side, { engine, radius }: SettingPlaces): string =>
  engine === 'builtin' && radius
    ? `correct the key that the RADIUS server sends (${by === 'server' ? 'MS-MPPE-Recv-Key' : 'MS-MPPE-Send-Key'})`
    : MPPE_KEYS_REMEDIES[engine](by);

/** A warning about a live session. */
export const describeMppeKeys = (peer: string, by: Side, places: SettingPlaces): string =>
  sentence(mppeKeysProblem(peer, by), mppeKeysRemedy(by, places));

/** IPv6's minimum (RFC 8200 §5), which nearly every path carries even with GRE's headers added; IPv4's (RFC 791). */
const LOW_MTU = 1280;
const MIN_MTU = 576;

/** `arrives`, `missing`: PPP octets, see gre/size-loss. */
export interface BlackHole {
  readonly local: string;
  readonly peer: string;
  readonly arrives: number;
  readonly missing: number;
}

/** A warning about a live session. */
export function describeBlackHole(
  { local, peer, arrives, missing }: BlackHole,
  { engine, written }: SettingPlaces,
): string {
  const mtu = missing > LOW_MTU ? LOW_MTU : MIN_MTU;
  const setting =
    engine === 'builtin' || written.has('mtu') || written.has('mru')
      ? `set ppp.mtu and ppp.mru to ${mtu}`
      : `put "mtu ${mtu}" and the same mru into the pppd options`;
  return sentence(
    `an MTU black hole is suspected on the path from ${local} to ${peer}: PPP frames of ${missing} octets and more were lost ` +
      `repeatedly and none of them arrived, but frames of up to ${arrives} octets did`,
    `${setting}, clamp TCP (TCPMSS --clamp-mss-to-pmtu), and let ICMP "fragmentation needed" pass`,
  );
}

/** A warning about a live session. `other`: the session that called under the same call id. */
export const describeSharedCallId = (local: string, peer: string, peerCallId: number, other: string): string =>
  sentence(
    `session ${other} also called from ${peer} under the same call id (${peerCallId}), and both clients are alive: what is sent to ` +
      'one of them reaches the other',
    `have the NAT router between them and ${local} use its PPTP helper (nf_nat_pptp), which gives each client a call id of its own`,
  );
