/** The description of a session: sections of labels and values. Pure. */
import type { SessionState } from '../session/state.js';
import { encryptionText, failureText, pppOf } from './ppp-texts.js';
import { duration, localTime, octets, speedText } from './units.js';

type Row = readonly [label: string, value: string | null];

export interface Section {
  readonly title: string;
  readonly rows: readonly (readonly [label: string, value: string])[];
}

/** Counters of the traffic section; the others are listed by name if they are not 0. */
const DESCRIBED_COUNTERS = [
  'rxPackets',
  'rxBytes',
  'txPackets',
  'txBytes',
  'rxLost',
  'rxHeld',
  'rxLate',
  'rxDuplicate',
  'roundTrip',
  'timeout',
  'window',
  'outstanding',
] as const;

/** What the state does not say. */
export interface Circumstances {
  /** The tunnel's interface; null: none. */
  readonly interfaceName: string | null;
  /** The quota of the account, and what is left of it; null: none, or not known. */
  readonly quota: string | null;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Sections without rows are left out. */
export const sectionsOf = (state: SessionState, circumstances: Circumstances): Section[] =>
  [overview(state, circumstances), negotiation(state), traffic(state), counters(state)].filter(
    ({ rows }) => rows.length > 0,
  );

const section = (title: string, rows: readonly Row[]): Section => ({
  title,
  rows: rows.filter((row): row is readonly [string, string] => row[1] !== null),
});

const PATHS = { tun: 'TUN device', kernel: "the kernel's PPTP driver" } as const;
/** Of a link that does not measure it. */
const UNKNOWN = 'not known: the packets travel in the kernel (docs/data-paths.md)';

function overview(state: SessionState, { interfaceName, quota, now }: Circumstances): Section {
  const { session, user, peer, localAddress, tunnel, phase, since, callId, peerCallId, pid, pppdPid, link, log } =
    state;
  return section(`session ${session}`, [
    ['user', user],
    ['client', `${peer.address}:${peer.port}`],
    ['server', localAddress],
    ['tunnel', tunnel.remote === null ? null : `${tunnel.local ?? '?'} (here) to ${tunnel.remote} (client)`],
    ['phase', phase],
    ['since', `${localTime(since)} (${duration((now - since) / 1000)})`],
    ['ends', state.ending === null ? null : `${state.ending.reason} ${state.ending.detail ?? ''}`.trimEnd()],
    ['limits', limitsText(state.limits)],
    ['speed', speedText(state.speed)],
    ['quota', quota],
    ['failure', state.ending?.text ?? null],
    ['warning', state.warning?.text ?? null],
    ['call ids', `${callId} (ours)${peerCallId === null ? '' : `, ${peerCallId} (the client's)`}`],
    ['worker', `process ${pid}, pptpd-ts ${state.version}`],
    ['pppd', pppdPid === null ? null : `process ${pppdPid}${interfaceName === null ? '' : `, ${interfaceName}`}`],
    [
      'PPP',
      link === 'pppd' || link === null
        ? null
        : `builtin engine, ${interfaceName ?? 'no interface yet'} (${PATHS[link]})`,
    ],
    ['log', log === null ? null : `level ${log.level}, ${log.file ?? 'standard output of the server'}`],
  ]);
}

/** Of the account; null: it has none. */
function limitsText(limits: SessionState['limits']): string | null {
  if (limits === null) return null;
  const { sessions, sessionTime, idleTime, filter } = limits;
  const time = (label: string, seconds: number | null): string[] =>
    seconds === null ? [] : [`${label} ${seconds === 0 ? 'without limit' : duration(seconds)}`];
  const parts = [
    ...(sessions === null ? [] : [`sessions ${sessions === 0 ? 'without limit' : sessions}`]),
    ...time('session time', sessionTime),
    ...time('idle time', idleTime),
    ...(filter === null ? [] : [`filter "${filter}"`]),
  ];
  return parts.length === 0 ? null : `${parts.join(', ')} (of the account)`;
}

function negotiation(state: SessionState): Section {
  const { authentication, encryption, addresses, mru, accm, identification, failure, refusals, phase } = pppOf(state);
  const list = (values: readonly string[] | undefined): string | null =>
    values === undefined || values.length === 0 ? null : values.join(', ');
  return section('PPP negotiation', [
    ['phase', phase ?? null],
    ['authentication', authentication === undefined ? null : authenticationText(authentication)],
    ['encryption', encryptionText(encryption)],
    ['addresses', addresses ? `${addresses.local ?? '?'} to ${addresses.remote ?? '?'}` : null],
    ['DNS', list(addresses?.dns)],
    ['WINS', list(addresses?.wins)],
    ['MRU', mru === undefined ? null : `${mru.toClient} to the client, ${mru.fromClient} from it`],
    ['ACCM', accm === undefined ? null : `${hex(accm.toClient)} to the client, ${hex(accm.fromClient)} from it`],
    ['client says', list(identification)],
    [
      'refused',
      list(refusals?.map(({ by, protocol, option, how }) => `${protocol} ${option ?? ''} (${how} by the ${by})`)),
    ],
    ['failure', failure ? failureText(failure, state.link) : null],
  ]);
}

function authenticationText({
  protocol,
  method,
  result,
}: NonNullable<ReturnType<typeof pppOf>['authentication']>): string | null {
  if (result === 'none' && protocol === null) return null;
  return `${method ?? protocol ?? 'none'}: ${result}`;
}

const hex = (accm: number): string => `0x${accm.toString(16).padStart(8, '0')}`;

function traffic({ counters: all }: SessionState): Section {
  if (all === null) return section('traffic', []);
  const count = (name: (typeof DESCRIBED_COUNTERS)[number]): number => all[name] ?? 0;
  const [received, lost] = [count('rxPackets'), count('rxLost')];
  const share = received + lost === 0 ? '' : ` (${((lost * 100) / (received + lost)).toFixed(2)} %)`;
  const measured = (name: (typeof DESCRIBED_COUNTERS)[number], text: string): string =>
    all[name] === undefined ? UNKNOWN : text;
  return section('traffic', [
    ['received', `${count('rxPackets')} packets, ${octets(count('rxBytes'))}`],
    ['sent', `${count('txPackets')} packets, ${octets(count('txBytes'))}`],
    ['lost', measured('rxLost', `${lost} of the client's packets${share}`)],
    [
      'reordered',
      measured('rxHeld', `${count('rxHeld')} held, ${count('rxLate')} too late, ${count('rxDuplicate')} duplicate`),
    ],
    [
      'round trip',
      all['roundTrip'] === 0
        ? null
        : measured('roundTrip', `${count('roundTrip').toFixed(1)} ms, time-out ${Math.round(count('timeout'))} ms`),
    ],
    ['window', measured('window', `${Math.round(count('window'))} packets, ${count('outstanding')} unacknowledged`)],
  ]);
}

function counters({ counters: all }: SessionState): Section {
  const words: readonly string[] = DESCRIBED_COUNTERS;
  const others = Object.entries(all ?? {}).filter(([name, count]) => count !== 0 && !words.includes(name));
  return section(
    'other counters that are not 0',
    others.map(([name, count]) => [name, String(count)]),
  );
}
