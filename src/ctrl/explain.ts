/**
 * Why a login failed, or a session broke, in one sentence with cause and remedy: a table of conditions over what is known
 * at the end. What the PPP negotiation itself tells stands in ppp/failure and is only completed here by addresses and
 * files; docs/failures.md lists the sentences. Pure.
 */
import type { Configuration } from '../config/schema.js';
import { describeFailure, type PppFailure, type PppState, type Side } from '../ppp/reader.js';
import { CLOSE_REASONS, type CloseReason } from '../session/close-reason.js';
import type { PppdEnd } from './call.js';

/** What is known when a call or its session ends. */
export interface Evidence {
  readonly reason: CloseReason;
  readonly detail: string | null;
  /** The client's address, and ours as it dialled it. */
  readonly peer: string;
  readonly local: string;
  /** Seconds since the session's start. */
  readonly seconds: number;
  /** null: the client had no call. */
  readonly ppp: Pick<PppState, 'failure' | 'frames' | 'times' | 'user'> | null;
  /** null: it has not ended by itself. */
  readonly pppdEnd: PppdEnd | null;
  readonly pppdIsSynchronous: boolean;
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

/** pppd ended before it was told to, with one of these exit codes. */
const pppdExited =
  (...codes: readonly number[]) =>
  ({ reason, pppdEnd }: Evidence): boolean =>
    (reason === 'pppdFailed' || reason === 'pppdExited') && pppdEnd?.signal === 0 && codes.includes(pppdEnd.code);

/** pppd printed this line and ended. */
const pppdSaid =
  (line: string) =>
  ({ reason, pppdEnd }: Evidence): boolean =>
    reason === 'pppdFailed' && (pppdEnd?.words.includes(line) ?? false);

/** pppd could not be started, or ended before it was told to; `words` is what it said, or its exit code in words. */
const pppdEnded =
  (words: RegExp) =>
  ({ reason, detail }: Evidence): boolean =>
    (reason === 'pppdFailed' || reason === 'pppdExited') && words.test(detail ?? '');

/** The sentence of ppp/failure. */
function told(evidence: Evidence): string {
  const { failure = null } = evidence.ppp ?? {};
  return failure === null ? CLOSE_REASONS[evidence.reason].text : describeFailure(failure, optionsFile(evidence));
}

/** The same, and what else there is to say. */
const completed =
  (remedy: (evidence: Evidence) => string) =>
  (evidence: Evidence): string =>
    `${told(evidence)}; ${remedy(evidence)}`;

const quoted = ({ reason, detail }: Evidence): string =>
  `${CLOSE_REASONS[reason].text}${detail === null ? '' : ` (${detail})`}`;

const optionsFile = ({ configuration }: Evidence): string => configuration.pppd.options ?? '/etc/ppp/options';

/** Where pppd looks for the passwords of the protocol that the client logged in by. */
const secretsFile = ({ ppp }: Evidence): string =>
  ppp?.failure?.reason === 'authenticationFailed' && ppp.failure.protocol === 'PAP'
    ? '/etc/ppp/pap-secrets'
    : '/etc/ppp/chap-secrets';

const openGre = (from: string, to: string): string =>
  `let IP protocol 47 pass from ${from} to ${to} in every firewall between them, by the PPTP helper (nf_nat_pptp) where ` +
  `there is NAT; to see it: tcpdump -ni any proto 47 and host ${from === to ? from : `${from} and host ${to}`}`;

/** A session that was up and ended so has nothing to explain. */
const endedAsUsual = pppdExited(0, 5, 12, 13, 16, 20);

/** pppd with none of its secrets fit for this server, or fit but without an address (auth.c of pppd 2.4 and 2.5). */
const noSecret = pppdSaid("but I couldn't find any suitable secret (password) for it to use to do so.");
const noAddressInSecrets = pppdSaid('(None of the available passwords would let it use an IP address.)');

const neverUp = ({ ppp }: Evidence): boolean => ppp === null || ppp.times.up === null;
const clientGone = ({ reason }: Evidence): boolean =>
  reason === 'clientStopped' || reason === 'clientClosed' || reason === 'clientCleared';

/** What shows that the client has vanished. */
function silenceOf({ reason, detail, configuration }: Evidence): string {
  const { echoInterval, echoReply } = configuration.timeouts;
  if (reason !== 'clientSilent') return 'it answers no LCP echo request (lcp-echo-interval, lcp-echo-failure)';
  if (detail?.includes('takes nothing')) return 'it takes nothing of what is sent to it on its control connection';
  return `nothing came on its control connection for ${echoInterval + echoReply} s`;
}

/** Of those that apply the first one stands. */
const FAILURES = {
  userLimit: {
    when: ({ reason }) => reason === 'userLimit',
    tell: (evidence) =>
      `${quoted(evidence)}: end the other session by pptpd-ts kick, raise the limit, or set policy.whenExceeded to "replace"`,
  },
  pppdSilent: {
    when: pppdEnded(/no PPP frame/),
    tell: (evidence) =>
      `${quoted(evidence)}: pppd waits for the client, which waits for us; take the option "silent" out of ` +
      `${[...new Set([optionsFile(evidence), '/etc/ppp/options'])].join(' and ')}, and see pppd's own log`,
  },
  pppdSynchronous: {
    when: ({ reason, pppdIsSynchronous }) => reason === 'pppdFailed' && pppdIsSynchronous,
    tell: (evidence) => `${quoted(evidence)}: take the option sync out of ${optionsFile(evidence)}`,
  },
  pppdNotExecutable: {
    when: pppdEnded(/cannot start/),
    tell: (evidence) => `${quoted(evidence)}: install it (apt-get install ppp), or name another program in pppd.path`,
  },
  kernelWithoutPpp: {
    when: (evidence) => pppdExited(4)(evidence) || pppdEnded(/kernel support|\/dev\/ppp/i)(evidence),
    tell: (evidence) =>
      `${quoted(evidence)}: modprobe ppp_async ppp_mppe; in a container the host has to give it /dev/ppp and these modules`,
  },
  pppdOptions: {
    when: pppdExited(2),
    tell: (evidence) =>
      `${quoted(evidence)}: correct ${optionsFile(evidence)} (pppd.options) or pppd.args; pptpd-ts doctor tries them`,
  },
  pppdScript: {
    when: pppdExited(8, 9, 18),
    tell: (evidence) =>
      `${quoted(evidence)}: take connect, init and pty out of ${optionsFile(evidence)}; they are for modems, and here the ` +
      'line is there already',
  },
  addressNotAllowed: {
    when: (evidence) =>
      failed(({ reason }) => reason === 'addressNotAllowed')(evidence) || noAddressInSecrets(evidence),
    tell: (evidence) =>
      noAddressInSecrets(evidence)
        ? `${CLOSE_REASONS.pppdFailed.text}: the first line for this server in /etc/ppp/chap-secrets (pap-secrets with ` +
          'PAP) allows no address, and pppd then serves nobody; put * into the fourth column of every line, or the ' +
          'address or network that its user may have'
        : told(evidence),
  },
  noSecrets: {
    when: noSecret,
    tell: (evidence) =>
      `${CLOSE_REASONS.pppdFailed.text}: /etc/ppp/chap-secrets (pap-secrets with PAP) has no password for this server; put a ` +
      `line with user name, server, password and * into it, where server is the name in ${optionsFile(evidence)}, or *`,
  },
  pppdFailed: {
    when: ({ reason }) => reason === 'pppdFailed',
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
  greNotReceived: {
    when: failed((failure) => failure.reason === 'lcpTimeout' && failure.lost === 'fromClient'),
    tell: completed(({ peer, local }) => openGre(peer, local)),
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
    when: ({ reason, tunnelPackets }) => reason === 'clientSilent' && tunnelPackets > 0,
    tell: (evidence) =>
      `the control connection of client ${evidence.peer} is dead, while its tunnel is not: ${silenceOf(evidence)}, and ` +
      `${evidence.tunnelPackets} GRE packets came meanwhile; a NAT router or firewall between ${evidence.peer} and ` +
      `${evidence.local} has forgotten TCP port 1723: raise its time for idle TCP connections, or set ` +
      'timeouts.echoInterval below it',
  },
  clientVanished: {
    when: (evidence) =>
      evidence.reason === 'clientSilent' || (evidence.reason === 'pppdExited' && pppdExited(15)(evidence)),
    tell: (evidence) =>
      `client ${evidence.peer} has vanished: ${silenceOf(evidence)}; its machine or its way to ${evidence.local} is gone, or a NAT router has forgotten the connection`,
  },
  connectionFailed: {
    when: ({ reason }) => reason === 'connectionFailed',
    tell: (evidence) => `${quoted(evidence)}: the way between ${evidence.peer} and ${evidence.local} is broken`,
  },
  protocolError: {
    when: ({ reason }) => reason === 'protocolError' || reason === 'versionRefused',
    tell: (evidence) => `${quoted(evidence)}: ${evidence.peer} is no PPTP client of version 1 (RFC 2637)`,
  },
  relayFailed: {
    when: ({ reason }) => reason === 'relayFailed',
    tell: (evidence) =>
      `${quoted(evidence)}: see what the system has against it by ip route get ${evidence.peer} from ${evidence.local}: ` +
      'a blackhole route to the client, or an address of ours that is gone',
  },
  noCall: {
    when: ({ reason }) => reason === 'noCall',
    tell: ({ peer, seconds, configuration }) =>
      `client ${peer} has started no call in ${Math.round(seconds)} s (timeouts.establish is ` +
      `${configuration.timeouts.establish} s): what it wants is no tunnel, or it hangs`,
  },
  pppdPersists: {
    when: ({ reason }) => reason === 'linkEnded',
    tell: (evidence) =>
      `${quoted(evidence)}: take the option persist out of ${optionsFile(evidence)}; it is for the side that dials`,
  },
  terminated: { when: failed(({ reason }) => reason === 'terminated'), tell: told },
  pppdDied: {
    when: (evidence) => evidence.reason === 'pppdExited' && (neverUp(evidence) || !endedAsUsual(evidence)),
    tell: (evidence) => `${quoted(evidence)}: see what pppd has written to the system's log`,
  },
  clientLeft: {
    when: (evidence) => evidence.ppp !== null && neverUp(evidence) && clientGone(evidence),
    tell: ({ reason, peer, local, seconds, ppp }) =>
      `${CLOSE_REASONS[reason].text} ${Math.round(seconds)} s after it came, before it was logged in: ` +
      (ppp?.frames.fromClient === 0
        ? `not one GRE packet (IP protocol 47) had come from ${peer} to ${local}`
        : `${ppp?.frames.fromClient ?? 0} PPP frames had come from ${peer}; its own log tells why it left`),
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
