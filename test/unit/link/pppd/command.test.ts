import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkConfiguration } from '../../../../src/config/load.js';
import type { ConfigurationInput } from '../../../../src/config/schema.js';
import { pppdArguments } from '../../../../src/link/pppd/command.js';

const pppd = { options: '/etc/ppp/options.pptpd' };
const lease = { local: '192.168.0.1', remote: '192.168.1.10', callId: 1 };

const cases: [
  title: string,
  written: ConfigurationInput,
  held: { local: string | null; remote: string | null },
  words: string,
][] = [
  [
    'the same as pptpd, plus nodetach',
    { pppd },
    lease,
    'local file /etc/ppp/options.pptpd 115200 192.168.0.1:192.168.1.10 ipparam 192.0.2.7 remotenumber 192.0.2.7 nodetach',
  ],
  [
    'without ipparam',
    { pppd: { ...pppd, ipparam: false } },
    lease,
    'local file /etc/ppp/options.pptpd 115200 192.168.0.1:192.168.1.10 remotenumber 192.0.2.7 nodetach',
  ],
  [
    'delegated: only the local address',
    { pppd },
    { local: '192.168.0.1', remote: null },
    'local file /etc/ppp/options.pptpd 115200 192.168.0.1: ipparam 192.0.2.7 remotenumber 192.0.2.7 nodetach',
  ],
  [
    'delegated without a local address',
    { pppd },
    { local: null, remote: null },
    'local file /etc/ppp/options.pptpd 115200 ipparam 192.0.2.7 remotenumber 192.0.2.7 nodetach',
  ],
  [
    'an options file below /etc/ppp/peers is passed with call',
    { pppd: { ...pppd, options: '/etc/ppp/peers/pptpd-ts' } },
    lease,
    'local call pptpd-ts 115200 192.168.0.1:192.168.1.10 ipparam 192.0.2.7 remotenumber 192.0.2.7 nodetach',
  ],
  [
    "the administrator's own arguments come last",
    { pppd: { ...pppd, args: ['debug', 'mtu', '1300'] } },
    lease,
    'local file /etc/ppp/options.pptpd 115200 192.168.0.1:192.168.1.10 ipparam 192.0.2.7 remotenumber 192.0.2.7 nodetach debug mtu 1300',
  ],
  [
    'keys of the section ppp come after the options file',
    {
      ppp: {
        name: 'gate',
        authentication: ['ms-chap-v2', 'ms-chap'],
        encryption: 'require',
        encryptionKeys: [128, 40],
        statefulEncryption: true,
        stripDomain: true,
        dns: ['192.0.2.53', '192.0.2.54'],
        wins: ['192.0.2.55'],
        mtu: 1300,
        mru: 1250,
        lcpEcho: { interval: 10, failures: 3 },
        ipv6: false,
        proxyArp: true,
      },
      pppd: { ...pppd, args: ['debug'] },
    },
    lease,
    'local file /etc/ppp/options.pptpd name gate require-mschap-v2 require-mschap refuse-chap refuse-pap require-mppe-128 require-mppe-40 nobsdcomp nodeflate novj novjccomp mppe-stateful chapms-strip-domain ms-dns 192.0.2.53 ms-dns 192.0.2.54 ms-wins 192.0.2.55 mtu 1300 mru 1250 lcp-echo-interval 10 lcp-echo-failure 3 noipv6 proxyarp 115200 192.168.0.1:192.168.1.10 ipparam 192.0.2.7 remotenumber 192.0.2.7 nodetach debug',
  ],
  [
    'no encryption, IPv6 and no proxy ARP',
    { ppp: { encryption: 'none', ipv6: true, proxyArp: false } },
    lease,
    'local nomppe +ipv6 noproxyarp 115200 192.168.0.1:192.168.1.10 ipparam 192.0.2.7 remotenumber 192.0.2.7 nodetach',
  ],
];

for (const [title, written, held, words] of cases) {
  test(title, () => {
    const checked = checkConfiguration(written);
    assert(checked.ok);
    assert.equal(pppdArguments(checked.configuration, { ...lease, ...held }, '192.0.2.7').join(' '), words);
  });
}
