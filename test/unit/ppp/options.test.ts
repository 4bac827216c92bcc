/** Every configuration option with the number, length and value of its RFC, and with a wrong length. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  CCP_OPTIONS,
  type Declarations,
  IPCP_OPTIONS,
  IPV6CP_OPTIONS,
  LCP_OPTIONS,
  type WritableOption,
  writeOption,
} from '../../../src/ppp/options.js';
import { CCP, hex, IPCP, IPV6CP, LCP, Link, option, REQUEST } from './frames.js';

/** Name, type, value in hexadecimal, the parsed value, and whether any length is valid. */
type Row = readonly [name: string, type: number, value: string, read: unknown, anyLength?: 'any length'];

const ADDRESS = 'c0000201';
const PROTOCOLS = {
  lcp: [
    LCP,
    [
      ['mru', 1, '05dc', 1500],
      ['accm', 2, '000a0000', 0x000a0000],
      ['authentication', 3, 'c22381', 'MS-CHAPv2', 'any length'],
      ['quality', 4, 'c025', '0xc025', 'any length'],
      ['magicNumber', 5, 'fedcba98', 0xfedcba98],
      ['protocolFieldCompression', 7, '', true],
      ['addressControlCompression', 8, '', true],
      ['callback', 13, '06', 6, 'any length'],
      ['multilinkMrru', 17, '05dc', 1500],
      ['shortSequenceNumbers', 18, '', true],
      ['endpointDiscriminator', 19, '03aabbcc', '03aabbcc', 'any length'],
    ],
  ],
  ipcp: [
    IPCP,
    [
      ['oldAddresses', 1, 'c0000201c0000202', '192.0.2.1 192.0.2.2'],
      ['compression', 2, '002d0f01', 'VJ', 'any length'],
      ['address', 3, ADDRESS, '192.0.2.1'],
      ['primaryDns', 129, ADDRESS, '192.0.2.1'],
      ['primaryWins', 130, ADDRESS, '192.0.2.1'],
      ['secondaryDns', 131, ADDRESS, '192.0.2.1'],
      ['secondaryWins', 132, ADDRESS, '192.0.2.1'],
    ],
  ],
  ipv6cp: [IPV6CP, [['interfaceIdentifier', 1, '0a0027fffe123456', 'a00:27ff:fe12:3456']]],
  ccp: [
    CCP,
    [
      ['predictor1', 1, '', true],
      ['predictor2', 2, '', true],
      ['lzs', 17, '000103', true, 'any length'],
      ['mppe', 18, '010000c1', { keys: [56, 128], stateless: true, mppc: true }],
      ['bsd', 21, '2f', true],
      ['oldDeflate', 24, '7800', true],
      ['deflate', 26, '7800', true],
    ],
  ],
} as const satisfies Record<string, readonly [protocol: number, rows: readonly Row[]]>;

for (const [name, [protocol, rows]] of Object.entries(PROTOCOLS)) {
  const requested = (type: number, value: Uint8Array): unknown => {
    const link = new Link();
    if (protocol !== LCP) link.login();
    link.client(protocol, REQUEST, 1, option(type, value));
    return link.state[name as keyof typeof PROTOCOLS].client.requested;
  };
  describe(name, () => {
    for (const [title, type, value, read, anyLength] of rows as readonly Row[]) {
      test(`option ${type} is ${title}`, () => {
        assert.deepEqual(requested(type, hex(value)), { [title]: read });
        const longer = requested(type, hex(`${value}00`));
        if (anyLength === undefined) assert.deepEqual(longer, { other: [type] }, 'too long');
        else assert.deepEqual(Object.keys(longer as object), [title]);
        if (value !== '' && anyLength === undefined)
          assert.deepEqual(requested(type, hex(value.slice(2))), { other: [type] }, 'too short');
      });
    }

    test('another number is unknown', () => assert.deepEqual(requested(200, hex('00')), { other: [200] }));
  });
}

const DECLARATIONS: Readonly<Record<string, Declarations>> = {
  lcp: LCP_OPTIONS,
  ipcp: IPCP_OPTIONS,
  ipv6cp: IPV6CP_OPTIONS,
  ccp: CCP_OPTIONS,
};

test('an option that can be written is written as it was read', () => {
  const written: string[] = [];
  for (const [name, [, rows]] of Object.entries(PROTOCOLS)) {
    for (const [title, type, value, read] of rows as readonly Row[]) {
      const declaration = DECLARATIONS[name]?.[title];
      assert.ok(declaration !== undefined);
      if (!('write' in declaration)) continue;
      const octets = writeOption(declaration as WritableOption<unknown>, read);
      assert.deepEqual(Buffer.from(octets), Buffer.from(option(type, hex(value))), title);
      written.push(title);
    }
  }
  assert.deepEqual(written.slice(0, 4), ['mru', 'accm', 'authentication', 'magicNumber']);
  assert.equal(written.length, 13);
});

test('every authentication protocol with a name is written as it was read', () => {
  for (const [name, digits] of [
    ['PAP', 'c023'],
    ['EAP', 'c227'],
    ['CHAP-MD5', 'c22305'],
    ['MS-CHAPv1', 'c22380'],
    ['MS-CHAPv2', 'c22381'],
  ] as const) {
    const octets = writeOption(LCP_OPTIONS.authentication, name);
    assert.deepEqual(Buffer.from(octets), Buffer.from(option(3, hex(digits))));
  }
});
