import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assert as assertProperty, constantFrom, json, property, uint8Array } from 'fast-check';
import {
  decodeAnswer,
  decodeRequest,
  encodeMessage,
  MAX_MESSAGE,
  type MonitorAnswer,
  type MonitorRequest,
  type MonitorSettings,
} from '../../../src/monitor/protocol.js';

const WORKER = { pid: 1234, startTime: '98765' };
const SETTINGS: MonitorSettings = {
  secrets: '/etc/ppp/chap-secrets',
  accounts: '/var/lib/pptpd-ts/accounts.json',
  name: 'pptpd',
  stripDomain: true,
  authentication: ['ms-chap-v2', 'pap'],
  proxyArp: false,
  vrf: null,
  logwtmp: true,
  network: {
    forward: true,
    masquerade: ['eth0', 'ppp0'],
    clampMss: true,
    isolateClients: false,
    allow: ['192.0.2.0/24', '192.0.2.1 udp 5000-5010'],
  },
};
const CONSOLE = {
  listen: {
    address: '127.0.0.1',
    port: 8723,
    socket: undefined,
    names: ['vpn.example.net'],
    proxies: ['192.0.2.0/24'],
  },
  tls: { certificate: '/etc/ssl/vpn.pem', key: '/etc/ssl/vpn.key' },
  users: '/var/lib/pptpd-ts/console.json',
  gid: 61_723,
  configuration: '/etc/pptpd-ts.json',
  accounting: null,
  userPlace: { kind: 'accounts', file: '/a.json', secrets: '/etc/ppp/chap-secrets', server: 'pptpd' },
} as const satisfies NonNullable<MonitorSettings['console']>;
const REQUESTS: readonly MonitorRequest[] = [
  {
    type: 'announce',
    manager: WORKER,
    settings: SETTINGS,
  },
  {
    type: 'register',
    session: 'abc123',
    worker: WORKER,
    local: '192.0.2.1',
    remote: null,
    peer: '198.51.100.7',
    server: '203.0.113.1',
    callId: 65_535,
  },
  {
    type: 'register',
    session: 'abc123',
    worker: WORKER,
    engine: 'pppd',
    local: null,
    remote: null,
    peer: '198.51.100.7',
    server: '203.0.113.1',
    callId: 1,
  },
  { type: 'release', session: 'abc123' },
  { type: 'review' },
  { type: 'challenge', method: 'ms-chap' },
  {
    type: 'authenticate',
    method: 'ms-chap-v2',
    name: 'ff00'.repeat(127),
    challenge: '00'.repeat(16),
    response: 'ff'.repeat(255),
    identifier: 255,
  },
  { type: 'openTun' },
  { type: 'openKernel', peerCallId: 0 },
  {
    type: 'configure',
    mtu: 1400,
    ipv4: { local: '192.0.2.1', remote: '203.0.113.10' },
    ipv6: { local: '0:0:0:1', remote: 'dead:beef:0:1' },
  },
  { type: 'configure', mtu: 68, ipv4: null, ipv6: null },
  { type: 'close' },
];
const ANSWERS: readonly MonitorAnswer[] = [
  { type: 'done' },
  { type: 'announced', version: '1.2.3', supervisor: WORKER },
  { type: 'verdict', verdict: { accepted: false, code: 691, retryChallenge: '00'.repeat(16), message: 'No' } },
  { type: 'challenge', challenge: '5a'.repeat(8) },
  {
    type: 'verdict',
    verdict: {
      accepted: true,
      message: 'S=00 M=Welcome',
      keys: { send: '00'.repeat(16), receive: '11'.repeat(16), weak: '22'.repeat(8) },
      remote: null,
      remoteChoices: ['192.0.2.0/24'],
      limits: { account: 'alice', sessions: 2, sessionTime: null, idleTime: 0.5 },
    },
  },
  { type: 'reviewed', over: [{ session: 'abc123', why: 'quota' }] },
  { type: 'network', report: null },
  {
    type: 'network',
    report: {
      table: 'pptpd_ts_0a1b2c3d',
      state: 'missing',
      forwarding: true,
      masquerade: ['eth0'],
      since: 1_796_000_000_000,
      restored: { count: 2, at: 1_796_000_001_000, why: 'deleted' },
    },
  },
  { type: 'device', name: 'ppp12' },
  { type: 'failed', step: 'open /dev/net/tun', code: 'ENOENT' },
  { type: 'refused', reason: 'notPermitted' },
];

describe('what is encoded is decoded', () => {
  for (const request of REQUESTS)
    test(request.type, () => {
      const octets = encodeMessage(7, request);
      assert(octets.length <= MAX_MESSAGE);
      assert.deepEqual(decodeRequest(octets), { ok: true, id: 7, message: { ...request, v: 1, id: 7 } });
    });
  for (const answer of ANSWERS)
    test(`answer ${answer.type}`, () => {
      const decoded = decodeAnswer(encodeMessage(8, answer));
      assert.deepEqual(decoded, { ok: true, id: 8, message: { ...answer, v: 1, id: 8 } });
    });
});

/** One field of a good request, and a value that it must not have. */
const wrong: [type: MonitorRequest['type'], field: string, value: unknown][] = [
  ['announce', 'manager', { pid: 0, startTime: '1' }],
  ['announce', 'manager', { pid: 1, startTime: 1 }],
  ['announce', 'settings', { ...SETTINGS, console: { ...CONSOLE, users: 'relative' } }],
  ['announce', 'settings', { ...SETTINGS, console: { ...CONSOLE, gid: -1 } }],
  [
    'announce',
    'settings',
    { ...SETTINGS, console: { ...CONSOLE, listen: { ...CONSOLE.listen, address: 'localhost' } } },
  ],
  ['announce', 'settings', { ...SETTINGS, console: { ...CONSOLE, listen: { ...CONSOLE.listen, socket: 'relative' } } }],
  ['announce', 'settings', { ...SETTINGS, console: { ...CONSOLE, tls: { certificate: '/a' } } }],
  [
    'announce',
    'settings',
    { ...SETTINGS, console: { ...CONSOLE, userPlace: { ...CONSOLE.userPlace, kind: 'other' } } },
  ],
  ['announce', 'settings', { ...SETTINGS, secrets: 'relative' }],
  ['announce', 'settings', { ...SETTINGS, authentication: ['eap'] }],
  ['announce', 'settings', { ...SETTINGS, accounts: undefined }],
  ['announce', 'settings', { ...SETTINGS, accounts: 'relative' }],
  ['announce', 'settings', { ...SETTINGS, vrf: 'a name that is too long' }],
  ['announce', 'settings', { ...SETTINGS, network: { ...SETTINGS.network, masquerade: ['eth0"'] } }],
  ['register', 'engine', 'builtin'],
  ['register', 'session', '../abc'],
  ['register', 'worker', null],
  ['register', 'local', null],
  ['register', 'local', '192.0.2.256'],
  ['register', 'remote', '192.0.2.01'],
  ['register', 'peer', 'client.example'],
  ['register', 'callId', 0],
  ['register', 'server', '203.0.113'],
  ['release', 'session', 7],
  ['challenge', 'method', 'pap'],
  ['openKernel', 'peerCallId', 65_536],
  ['openKernel', 'peerCallId', null],
  ['authenticate', 'method', 'eap'],
  ['authenticate', 'method', 'toString'],
  ['authenticate', 'name', 'f'],
  ['authenticate', 'name', 'FF'],
  ['authenticate', 'name', '00'.repeat(256)],
  ['authenticate', 'challenge', ['00']],
  ['authenticate', 'response', '0x00'],
  ['authenticate', 'identifier', 256],
  ['configure', 'mtu', 67],
  ['configure', 'mtu', 1501],
  ['configure', 'mtu', 1400.5],
  ['configure', 'ipv4', undefined],
  ['configure', 'ipv4', { local: '192.0.2.1' }],
  ['configure', 'ipv4', { local: '192.0.2.1', remote: '203.0.113.10; reboot' }],
  ['configure', 'ipv6', { local: '0:0:0:0', remote: '0:0:0:1' }],
  ['configure', 'ipv6', { local: '0:0:0:1', remote: 'fe80::1' }],
];

describe('a field that is wrong is named', () => {
  for (const [type, field, value] of wrong)
    test(`${type}: ${field} ${JSON.stringify(value)}`, () => {
      const good = REQUESTS.find((request) => request.type === type) ?? assert.fail(type);
      const octets = Buffer.from(JSON.stringify({ ...good, [field]: value, v: 1, id: 5 }));
      assert.deepEqual(decodeRequest(octets), { ok: false, id: 5, reason: 'malformed', detail: field });
    });
});

describe('any other message', () => {
  const others: [what: string, octets: Buffer, decoded: object][] = [
    ['nothing', Buffer.alloc(0), { id: 0, reason: 'malformed', detail: 'not JSON' }],
    ['no UTF-8', Buffer.from('7b22ff227d', 'hex'), { id: 0, reason: 'malformed', detail: 'not JSON' }],
    ['a list', Buffer.from('[]'), { id: 0, reason: 'malformed', detail: 'not an object' }],
    ['null', Buffer.from('null'), { id: 0, reason: 'malformed', detail: 'not an object' }],
    ['no id', Buffer.from('{"v":1,"type":"close"}'), { id: 0, reason: 'malformed', detail: 'id' }],
    ['another version', Buffer.from('{"v":2,"id":1,"type":"close"}'), { id: 1, reason: 'version', detail: 'v' }],
    ['no version', Buffer.from('{"id":1,"type":"close"}'), { id: 1, reason: 'version', detail: 'v' }],
    ['an unknown type', Buffer.from('{"v":1,"id":1,"type":"x"}'), { id: 1, reason: 'malformed', detail: 'type' }],
    ['__proto__', Buffer.from('{"v":1,"id":1,"type":"__proto__"}'), { id: 1, reason: 'malformed', detail: 'type' }],
    ["an answer's type", Buffer.from('{"v":1,"id":1,"type":"done"}'), { id: 1, reason: 'malformed', detail: 'type' }],
  ];
  for (const [what, octets, decoded] of others)
    test(what, () => assert.deepEqual(decodeRequest(octets), { ok: false, ...decoded }));

  test('any octets, any JSON: a refusal, never an exception', () => {
    assertProperty(property(uint8Array({ maxLength: 64 }), (octets) => !decodeRequest(octets).ok));
    assertProperty(
      property(constantFrom(...REQUESTS, ...ANSWERS), json(), (good, text) => {
        for (const key of Object.keys(good)) {
          const octets = Buffer.from(JSON.stringify({ ...good, [key]: JSON.parse(text) as unknown, v: 1, id: 1 }));
          decodeRequest(octets);
          decodeAnswer(octets);
        }
      }),
    );
  });
});
