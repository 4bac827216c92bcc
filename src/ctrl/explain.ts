/**
 * Why a login failed, or a session broke, in one sentence with cause and remedy: a table of conditions over what is known
 * at the end. What the PPP negotiation itself tells stands in ppp/failure and is only completed here by addresses and
 * files; docs/failures.md lists the sentences. Pure.
 */
import type { Configuration } from '../config/schema.js';
import type { RelayCounters } from '../gre/relay-counters.js';
import { describeFailure, type PppFailure, type PppState, type Side } from '../ppp/reader.js';
import type { EndCause, PppdComplaint } from '../link/end-cause.js';
import { CLOSE_REASONS } from '../session/close-reason.js';
import { describeDetail, type SessionEnd } from './session-end.js';

/** What is known when a call or its session ends. */
export interface Evidence {
  readonly end: SessionEnd;
  /** The client's address, and ours as it dialled it. */
  readonly peer: string;
  readonly local: string;
  /** Seconds since the session's start. */
  readonly seconds: number;
  /** null: the client had no call. */
  readonly ppp: Pick<PppState, 'failure' | 'frames' | 'times' | 'user'> | null;
  /** null: the client had no call, or no relay. */
  readonly counters: Readonly<Partial<RelayCounters>> | null;
  /** How many GRE packets of the call have come since the client was asked on its control connection whether it is there. */
  readonly tunnelPackets: number;
  readonly configuration: {
    readonly pppd: Pick<Configuration['pppd'], 'path' | 'options'>;
    readonly timeouts: Pick<Configuration['timeouts'], 'establish' | 'echoInterval' | 'echoReply'>;
  };
}

export interface Explanation {
  /** A name of FAILURES: stable, for scripts and metrics. */
  readonly cause: FailureCause;
  readonly text: string;
}

interface Row {
  readonly when: (evidence: Evidence) => boolean;
  readonly tell: (evidence: Evidence) => string;
}

const failed =
  (accepts: (failure: PppFailure) => boolean) =>
  ({ ppp }: Evidence): boolean =>
    ppp !== null && ppp.failure !== null && accepts(ppp.failure);

/** The link has failed or ended by itself, in one of these ways. */
const linkEnded =
  (accepts: (cause: EndCause) => boolean) =>
  ({ end }: Evidence): boolean =>
    'cause' in end && accepts(end.cause);

/** pppd has ended with one of these exit codes (pppd(8)). */
const exited = (...codes: readonly number[]): ((evidence: Evidence) => boolean) =>
  linkEnded((cause) => cause.kind === 'exit' && codes.includes(cause.code));

/** The sentence of ppp/failure. */
function told(evidence: Evidence): string {
  const { failure = null } = evidence.ppp ?? {};
  return failure === null ? CLOSE_REASONS[evidence.end.reason].text : describeFailure(failure, optionsFile(evidence));
}

/** The same, and what else there is to say. */
const completed =
  (remedy: (evidence: Evidence) => string) =>
  (evidence: Evidence): string =>
    `${told(evidence)}; ${remedy(evidence)}`;

const quoted = ({ end }: Evidence): string => {
  const detail = describeDetail(end);
  return `${CLOSE_REASONS[end.reason].text}${detail === null ? '' : ` (${detail})`}`;
};

const optionsFile = ({ configuration }: Evidence): string => configuration.pppd.options ?? '/etc/ppp/options';

/** Where pppd looks for the passwords of the protocol that the client logged in by. */
const secretsFile = ({ ppp }: Evidence): string =>
  ppp?.failure?.reason === 'authenticationFailed' && ppp.failure.protocol === 'PAP'
    ? '/etc/ppp/pap-secrets'
    : '/etc/ppp/chap-secrets';

const openGre = (from: string, to: string): string =>
  `let IP protocol 47 pass from ${from} to ${to} in every firewall between them, by the PPTP helper (nf_nat_pptp) where ` +
  `there is NAT; to see it: tcpdump -ni any proto 47 and host ${from === to ? from : `${from} and host ${to}`}`;

/** Who has sent packets that no PPP frame could be taken from, and what to do. */
const SENDERS = {
  otherTunnel: ({ peer, local }) =>
    `another tunnel between the two, such as plain GRE or EoIP, sends them, and PPTP's own do not arrive: ${openGre(peer, local)}`,
  otherCall: () =>
    'another client behind that address sends them, or an earlier call, or a NAT router has changed the call id: load the ' +
    'PPTP helper (nf_nat_pptp) on every router between them that has NAT',
  faultyClient: ({ peer }) =>
    `the client's PPTP is faulty, or a router changes its packets: compare what it sends with what arrives here (tcpdump -vni any proto 47 and host ${peer}), and try another client or another network`,
  mutePpp: () => 'the client hears this server and begins no PPP negotiation: see its own log',
} as const satisfies Record<string, (evidence: Evidence) => string>;

interface Unusable {
  readonly counter: keyof RelayCounters;
  /** Behind a number of packets. */
  readonly words: string;
  readonly sender: keyof typeof SENDERS;
}

/** What may come from a client that never sends a PPP frame of the negotiation. */
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
  { counter: 'acksReceived', words: 'with an acknowledgment', sender: 'mutePpp' },
];

/** Those that have come, the most frequent first. */
const unusableOf = ({ counters }: Evidence): readonly (Unusable & { readonly count: number })[] =>
  UNUSABLE.map((each) => ({ ...each, count: counters?.[each.counter] ?? 0 }))
    .filter(({ count }) => count > 0)
    .toSorted((one, other) => other.count - one.count);

function tellUnusable(evidence: Evidence): string {
  const found = unusableOf(evidence);
  const list = found.map(({ count, words, counter }) => `${count} ${words} (${counter})`).join(', ');
  const remedy = SENDERS[found[0]?.sender ?? 'faultyClient'](evidence);
  return `GRE packets (IP protocol 47) came from ${evidence.peer} and none of them was of use: ${list}; ${remedy}`;
}

/** pppd has printed why it serves nobody. */
const complained = (complaint: PppdComplaint): ((evidence: Evidence) => boolean) =>
  linkEnded((cause) => cause.kind === 'exit' && cause.complaint === complaint);

/** pppd's exit codes that explain nothing when the session was up: it was told to end, was idle, or hung up. */
const USUAL_ENDS: readonly number[] = [0, 5, 12, 13, 16, 20];
/** pppd's exit code when the peer answers no LCP echo request. */
const PEER_DEAD = 15;

const neverUp = ({ ppp }: Evidence): boolean => ppp === null || ppp.times.up === null;
const clientGone = ({ end: { reason } }: Evidence): boolean =>
  reason === 'clientStopped' || reason === 'clientClosed' || reason === 'clientCleared';

/** It gave up before anything was agreed. */
const leftEarly = (evidence: Evidence): boolean => evidence.ppp !== null && neverUp(evidence) && clientGone(evidence);

const noFrameCame = failed((failure) => failure.reason === 'lcpTimeout' && failure.lost === 'fromClient');

const timeOfLeaving = ({ end, seconds }: Evidence): string =>
  `${CLOSE_REASONS[end.reason].text} ${Math.round(seconds)} s after it came, before it was logged in`;

/** What shows that the client has vanished. */
function silenceOf({ end, configuration }: Evidence): string {
  const { echoInterval, echoReply } = configuration.timeouts;
  if (end.reason !== 'clientSilent') return 'it answers no LCP echo request (lcp-echo-interval, lcp-echo-failure)';
  return end.silence === 'readsNothing'
    ? 'it reads nothing of what is sent to it on its control connection'
    : `nothing came on its control connection for ${echoInterval + echoReply} s`;
}

/** Of those that apply the first one stands. */
const FAILURES = {
  userLimit: {
    when: ({ end }) => end.reason === 'userLimit',
    tell: (evidence) =>
      `${quoted(evidence)}: end the other session by pptpd-ts kick, raise the limit, or set policy.whenExceeded to "replace"`,
  },
  calledAgain: {
    when: ({ end }) => end.reason === 'calledAgain',
    tell: (evidence) =>
      `client ${evidence.peer} has called again under the same call id, and its earlier connection to ${evidence.local} is dead ` +
      `(${describeDetail(evidence.end)}): it was restarted, or its network was gone for a while`,
  },
  pppdSilent: {
    when: linkEnded(({ kind }) => kind === 'noFirstFrame'),
    tell: (evidence) =>
      `${quoted(evidence)}: pppd waits for the client, which waits for us; take the option "silent" out of ` +
      `${[...new Set([optionsFile(evidence), '/etc/ppp/options'])].join(' and ')}, and see pppd's own log`,
  },
  pppdSynchronous: {
    when: linkEnded(({ kind }) => kind === 'synchronous'),
    tell: (evidence) => `${quoted(evidence)}: take the option sync out of ${optionsFile(evidence)}`,
  },
  pppdNotExecutable: {
    when: linkEnded(({ kind }) => kind === 'notStarted'),
    tell: (evidence) => `${quoted(evidence)}: install it (apt-get install ppp), or name another program in pppd.path`,
  },
  kernelWithoutPpp: {
    when: exited(4),
    tell: (evidence) =>
      `${quoted(evidence)}: modprobe ppp_async ppp_mppe; in a container the host has to give it /dev/ppp and these modules`,
  },
  pppdOptions: {
    when: exited(2),
    tell: (evidence) =>
      `${quoted(evidence)}: correct ${optionsFile(evidence)} (pppd.options) or pppd.args; pptpd-ts doctor tries them`,
  },
  pppdScript: {
    when: exited(8, 9, 18),
    tell: (evidence) =>
      `${quoted(evidence)}: take connect, init and pty out of ${optionsFile(evidence)}; they are for modems, and here the ` +
      'line is there already',
  },
  addressNotAllowed: {
    when: (evidence) =>
      failed(({ reason }) => reason === 'addressNotAllowed')(evidence) || complained('noAddressInSecrets')(evidence),
    tell: (evidence) =>
      complained('noAddressInSecrets')(evidence)
        ? `${CLOSE_REASONS.pppdFailed.text}: the first line for this server in /etc/ppp/chap-secrets (pap-secrets with ` +
          'PAP) allows no address, and pppd then serves nobody; put * into the fourth column of every line, or the ' +
          'address or network that its user may have'
        : told(evidence),
  },
  noSecrets: {
    when: complained('noSecret'),
    tell: (evidence) =>
      `${CLOSE_REASONS.pppdFailed.text}: /etc/ppp/chap-secrets (pap-secrets with PAP) has no password for this server; put a ` +
      `line with user name, server, password and * into it, where server is the name in ${optionsFile(evidence)}, or *`,
  },
  pppdFailed: {
    when: ({ end }) => end.reason === 'pppdFailed',
    tell: (evidence) =>
      `${quoted(evidence)}: see what pppd has written to the system's log; pptpd-ts doctor looks for more`,
  },
  // pppd with secrets of its own refuses a name that it does not find without MS-CHAP's error number.
  loginRefused: {
    when: failed(
      (failure) =>
        failure.reason === 'authenticationFailed' &&
        failure.code === null &&
        failure.message === null &&
        (failure.protocol?.startsWith('MS-CHAP') ?? false),
    ),
    tell: completed(
      () =>
        'pppd gave no error number: with its own secrets it has none for that name (put it into the first column of ' +
        "/etc/ppp/chap-secrets, this server's or * into the second), with RADIUS the server refused (see its log)",
    ),
  },
  authenticationFailed: {
    when: failed(({ reason }) => reason === 'authenticationFailed'),
    tell: completed(
      (evidence) =>
        'the client is not told which of the two is wrong, and neither are we: look for the name in the first column of ' +
        `${secretsFile(evidence)}, for this server's in the second, or into the log of the RADIUS server`,
    ),
  },
  loginUnanswered: { when: failed(({ reason }) => reason === 'loginUnanswered'), tell: told },
  authProtocolRefused: { when: failed(({ reason }) => reason === 'authProtocolRefused'), tell: told },
  encryptionRefusedByClient: {
    when: failed((failure) => failure.reason === 'encryptionRefused' && failure.by === 'client'),
    tell: told,
  },
  encryptionRefusedByServer: {
    when: failed((failure) => failure.reason === 'encryptionRefused' && failure.by === 'server'),
    tell: told,
  },
  encryptionModesDiffer: { when: failed(({ reason }) => reason === 'encryptionModesDiffer'), tell: told },
  encryptionUnavailable: { when: failed(({ reason }) => reason === 'encryptionUnavailable'), tell: told },
  serverLoginRefused: { when: failed(({ reason }) => reason === 'serverLoginRefused'), tell: told },
  negotiationTimeout: {
    when: failed(({ reason }) => reason === 'negotiationTimeout'),
    tell: completed(({ peer, local }) => openGre(peer, local)),
  },
  addressRefused: { when: failed(({ reason }) => reason === 'addressRefused'), tell: told },
  noNetworkProtocol: { when: failed(({ reason }) => reason === 'noNetworkProtocol'), tell: told },
  greUnusable: {
    when: (evidence) =>
      evidence.ppp?.frames.fromClient === 0 &&
      unusableOf(evidence).length > 0 &&
      (noFrameCame(evidence) || leftEarly(evidence)),
    tell: (evidence) =>
      noFrameCame(evidence)
        ? completed(tellUnusable)(evidence)
        : `${timeOfLeaving(evidence)}; ${tellUnusable(evidence)}`,
  },
  greNotReceived: {
    when: noFrameCame,
    tell: completed(({ peer, local }) => `GRE (IP protocol 47) is blocked on the way to us: ${openGre(peer, local)}`),
  },
  greNotDelivered: {
    when: failed((failure) => failure.reason === 'lcpTimeout' && failure.lost === 'toClient'),
    tell: completed(({ peer, local }) => openGre(local, peer)),
  },
  lcpTimeout: {
    when: failed(({ reason }) => reason === 'lcpTimeout'),
    tell: completed(({ peer, local }) => openGre(peer, local)),
  },
  controlConnectionLost: {
    when: ({ end, tunnelPackets }) => end.reason === 'clientSilent' && tunnelPackets > 0,
    tell: (evidence) =>
      `the control connection of client ${evidence.peer} is dead, while its tunnel is not: ${silenceOf(evidence)}, and ` +
      `${evidence.tunnelPackets} GRE packets came meanwhile; a NAT router or firewall between ${evidence.peer} and ` +
      `${evidence.local} has forgotten TCP port 1723: raise its time for idle TCP connections, or set ` +
      'timeouts.echoInterval below it',
  },
  clientVanished: {
    when: (evidence) => evidence.end.reason === 'clientSilent' || exited(PEER_DEAD)(evidence),
    tell: (evidence) =>
      `client ${evidence.peer} has vanished: ${silenceOf(evidence)}; its machine or its way to ${evidence.local} is gone, or a NAT router has forgotten the connection`,
  },
  connectionFailed: {
    when: ({ end }) => end.reason === 'connectionFailed',
    tell: (evidence) => `${quoted(evidence)}: the way between ${evidence.peer} and ${evidence.local} is broken`,
  },
  protocolError: {
    when: ({ end }) => end.reason === 'protocolError' || end.reason === 'versionRefused',
    tell: (evidence) => `${quoted(evidence)}: ${evidence.peer} is no PPTP client of version 1 (RFC 2637)`,
  },
  relayFailed: {
    when: ({ end }) => end.reason === 'relayFailed',
    tell: (evidence) =>
      `${quoted(evidence)}: see what the system has against it by ip route get ${evidence.peer} from ${evidence.local}: ` +
      'a blackhole route to the client, or an address of ours that is gone',
  },
  noCall: {
    when: ({ end }) => end.reason === 'noCall' && end.after === 'start',
    tell: ({ peer, seconds, configuration }) =>
      `client ${peer} has started no call in ${Math.round(seconds)} s (timeouts.establish is ` +
      `${configuration.timeouts.establish} s): what it wants is no tunnel, or it hangs`,
  },
  pppdPersists: {
    when: ({ end }) => end.reason === 'linkEnded',
    tell: (evidence) =>
      `${quoted(evidence)}: take the option persist out of ${optionsFile(evidence)}; it is for the side that dials`,
  },
  terminated: { when: failed(({ reason }) => reason === 'terminated'), tell: told },
  pppdDied: {
    when: (evidence) => evidence.end.reason === 'pppdExited' && (neverUp(evidence) || !exited(...USUAL_ENDS)(evidence)),
    tell: (evidence) => `${quoted(evidence)}: see what pppd has written to the system's log`,
  },
  clientLeft: {
    when: leftEarly,
    tell: (evidence) => {
      const { peer, local, ppp } = evidence;
      return (
        `${timeOfLeaving(evidence)}: ` +
        (ppp?.frames.fromClient === 0
          ? `not one GRE packet (IP protocol 47) had come from ${peer} to ${local}`
          : `${ppp?.frames.fromClient ?? 0} PPP frames had come from ${peer}; its own log tells why it left`)
      );
    },
  },
} as const satisfies Record<string, Row>;

export type FailureCause = keyof typeof FAILURES;

/** In the order in which they are looked for. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the table's own keys
export const FAILURE_CAUSES = Object.keys(FAILURES) as readonly FailureCause[];

/** The explanation; null for an end that is nobody's failure. */
export function explain(evidence: Evidence): Explanation | null {
  const cause = FAILURE_CAUSES.find((each) => FAILURES[each].when(evidence));
  return cause === undefined ? null : { cause, text: FAILURES[cause].tell(evidence) };
}

/** Said once of a session that lives on. `by`: the side that cannot decrypt what it receives (ppp/mppe-keys). */
export const describeMppeKeys = (peer: string, by: Side): string => {
  const [what, attribute] =
    by === 'server'
      ? [`our pppd cannot decrypt what ${peer} sends`, 'MS-MPPE-Recv-Key']
      : [`${peer} cannot decrypt what our pppd sends`, 'MS-MPPE-Send-Key'];
  return (
    `the MPPE keys differ: ${what}, and rejects it as packets of random protocols, so that nothing gets through; with RADIUS ` +
    `correct the key that its server sends (${attribute}), and replace pppd 2.5.0, whose radius.so reads it wrong, by a newer ` +
    'one; without RADIUS the client computes its key wrong: update it'
  );
};

/** IPv6's least (RFC 8200 §5), which nearly every path carries with GRE's headers on top; IPv4's (RFC 791). */
const LOW_MTU = 1280;
const LEAST_MTU = 576;

/** Said once of a session that lives on. `arrives`, `missing`: PPP octets, see gre/size-loss. */
export const describeBlackHole = (local: string, peer: string, arrives: number, missing: number): string =>
  `an MTU black hole is suspected on the way from ${local} to ${peer}: PPP frames of ${missing} octets and more were lost ` +
  `again and again, none of them has arrived, and those of up to ${arrives} did; put "mtu ${missing > LOW_MTU ? LOW_MTU : LEAST_MTU}" and the ` +
  'same mru into the pppd options, clamp TCP (TCPMSS --clamp-mss-to-pmtu), and let ICMP "fragmentation needed" pass';

/** Said once of a session that lives on. `other`: the session that has called under the same call id. */
export const describeSharedCallId = (local: string, peer: string, peerCallId: number, other: string): string =>
  `session ${other} has called from ${peer} too, under the same call id (${peerCallId}), and both clients are there: what is sent to ` +
  `one of them reaches the other; have the NAT router between them and ${local} use its PPTP helper (nf_nat_pptp), which gives ` +
  'each client a call id of its own';
