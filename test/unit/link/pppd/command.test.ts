import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pppdArguments } from '../../../../src/link/pppd/command.js';

const pppd = {
  path: '/usr/sbin/pppd',
  options: '/etc/ppp/options.pptpd',
  speed: 115200,
  ipparam: true,
  logwtmp: false,
  args: [] as string[],
};
const lease = { local: '192.168.0.1', remote: '192.168.1.10', callId: 1 };

const cases: [
  title: string,
  options: Partial<typeof pppd>,
  held: { local: string | null; remote: string | null },
  words: string,
][] = [
  [
    'the same as pptpd, plus nodetach',
    {},
    lease,
    'local file /etc/ppp/options.pptpd 115200 192.168.0.1:192.168.1.10 ipparam 192.0.2.7 remotenumber 192.0.2.7 nodetach',
  ],
  [
    'without ipparam',
    { ipparam: false },
    lease,
    'local file /etc/ppp/options.pptpd 115200 192.168.0.1:192.168.1.10 remotenumber 192.0.2.7 nodetach',
  ],
  [
    'delegated: only the local address',
    {},
    { local: '192.168.0.1', remote: null },
    'local file /etc/ppp/options.pptpd 115200 192.168.0.1: ipparam 192.0.2.7 remotenumber 192.0.2.7 nodetach',
  ],
  [
    'delegated without a local address',
    {},
    { local: null, remote: null },
    'local file /etc/ppp/options.pptpd 115200 ipparam 192.0.2.7 remotenumber 192.0.2.7 nodetach',
  ],
  [
    'an options file below /etc/ppp/peers is passed with call',
    { options: '/etc/ppp/peers/pptpd-ts' },
    lease,
    'local call pptpd-ts 115200 192.168.0.1:192.168.1.10 ipparam 192.0.2.7 remotenumber 192.0.2.7 nodetach',
  ],
  [
    "the administrator's own arguments come last",
    { args: ['debug', 'mtu', '1300'] },
    lease,
    'local file /etc/ppp/options.pptpd 115200 192.168.0.1:192.168.1.10 ipparam 192.0.2.7 remotenumber 192.0.2.7 nodetach debug mtu 1300',
  ],
];

for (const [title, options, held, words] of cases) {
  test(title, () =>
    assert.equal(pppdArguments({ ...pppd, ...options }, { ...lease, ...held }, '192.0.2.7').join(' '), words),
  );
}
