import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultRoutesIn } from '../../../src/network/default-routes.js';

const HEAD = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT';
const route = (name: string, destination: string, flags: string, mask: string): string =>
  `${name}\t${destination}\t010200C0\t${flags}\t0\t0\t100\t${mask}\t0\t0\t0`;

const cases: [title: string, lines: readonly string[], names: readonly string[]][] = [
  ['none', [HEAD, route('eth0', '000200C0', '0001', '00FFFFFF')], []],
  [
    'one',
    [HEAD, route('eth0', '00000000', '0003', '00000000'), route('eth0', '000200C0', '0001', '00FFFFFF')],
    ['eth0'],
  ],
  [
    'several, each interface once',
    [
      HEAD,
      route('eth0', '00000000', '0003', '00000000'),
      route('lte0', '00000000', '0003', '00000000'),
      route('eth0', '00000000', '0003', '00000000'),
    ],
    ['eth0', 'lte0'],
  ],
  ['half of the Internet is no default', [HEAD, route('tun0', '00000000', '0003', '00000080')], []],
  ['unreachable', [HEAD, route('*', '00000000', '0200', '00000000')], []],
  ['not up', [HEAD, route('eth0', '00000000', '0002', '00000000')], []],
  ['no text', [''], []],
];
for (const [title, lines, names] of cases)
  test(title, () => assert.deepEqual(defaultRoutesIn(lines.join('\n')), names));
