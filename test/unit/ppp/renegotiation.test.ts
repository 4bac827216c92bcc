/** LCP that begins anew takes down what was built on it (RFC 1661 §3.4); what the reader knew of it is forgotten. */
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

/** Logged in, with addresses, encryption and a refusal. */
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
  test(`a request of the ${side} to a link that is up takes everything down`, () => {
    const link = up();
    assert.equal(link.state.phase, 'up');
    assert.notEqual(link.state.encryption, null);
    assert.deepEqual(link[side](LCP, REQUEST, 9, lcp.magic('deadbeef')), []);
    const { phase, addresses, encryption, refusals, times, user, authentication, ipcp: ip, ipv6cp, ccp } = link.state;
    assert.deepEqual([phase, addresses, encryption, refusals, user], ['establish', null, null, [], null]);
    assert.deepEqual([times.authenticated, times.up, authentication.result], [null, null, 'none']);
    assert.deepEqual([ip.open, ipv6cp.open, ccp.open], [false, false, false]);
    assert.deepEqual([ip.client.requests, ipv6cp.client.requests, ccp.client.requests], [0, 0, 0]);
  });
}

test('it comes up again as if it were the first time, with the counts of its logins going on', () => {
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
  // An answer that comes late, to a request of before.
  assert.deepEqual(link.server(IPCP, ACK, 2, ipcp.address('203.0.113.10')), []);
  assert.equal(link.state.times.up, null);
});

test('a link that was told to end comes up again with LCP alone', () => {
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

test('a link that was up keeps when that was, also when it has ended', () => {
  const link = up();
  const { up: since } = link.state.times;
  assert.notEqual(since, null);
  link.server(LCP, TERMINATE, 5);
  assert.deepEqual([link.state.times.up, link.state.phase, link.state.failure], [since, 'terminate', null]);
});

test('refusals are told once each, and 32 at most', () => {
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
  // The same by another side, and another way.
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

test('a protocol that a side does not speak is forgotten as if it had never been tried', () => {
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
