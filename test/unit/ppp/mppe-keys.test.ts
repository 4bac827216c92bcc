import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ACK, CCP, IPCP, ipcp, LCP, Link, mppe, REQUEST } from './frames.js';

const PROTOCOL_REJECT = 8;

/** Up, and encrypted unless `ccp` is false. */
function up(ccp = true): Link {
  const link = new Link();
  link.login();
  if (ccp) link.agree(CCP, mppe('01000040'), mppe('01000040'));
  link.agree(IPCP, ipcp.address('192.0.2.10'), ipcp.address('192.0.2.1'));
  return link;
}

/** `by` rejects these protocols. */
function reject(link: Link, by: 'client' | 'server', ...protocols: number[]): void {
  for (const [at, number] of protocols.entries()) {
    link[by](LCP, PROTOCOL_REJECT, at, [number >> 8, number & 0xff], new Uint8Array(20));
  }
}

const told = (link: Link) => link.events.filter(({ type }) => type === 'mppeKeysDiffer');

describe('on an encrypted link', () => {
  test('if one side rejects four different data protocols, this is reported once', () => {
    for (const by of ['client', 'server'] as const) {
      const link = up();
      reject(link, by, 0x0071, 0x00f9, 0x8eb2);
      assert.deepEqual(told(link), []);
      reject(link, by, 0x0053, 0x00d1, 0x001f);
      assert.deepEqual(told(link), [{ type: 'mppeKeysDiffer', by }]);
    }
  });

  test('repeated rejects of the same protocol are normal, such as IPv6', () => {
    const link = up();
    reject(link, 'client', ...Array.from({ length: 50 }, () => 0x0057), 0x002b);
    assert.deepEqual(told(link), []);
  });

  test('rejected control protocols do not count: they are not encrypted', () => {
    const link = up();
    reject(link, 'client', 0x8057, 0x8281, 0x8031, 0x80fb, 0x802b, 0x8029);
    assert.deepEqual(told(link), []);
  });

  test('each side is counted separately', () => {
    const link = up();
    reject(link, 'client', 0x0071, 0x00f9, 0x0053);
    reject(link, 'server', 0x0031, 0x0039, 0x003b);
    assert.deepEqual(told(link), []);
  });

  test('counting starts again when LCP begins again, with new keys', () => {
    const link = up();
    reject(link, 'server', 0x0071, 0x00f9, 0x0053);
    link.login();
    link.agree(CCP, mppe('01000040'), mppe('01000040'));
    reject(link, 'server', 0x0031);
    assert.deepEqual(told(link), []);
  });

  test('rejects of the direction that is not encrypted do not count', () => {
    const link = new Link();
    link.login();
    // The client accepts the server's request, which is for what the client sends, and requests nothing.
    link.server(CCP, REQUEST, 1, mppe('01000040'));
    link.client(CCP, REQUEST, 1);
    link.server(CCP, ACK, 1);
    link.client(CCP, ACK, 1, mppe('01000040'));
    reject(link, 'client', 0x0071, 0x00f9, 0x0053, 0x0031);
    assert.deepEqual(told(link), []);
    reject(link, 'server', 0x0071, 0x00f9, 0x0053, 0x0031);
    assert.deepEqual(told(link), [{ type: 'mppeKeysDiffer', by: 'server' }]);
  });
});

test('without encryption a reject is a refusal', () => {
  const link = up(false);
  reject(link, 'client', 0x0071, 0x00f9, 0x0053, 0x0031);
  assert.deepEqual(told(link), []);
  assert.equal(link.state.refusals.length, 4);
});
