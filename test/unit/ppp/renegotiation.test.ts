/** LCP that begins again takes down everything above it (RFC 1661 §3.4), and the reader forgets its state. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ACK,
  bytes,
  CCP,
  hex,
  IPCP,
  ipcp,
  IPV6CP,
  LCP,
  Link,
  lcp,
  mppe,
  option,
  REJECT,
  REQUEST,
  TERMINATE,
} from './frames.js';

const IDENTIFIER = option(1, hex('0a0027fffe123456'));

/** A link that is logged in, with addresses, encryption and a refusal. */
function up(): Link {
  const link = new Link();
  link.login();
  link.client(IPCP, REQUEST, 1, ipcp.vj, ipcp.address('203.0.113.10'));
  link.server(IPCP, REJECT, 1, ipcp.vj);
  link.agree(IPCP, ipcp.address('203.0.113.10'), ipcp.address('203.0.113.1'), 2);
  link.agree(CCP, mppe('01000040'), mppe('01000040'));
  link.agree(IPV6CP, IDENTIFIER, IDENTIFIER);
  return link;
}

for (const side of ['client', 'server'] as const) {
  test(`an LCP request of the ${side} on a link that is up takes everything down`, () => {
    const link = up();
    assert.equal(link.state.phase, 'up');
    assert.notEqual(link.state.encryption, null);
    assert.deepEqual(link[side](LCP, REQUEST, 9, lcp.magic('deadbeef')), []);
    // The server's own request tells that it has taken the client's for a new one.
    if (side === 'client') link.server(LCP, REQUEST, 10, lcp.magic('feedbeef'));
    const { phase, addresses, encryption, refusals, times, user, authentication, ipcp: ip, ipv6cp, ccp } = link.state;
    assert.deepEqual([phase, addresses, encryption, refusals, user], ['establish', null, null, [], null]);
    assert.deepEqual([times.authenticated, times.up, authentication.result], [null, null, 'none']);
    assert.deepEqual([ip.open, ipv6cp.open, ccp.open], [false, false, false]);
    assert.deepEqual([ip.client.requests, ipv6cp.client.requests, ccp.client.requests], [0, 0, 0]);
  });
}

test('a client request that comes late or twice, and that the server only acknowledges, changes nothing', () => {
  const link = up();
  const before = link.state;
  link.client(LCP, REQUEST, 9, lcp.magic('deadbeef'));
  link.server(LCP, ACK, 9, lcp.magic('deadbeef'));
  assert.deepEqual({ ...link.state, frames: null }, { ...before, frames: null });
  link.client(IPCP, REQUEST, 2, ipcp.address('203.0.113.10'));
  assert.deepEqual(link.state.addresses, before.addresses);
});

test('the request that took LCP down counts in the negotiation that follows', () => {
  const link = up();
  link.client(LCP, REQUEST, 9, lcp.mru(1400));
  link.server(LCP, REQUEST, 10, lcp.magic('feedbeef'));
  link.server(LCP, ACK, 9, lcp.mru(1400));
  link.client(LCP, ACK, 10, lcp.magic('feedbeef'));
  assert.deepEqual([link.state.lcp.open, link.state.lcp.client.agreed], [true, { mru: 1400 }]);
});

test('the link comes up again as the first time, but its login counts continue', () => {
  const link = up();
  const before = link.events.length;
  link.login();
  link.agree(IPCP, ipcp.address('203.0.113.11'), ipcp.address('203.0.113.1'));
  assert.deepEqual(link.types.slice(before), ['linkOpened', 'userKnown', 'authenticated', 'up']);
  const { times, addresses, authentication, encryption } = link.state;
  assert.deepEqual([addresses?.remote, authentication.responses, encryption], ['203.0.113.11', 2, null]);
  assert.equal(times.up, link.now);
});

test('IPCP that was agreed before does not bring the new link up by itself', () => {
  const link = up();
  link.open();
  assert.equal(link.state.phase, 'authenticate');
  // A late answer to an earlier request.
  assert.deepEqual(link.server(IPCP, ACK, 2, ipcp.address('203.0.113.10')), []);
  assert.equal(link.state.times.up, null);
});

test('after a Terminate-Request only LCP brings the link up again', () => {
  const link = new Link();
  link.login();
  assert.equal(link.client(LCP, TERMINATE, 5, 'bye').at(0)?.type, 'terminated');
  const terminated = link.now;
  assert.deepEqual([link.state.phase, link.state.times.terminated], ['terminate', terminated]);
  link.agree(IPCP, ipcp.address('203.0.113.10'), ipcp.address('203.0.113.1'));
  assert.equal(link.state.times.up, null);
  link.login();
  link.agree(IPCP, ipcp.address('203.0.113.10'), ipcp.address('203.0.113.1'), 2);
  const { phase, times, failure } = link.state;
  assert.deepEqual([phase, times.terminated, failure], ['up', null, null]);
});

test('the time at which a link came up is kept after its end', () => {
  const link = up();
  const { up: since } = link.state.times;
  assert.notEqual(since, null);
  link.server(LCP, TERMINATE, 5);
  assert.deepEqual([link.state.times.up, link.state.phase, link.state.failure], [since, 'terminate', null]);
});

test('each refusal is kept once, and 32 at most', () => {
  const link = new Link();
  link.login();
  for (let round = 0; round < 3; round += 1) {
    link.client(IPCP, REQUEST, round, ipcp.vj, ipcp.wins1('0.0.0.0'));
    link.server(IPCP, REJECT, round, ipcp.vj);
  }
  assert.deepEqual(
    link.state.refusals.map(({ by, option: name, how }) => [by, name, how]),
    [['server', 'compression', 'reject']],
  );
  // The same by the other side, and in the other way.
  link.server(IPCP, REQUEST, 7, ipcp.vj);
  link.client(IPCP, REJECT, 7, ipcp.vj);
  link.client(IPCP, REQUEST, 8, ipcp.vj);
  link.server(IPCP, 3, 8, ipcp.vj);
  assert.deepEqual(
    link.state.refusals.map(({ by, option: name, how }) => [by, name, how]),
    [
      ['server', 'compression', 'reject'],
      ['client', 'compression', 'reject'],
      ['server', 'compression', 'nak'],
    ],
  );
  for (let type = 200; type < 250; type += 1) {
    link.client(IPCP, REQUEST, type, option(type, [0]));
    link.server(IPCP, REJECT, type, option(type, [0]));
  }
  assert.equal(link.state.refusals.length, 32);
});

test('a rejected protocol is forgotten as if it had never begun', () => {
  for (const [protocol, name] of [
    [CCP, 'ccp'],
    [IPV6CP, 'ipv6cp'],
    [IPCP, 'ipcp'],
  ] as const) {
    const link = new Link();
    link.login();
    link.server(protocol, REQUEST, 1, bytes());
    assert.equal(link.state[name].server.requests, 1);
    link.client(LCP, 8, 2, [protocol >> 8, protocol & 255]);
    assert.equal(link.state[name].server.requests, 0);
  }
});
