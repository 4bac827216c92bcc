/** Data for a console without a server: as much as wanted, always the same. */
import type { AccountRecord } from '../../src/accounting/record.js';
import type {
  ApiUser,
  Failure,
  Findings,
  SessionDetail,
  SessionRow,
  Status,
  TrafficPoint,
} from '../../src/console/api/schemas.js';
import { sessionState } from '../../src/session/state.js';

const NAMES = [
  'alice',
  'bob',
  'carol',
  'dave',
  'erin',
  'frank',
  'grace',
  'heidi',
  'ivan',
  'judy',
  'mallory',
  'niaj',
  'olivia',
  'peggy',
  'rupert',
  'sybil',
  'trent',
  'victor',
  'walter',
  'wendy',
];
/** What a client may send as its name. */
export const HOSTILE = '<img src=x onerror="document.title=\'owned\'">&amp;\u202e';

/** A number between 0 and 1 that depends on its arguments only. */
export function noise(...seed: readonly number[]): number {
  let value = 2_166_136_261;
  for (const each of seed) value = Math.imul(value ^ each, 16_777_619) >>> 0;
  value = Math.imul(value ^ (value >>> 15), 2_246_822_507) >>> 0;
  return ((value ^ (value >>> 13)) >>> 0) / 2 ** 32;
}

export const rateOf = (index: number, turn: number): [number, number] => {
  const busy = noise(index) ** 6;
  const now = 0.6 + 0.4 * Math.sin(turn / (3 + (index % 7)) + index) + 0.25 * noise(index, turn);
  return [Math.round(busy * 4e6 * now), Math.round(busy * 28e6 * now)];
};

const nameAt = (index: number): string =>
  index === 6
    ? HOSTILE
    : `${NAMES[index % NAMES.length]}${index < NAMES.length ? '' : Math.floor(index / NAMES.length)}`;
const addressAt = (index: number, first: string): string => `${first}.${Math.floor(index / 250)}.${2 + (index % 250)}`;

export function sessions(count: number, now: number): SessionRow[] {
  return Array.from({ length: count }, (_, index) => {
    const isUp = index % 23 !== 9;
    const [rxRate, txRate] = isUp ? rateOf(index, 0) : [0, 0];
    return {
      id: (index + 46_656).toString(36) + 'q7',
      user: isUp || index % 2 === 0 ? nameAt(index) : null,
      client: `192.0.2.${2 + (index % 250)}`,
      address: isUp ? addressAt(index, '198.51') : null,
      phase: isUp ? 'up' : 'negotiating',
      since: now - Math.round(noise(index, 1) ** 3 * 500_000_000) - 2000,
      interface: isUp ? `ppp${index}` : null,
      encryption: isUp ? 'MPPE 128 stateless' : null,
      link: index % 5 === 0 ? 'kernel' : 'tun',
      rxRate,
      txRate,
      rxBytes: Math.round(noise(index, 2) ** 4 * 5e9),
      txBytes: Math.round(noise(index, 3) ** 4 * 4e10),
      warning:
        index % 17 === 3
          ? 'packets of 1400 octets and more do not reach the client: a router on the way drops fragments; remedy: lower ppp.mtu to 1300'
          : null,
      loginFailure: null,
    };
  });
}

export const status = (count: number, now: number): Status => ({
  host: 'vpn.example.net',
  version: '0.1.0',
  console: { since: now - 86_400_000 },
  manager: { answers: true, why: null },
  server: {
    version: '0.1.0',
    pid: 812,
    since: now - 3 * 86_400_000 - 7_300_000,
    runsAs: 'manager and workers: user pptpd with CAP_NET_RAW; monitor: root',
    engine: 'builtin, packets through TUN devices',
    listening: '192.0.2.1:1723',
    workers: { idle: 2, starting: 0 },
    turnedAway: { blocked: 41, badStartRequest: 12 },
    blocked: 2,
    sessions: { up: count },
    leases: { lent: count, most: 50 },
    network: null,
  },
  sessions: { total: count, byPhase: { up: count } },
  addresses: { used: count, total: Math.max(20, Math.ceil(count * 1.25)) },
  traffic: { rx: 0, tx: 0, rxBytes: 0, txBytes: 0 },
  hasHistory: true,
});

export const traffic = (count: number, now: number): TrafficPoint[] =>
  Array.from({ length: 360 }, (_, index) => {
    const wave = 1 + 0.5 * Math.sin(index / 40) + 0.25 * Math.sin(index / 9) + 0.2 * noise(index, 7);
    return {
      time: Math.floor(now / 10_000) * 10_000 - (359 - index) * 10_000,
      rx: count * 130_000 * wave,
      tx: count * 900_000 * wave,
      sessions: count,
    };
  });

const FAILURES: readonly (readonly [string, string, string | null])[] = [
  ['wrongPassword', 'the password of user "mallory" is wrong', 'set a new one: pptpd-ts users passwd mallory'],
  [
    'greNotReceived',
    'no GRE packet of the client arrived: a firewall or NAT router on the way drops IP protocol 47',
    'let IP protocol 47 pass, or enable the PPTP helper of the router in front of the client',
  ],
  [
    'userLimit',
    'the user already has as many sessions as policy.sessionsPerUser or the account allows ("alice" already has a session)',
    'end the other session with pptpd-ts kick, raise the limit, or set policy.whenExceeded to "replace"',
  ],
  [
    'encryptionRefused',
    'the client refuses encryption, which ppp.encryption requires',
    'switch encryption on in the client',
  ],
];

export const failures = (now: number, count = 24): Failure[] =>
  Array.from({ length: count }, (_, index) => {
    const [cause, text, remedy] = FAILURES[Math.floor(noise(index, 11) ** 1.6 * FAILURES.length)] ?? [
      'unknown',
      'it failed',
      null,
    ];
    return {
      time: now - index * 2_700_000 - 90_000,
      session: `fail${(index + 36).toString(36)}`,
      user: index % 5 === 4 ? null : (['mallory', 'alice', 'bob', HOSTILE][index % 4] ?? null),
      client: `192.0.2.${40 + (index % 9)}`,
      cause,
      text,
      remedy,
    };
  });

export const history = (now: number, count = 240): AccountRecord[] =>
  Array.from({ length: count }, (_, index) => {
    const end = now - index * 1_900_000 - 60_000;
    const seconds = Math.round(60 + noise(index, 21) ** 3 * 40_000);
    const failed = index % 11 === 4;
    return {
      record: 'ended' as const,
      session: `hi${(index + 46_656).toString(36)}`,
      host: 'vpn',
      authenticated: true,
      server: '192.0.2.1',
      rxPackets: 0,
      txPackets: 0,
      user: nameAt(index * 7),
      client: `192.0.2.${2 + ((index * 7) % 250)}`,
      tunnel: { local: '198.51.100.1', remote: addressAt(index * 7, '198.51') },
      start: new Date(end - seconds * 1000).toISOString(),
      end: new Date(end).toISOString(),
      seconds,
      rxBytes: Math.round(noise(index, 22) ** 4 * 4e8),
      txBytes: Math.round(noise(index, 23) ** 4 * 6e9),
      encryption: 'MPPE 128 stateless',
      reason: failed ? 'clientSilent' : index % 6 === 2 ? 'kicked' : 'clientStopped',
      detail: index % 6 === 2 && !failed ? 'kicked by admin of the console' : null,
      cause: failed ? 'echoNotAnswered' : null,
    };
  });

export const users = (now: number, count = 14): ApiUser[] =>
  Array.from({ length: count }, (_, index) => ({
    name: nameAt(index),
    file: '/etc/pptpd-ts/accounts.json',
    hindrance: index === 4 ? 'disabled' : index === 9 ? 'expired' : null,
    address: index % 3 === 0 ? addressAt(index, '198.51') : null,
    expires: index % 4 === 1 ? new Date(now + (index - 8) * 20 * 86_400_000).toISOString() : null,
    expiresAfter: index === 7 ? 30 * 86_400 : null,
    firstLogin: null,
    sessions: index % 5 === 0 ? 2 : null,
    sessionTime: null,
    idleTime: index % 5 === 2 ? 1800 : null,
    speed: index % 3 === 1 ? { up: 5_000_000, down: 20_000_000 } : null,
    quota:
      index % 4 === 2
        ? { octets: 50e9, per: 'month' as const, used: Math.round(noise(index, 31) * 52e9), left: 0, beginsAnew: null }
        : null,
    routes: null,
    note: index % 4 === 0 ? 'branch office, till of the shop in the station' : null,
    hasPassword: false,
    live: index % 3 === 0 ? [] : Array.from({ length: index === 1 ? 2 : 1 }, () => '1000q7'),
  }));

export const FINDINGS: Findings['findings'] = [
  { check: 'user', level: 'ok', text: 'manager and workers run as pptpd', remedy: null },
  { check: 'TUN', level: 'ok', text: '/dev/net/tun can be opened', remedy: null },
  {
    check: 'firewall',
    level: 'warn',
    text: 'a rule of ufw drops GRE (IP protocol 47) from outside',
    remedy: 'ufw allow proto gre',
  },
  {
    check: 'addresses',
    level: 'warn',
    text: 'the pool has 12 addresses left',
    remedy: 'add a range to addresses.remote',
  },
  { check: 'files', level: 'ok', text: '/etc/pptpd-ts/accounts.json can be read by root only', remedy: null },
];

export const detail = (row: SessionRow): SessionDetail => ({
  row,
  state: sessionState.parse({
    session: row.id,
    version: '0.1.0',
    since: row.since,
    phase: row.phase,
    peer: { address: row.client, port: 40_123 },
    localAddress: '192.0.2.1',
    callId: 12,
    peerCallId: 3,
    tunnel: { local: '198.51.100.1', remote: row.address },
    user: row.user,
    pid: 4711,
    pppdPid: null,
    log: { level: 'info', file: '/var/log/pptpd-ts/session.log' },
    ppp: null,
    counters: null,
  }),
  sections: [
    {
      title: `session ${row.id}`,
      rows: [
        { name: 'server', value: '192.0.2.1' },
        { name: 'limits', value: 'sessions 2, idle time 30 min (of the account)' },
        { name: 'worker', value: 'process 4711, pptpd-ts 0.1.0' },
      ],
    },
    {
      title: 'PPP negotiation',
      rows: [
        { name: 'authentication', value: 'MS-CHAPv2: succeeded' },
        { name: 'encryption', value: 'MPPE 128 stateless' },
        { name: 'addresses', value: `198.51.100.1 to ${row.address ?? '?'}` },
        { name: 'DNS', value: '198.51.100.53' },
        { name: 'client says', value: `MSRASV5.20, ${HOSTILE}` },
      ],
    },
    {
      title: 'traffic',
      rows: [
        { name: 'received', value: '481223 packets, 115 MB' },
        { name: 'sent', value: '1204992 packets, 9.92 MB' },
        { name: 'lost', value: "211 of the client's packets (0.04 %)" },
        { name: 'round trip', value: '23.4 ms, time-out 71 ms' },
      ],
    },
  ],
  counters: [
    { name: 'rxPackets', words: 'packets from the client', value: 481_223 },
    { name: 'rxHeld', words: 'packets that came out of order', value: 18 },
  ],
  log: [
    { time: '14:02:11.021', level: 'info', text: 'client connected from 192.0.2.7:40123' },
    { time: '14:02:11.912', level: 'info', text: 'user "alice" logged in (MS-CHAPv2)' },
    { time: '14:02:12.004', level: 'warn', text: `the client says ${HOSTILE}` },
  ],
});
