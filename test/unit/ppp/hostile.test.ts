/**
 * Any bytes: no exception, a state of bounded size, and no endless events from a client alone.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  bytes,
  CCP,
  CHAP,
  counted,
  EAP,
  frame,
  hex,
  IPCP,
  INVISIBLE,
  IPV6CP,
  LCP,
  Link,
  lcp,
  mppe,
  option,
  PAP,
  stringsOf,
} from './frames.js';

const protocols = fc.constantFrom(LCP, PAP, CHAP, EAP, IPCP, IPV6CP, CCP);
const directions = fc.constantFrom('fromClient' as const, 'toClient' as const);
/** Option lists, valid and nearly valid, with known options. */
const options = fc
  .array(fc.tuple(fc.constantFrom(1, 2, 3, 5, 7, 13, 18, 21, 26, 129, 200), fc.uint8Array({ maxLength: 12 })), {
    maxLength: 6,
  })
  .map((list) => bytes(...list.map(([type, value]) => option(type, value))));
const bodies = fc.oneof(options, fc.uint8Array({ maxLength: 300 }));
const packets = fc
  .tuple(protocols, fc.integer({ min: 0, max: 13 }), fc.integer({ min: 0, max: 3 }), bodies)
  .map(([protocol, code, identifier, body]) => frame(protocol, code, identifier, body));
const frames = fc.oneof({ weight: 3, arbitrary: packets }, { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }) });

/** More than the state of any real link. */
const MAX_STATE_BYTES = 32_768;

test('any frames in any order throw nothing and leave a bounded state of plain JSON', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(directions, frames), { maxLength: 60 }), (sent) => {
      const link = new Link();
      for (const [direction, bytesSent] of sent) link.raw(direction, bytesSent);
      const { state } = link;
      assert.equal(state.frames.fromClient + state.frames.toClient, sent.length);
      const json = JSON.stringify(state);
      assert.ok(json.length < MAX_STATE_BYTES);
      assert.deepEqual(JSON.parse(json), state);
      assert.doesNotMatch(stringsOf([state, link.events]).join(''), INVISIBLE);
    }),
    { numRuns: 300 },
  );
});

test('every frame of a login may be cut anywhere', () => {
  const whole = [
    frame(LCP, 1, 1, lcp.accm('00000000'), lcp.msChapV2),
    frame(CHAP, 1, 1, counted(new Uint8Array(16)), 'pptpd'),
    frame(CHAP, 4, 1, 'E=691 R=1 C=00 V=3 M=no'),
    frame(EAP, 1, 1, [26, 4, 1, 0, 9], 'E=691'),
    frame(PAP, 1, 1, counted('a'), counted('b')),
    frame(LCP, 8, 1, hex('80fd'), mppe('01000040')),
  ];
  for (const sent of whole) {
    for (let length = 0; length < sent.length; length++) {
      const link = new Link();
      link.raw('fromClient', sent.subarray(0, length));
      link.raw('toClient', sent.subarray(0, length));
      assert.equal(link.state.malformed, 2, `${length} octets`);
    }
  }
});

test('thousands of names, requests, refusals and identifications leave a state of bounded size', () => {
  const link = new Link();
  link.open();
  link.times(3000, (turn) => {
    const long = `${turn}${'ü'.repeat(600)}`;
    link.respond(long, turn & 255);
    link.client(PAP, 1, turn & 255, counted(String(turn)), counted('x'));
    link.client(EAP, 2, 1, [1], long);
    link.client(LCP, 12, 1, [0, 0, 0, 0], long);
    link.client(LCP, 8, 1, [0x80 | (turn & 0x7f), (turn & 0xff) | 1]);
    link.client(IPCP, 1, turn & 255, ...Array.from({ length: 60 }, (_, type) => option(type + 20, [1, 2, 3])));
    link.client(CCP, 3, turn & 255, option(turn & 255, [turn & 255]));
  });
  assert.ok(JSON.stringify(link.state).length < MAX_STATE_BYTES);
  assert.equal(link.types.filter((type) => type === 'userKnown').length, 8);
  assert.equal(link.state.refusals.length, 32);
  assert.equal(link.state.identification.length, 4);
});

test('a client alone causes a bounded number of events, whatever it sends', () => {
  fc.assert(
    fc.property(fc.array(frames, { minLength: 10, maxLength: 40 }), (sent) => {
      const link = new Link();
      link.login();
      link.times(20, () => {
        for (const one of sent) link.raw('fromClient', one);
      });
      assert.ok(link.events.length < 30, `${link.events.length} events: ${[...new Set(link.types)].join()}`);
    }),
    { numRuns: 200 },
  );
});
