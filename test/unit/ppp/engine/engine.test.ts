/** Whole negotiations between the engine and a client of the tests: agreements and the causes of ends. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { EngineSettings } from '../../../../src/ppp/engine/engine.js';
import { PppReader } from '../../../../src/ppp/reader.js';
import { ACCEPT, Client, type ClientSettings, converse, REFUSE, Server } from './peer.js';

interface Scene {
  readonly settings?: Partial<EngineSettings>;
  readonly client?: Partial<ClientSettings>;
  readonly judge?: Server['judge'];
}

function play({ settings, client, judge }: Scene = {}): { server: Server; peer: Client } {
  const server = new Server(settings);
  if (judge !== undefined) server.judge = judge;
  const peer = new Client(client);
  converse(server, peer);
  return { server, peer };
}

const MPPE_128 = { bits: 128, stateless: true } as const;
const offer = (keys: readonly (40 | 56 | 128)[], stateless = true, mppc = false) => ({ keys, stateless, mppc });

test('a client logs in, encrypts, and gets its address and DNS', () => {
  for (const eager of [true, false]) {
    const { server, peer } = play({ client: { eager } });
    assert.deepEqual(server.types, ['linkUp', 'authenticate', 'encryption', 'network']);
    assert.deepEqual(server.said('encryption')[0], { type: 'encryption', toClient: MPPE_128, fromClient: MPPE_128 });
    assert.deepEqual(server.said('network')[0], {
      type: 'network',
      local: '198.51.100.1',
      remote: '198.51.100.11',
      dns: ['192.0.2.53', '192.0.2.54'],
      wins: [],
    });
    assert.deepEqual(server.said('linkUp')[0], {
      type: 'linkUp',
      mru: 1400,
      peerMru: 1500,
      peerAccm: 0,
      peerTakesPfc: true,
      peerTakesAcfc: true,
    });
    assert.ok(peer.ipcp.isOpen);
    assert.equal(peer.ipcp.exchange.own.address, '198.51.100.11');
    assert.equal(peer.ipcp.exchange.peer.address, '198.51.100.1');
  }
});

test('one DNS server is given as both, as pppd does, and none is rejected', () => {
  const one = play({ settings: { dns: ['192.0.2.53'] } }).peer.ipcp.exchange.own;
  assert.deepEqual([one.primaryDns, one.secondaryDns], ['192.0.2.53', '192.0.2.53']);
  const none = play({ settings: { dns: [] } }).peer.ipcp.exchange.own;
  assert.deepEqual([none.primaryDns, none.primaryWins], [undefined, undefined]);
});

test('IPV6CP agrees on interface identifiers where it is allowed, and is rejected as a protocol where it is not', () => {
  const { server, peer } = play({ settings: { ipv6: true }, client: { ipv6: true } });
  const [network6] = server.said('network6');
  assert.equal(network6?.remote, '0:0:0:1');
  assert.equal(peer.ipv6cp.exchange.peer.interfaceIdentifier, network6?.local);
  const without = play({ client: { ipv6: true } });
  assert.deepEqual(without.server.said('network6'), []);
  assert.equal(without.peer.ipv6cp.state, 'stopped');
  assert.equal(without.server.end, undefined);
});

describe('authentication', () => {
  const all = ['ms-chap-v2', 'ms-chap', 'chap-md5', 'pap'] as const;
  const unencrypted = { encryption: 'none', authentication: all } as const;

  for (const [lcp, method] of [
    ['MS-CHAPv2', 'ms-chap-v2'],
    ['MS-CHAPv1', 'ms-chap'],
    ['CHAP-MD5', 'chap-md5'],
  ] as const) {
    test(`a client that wants ${lcp} gets it where it is allowed`, () => {
      const { server } = play({ settings: unencrypted, client: { authentication: [lcp] } });
      assert.equal(server.said('authenticate')[0]?.request.method, method);
      assert.equal(server.said('network').length, 1);
    });
  }

  test('after a Nak of an unknown protocol the next one of the list is asked for, to the last', () => {
    const { server, peer } = play({ settings: unencrypted, client: { authentication: ['EAP', 'PAP'] } });
    assert.equal(peer.lcp.exchange.peer.authentication, 'PAP');
    assert.deepEqual(server.types, ['linkUp']);
  });

  test('a client that takes none of them is disconnected, and what it wanted is said', () => {
    const { server } = play({ client: { authentication: ['EAP'] } });
    assert.deepEqual(server.end, { kind: 'authenticationRefused', proposed: 'EAP' });
    assert.deepEqual(server.said('authenticate'), []);
  });

  test('a wrong password', () => {
    const { server, peer } = play({ judge: () => REFUSE });
    const challenge = Buffer.from(server.said('authenticate')[0]?.request.challenge ?? []).toString('hex');
    assert.deepEqual(peer.failures, [`E=691 R=0 C=${challenge.toUpperCase()} V=3 M=Access denied`]);
    assert.deepEqual(server.end, {
      kind: 'authentication',
      method: 'ms-chap-v2',
      code: 691,
      message: 'Access denied',
    });
  });
});

describe('MPPE', () => {
  const cases: readonly [string, Scene, toClient: object, fromClient: object][] = [
    ['the strongest of several', { client: { mppe: offer([40, 56, 128], true, true) } }, MPPE_128, MPPE_128],
    ['stateful on demand', { client: { mppe: offer([128], false) } }, { bits: 128, stateless: false }, MPPE_128],
    [
      '40 bits where they are allowed',
      { settings: { encryptionKeys: [128, 40] }, client: { mppe: offer([40]) } },
      { bits: 40, stateless: true },
      { bits: 40, stateless: true },
    ],
    [
      '56 bits',
      { settings: { encryptionKeys: [56] }, client: { mppe: offer([40, 56, 128]) } },
      { bits: 56, stateless: true },
      { bits: 56, stateless: true },
    ],
    ['preferred, and the client can do it', { settings: { encryption: 'prefer' } }, MPPE_128, MPPE_128],
  ];
  for (const [name, scene, toClient, fromClient] of cases) {
    test(name, () => {
      const { server } = play(scene);
      assert.deepEqual(server.said('encryption'), [{ type: 'encryption', toClient, fromClient }]);
      assert.equal(server.said('network').length, 1);
      assert.equal(server.end, undefined);
    });
  }

  test('preferred, and the client has no CCP: the link comes up without it', () => {
    const { server } = play({ settings: { encryption: 'prefer' }, client: { noCcp: true } });
    assert.deepEqual(server.types, ['linkUp', 'authenticate', 'network']);
  });

  test('required, and the login gives no keys', () => {
    const { server } = play({ judge: () => ({ ...ACCEPT, hasKeys: false }) });
    assert.deepEqual(server.end, { kind: 'encryptionUnavailable', method: 'ms-chap-v2' });
  });

  test('MS-CHAPv1 has no keys of 40 bits here, as with pppd', () => {
    const settings = { authentication: ['ms-chap'], encryptionKeys: [40] } as const;
    const { server } = play({ settings, client: { authentication: ['MS-CHAPv1'] } });
    assert.deepEqual(server.end, { kind: 'encryptionUnavailable', method: 'ms-chap' });
  });

  const refusals: readonly [string, Scene, how: string, asked: unknown][] = [
    ['the client has no CCP', { client: { noCcp: true } }, 'protocolReject', null],
    ['the client only agrees to encrypt what it sends', { client: { mppe: null } }, 'request', null],
    ['the client wants 40 bits alone', { client: { mppe: offer([40]) } }, 'request', offer([40])],
    [
      'the client wants it stateful, which is refused',
      { settings: { statelessOnly: true }, client: { mppe: offer([128], false) } },
      'request',
      offer([128], false),
    ],
  ];
  for (const [name, scene, how, asked] of refusals) {
    test(`required, and ${name}`, () => {
      const { server } = play(scene);
      assert.deepEqual(server.end, { kind: 'encryptionRefused', how, asked });
      assert.deepEqual(server.said('network'), []);
    });
  }
});

describe('addresses', () => {
  test('the account fixes the address', () => {
    const { server } = play({ judge: () => ({ ...ACCEPT, remote: '198.51.100.77', local: '198.51.100.2' }) });
    const [network] = server.said('network');
    assert.deepEqual([network?.local, network?.remote], ['198.51.100.2', '198.51.100.77']);
  });

  test('the client takes its own out of the networks that it may use, and no other one', () => {
    const judge = () => ({ ...ACCEPT, remoteChoices: ['203.0.113.0/25', '192.0.2.9'] });
    for (const [address, expected] of [
      ['203.0.113.5', '203.0.113.5'],
      ['192.0.2.9', '192.0.2.9'],
      ['203.0.113.200', '198.51.100.11'],
      ['0.0.0.0', '198.51.100.11'],
    ] as const) {
      assert.equal(play({ judge, client: { address } }).server.said('network')[0]?.remote, expected);
    }
    const anywhere = play({
      judge: () => ({ ...ACCEPT, remoteChoices: ['0.0.0.0/0'] }),
      client: { address: '192.0.2.1' },
    });
    assert.equal(anywhere.server.said('network')[0]?.remote, '192.0.2.1');
  });

  test('no address to give', () => {
    assert.deepEqual(play({ settings: { remote: null } }).server.end, { kind: 'noAddress', whose: 'client' });
    assert.deepEqual(play({ settings: { local: null } }).server.end, { kind: 'noAddress', whose: 'server' });
  });
});

test('the passive reader of the same frames tells the same cause', () => {
  const scenes: readonly [Scene, reason: string | undefined][] = [
    [{}, undefined],
    [{ judge: () => REFUSE }, 'authenticationFailed'],
    [{ client: { authentication: ['EAP'] } }, 'authProtocolRefused'],
    [{ client: { noCcp: true } }, 'encryptionRefused'],
    [{ client: { mppe: offer([40]) } }, 'encryptionModesDiffer'],
    [{ judge: () => ({ ...ACCEPT, hasKeys: false }) }, 'encryptionUnavailable'],
    [{ client: { address: '192.0.2.99', insists: true } }, 'addressRefused'],
  ];
  for (const [{ settings, client, judge }, reason] of scenes) {
    const server = new Server(settings);
    if (judge !== undefined) server.judge = judge;
    const peer = new Client(client);
    const reader = new PppReader();
    const recv = peer.recv.bind(peer);
    peer.recv = (frame, now) => {
      reader.observe('toClient', frame, now);
      recv(frame, now);
    };
    const serverRecv = server.recv.bind(server);
    server.recv = (frame) => {
      reader.observe('fromClient', frame, server.now);
      return serverRecv(frame);
    };
    converse(server, peer);
    assert.equal(reader.state.failure?.reason, reason);
    assert.equal(reader.state.malformed, 0);
  }
});
