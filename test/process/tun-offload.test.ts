/**
 * The kernel judges src/link/tun/wasm: it cuts the same super packets for an interface without offload as we cut for
 * ourselves, and it takes our joined packets apart into what they were joined from.
 *
 *     test ── from (offload) ── kernel forwards ─┬─ plain (without offload: the kernel cuts)
 *                                                └─ whole (offload: the packets come as they are)
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { before, describe, type TestContext, test } from 'node:test';
import { openTunDevice, TunDeviceFailed } from '../../src/sys/tun-device.js';
import { OffloadBench } from '../unit/link/tun/offload-bench.js';
import {
  FLAGS,
  payloadOf,
  superPacket,
  TIMESTAMPS,
  type TcpFields,
  tcp4,
  tcp6,
  tcpOf,
} from '../unit/link/tun/packets.js';
import { enterNamespace } from './support/netns.js';
import { ip } from './support/station.js';
import { Tun } from './support/tun.js';
import { until } from './support/wait.js';

const { ACK, CWR, ECE, FIN, PSH } = FLAGS;
const bench = new OffloadBench();

enterNamespace();

before(() => {
  // Of the kernel's own IPv6 packets none would be awaited.
  for (const which of ['default', 'all']) writeFileSync(`/proc/sys/net/ipv6/conf/${which}/router_solicitations`, '0');
  writeFileSync('/proc/sys/net/ipv4/ip_forward', '1');
  writeFileSync('/proc/sys/net/ipv6/conf/all/forwarding', '1');
});

/** A TUN device with offload, whose other end is the test. */
class OffloadTun {
  readonly #fd: number;
  readonly #name: string;

  constructor(t: TestContext, name: string, local: string, peer: string, local6: string) {
    const { fd, name: given } = openTunDevice(name);
    t.after(() => closeSync(fd));
    this.#fd = fd;
    this.#name = given;
    ip(`address add ${local} peer ${peer} dev ${given}`);
    ip(`address add ${local6} dev ${given} nodad`);
    ip(`link set ${given} up`);
  }

  get name(): string {
    return this.#name;
  }

  write(packet: Uint8Array): void {
    assert.equal(writeSync(this.#fd, packet), packet.length);
  }

  /** The next TCP packet, with its offload header. */
  async read(): Promise<Buffer> {
    return until('a packet', () => {
      const buffer = Buffer.alloc(70_000);
      try {
        const packet = Buffer.from(buffer.subarray(0, readSync(this.#fd, buffer)));
        return isTcp(packet.subarray(10)) ? packet : undefined;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return undefined;
        throw error;
      }
    });
  }
}

const isTcp = (packet: Buffer): boolean => packet[tcpOf(packet) === 20 ? 9 : 6] === 6;

interface Machine {
  readonly from: OffloadTun;
  readonly plain: Tun;
  readonly whole: OffloadTun;
}

function aMachine(t: TestContext): Machine {
  const from = new OffloadTun(t, 'from', '192.0.2.1', '192.0.2.2', '2001:db8::1/120');
  const plain = new Tun(t, 'plain', '203.0.113.1', '203.0.113.2');
  ip('address add 2001:db8::201/120 dev plain nodad');
  const whole = new OffloadTun(t, 'whole', '203.0.113.5', '203.0.113.6', '2001:db8::301/120');
  return { from, plain, whole };
}

function route(device: string): void {
  ip(`route replace 198.51.100.0/24 dev ${device}`);
  ip(`-6 route replace 2001:db8::100/120 dev ${device}`);
}

/** What the kernel cuts the packet into. */
async function cutByKernel({ from, plain }: Machine, packet: Uint8Array, segments: number): Promise<Buffer[]> {
  route('plain');
  plain.packets.length = 0;
  from.write(packet);
  return until(`${segments} segments`, () => {
    plain.read();
    const tcp = plain.packets.filter(isTcp);
    return tcp.length >= segments && tcp;
  });
}

/** What we cut the packet into that the kernel hands over whole. */
async function cutByUs({ from, whole }: Machine, packet: Uint8Array): Promise<Buffer[] | number> {
  route('whole');
  from.write(packet);
  return bench.cut(await whole.read());
}

for (const [name, make] of [
  ['IPv4', tcp4],
  ['IPv6', tcp6],
] as const) {
  describe(name, () => {
    const cases: readonly [string, TcpFields, number][] = [
      ['whole segments', { payload: payloadOf(3000) }, 1000],
      ['a shorter last one, PSH and FIN', { payload: payloadOf(3001), flags: ACK | PSH | FIN }, 1300],
      ['timestamps, odd sizes', { payload: payloadOf(777), options: TIMESTAMPS }, 33],
      ['CWR', { payload: payloadOf(900), flags: ACK | CWR | ECE | PSH }, 301],
      ['numbers that wrap', { payload: payloadOf(900), sequence: 0xffff_ff00, identification: 0xfffe }, 200],
      ['fragments allowed', { payload: payloadOf(900), dontFragment: false, identification: 7 }, 200],
      ['44 KiB', { payload: payloadOf(45_000), options: TIMESTAMPS, tos: 0x20 }, 1348],
    ];
    for (const [what, fields, size] of cases) {
      test(`cut as the kernel cuts: ${what}`, async (t) => {
        const machine = aMachine(t);
        const packet = superPacket(make(fields), size);
        const segments = Math.ceil((fields.payload?.length ?? 0) / size);
        assert.deepEqual(await cutByUs(machine, packet), await cutByKernel(machine, packet, segments));
      });
    }

    test('a checksum is finished as the kernel finishes it', async (t) => {
      const machine = aMachine(t);
      const packet = superPacket(make({ payload: payloadOf(501) }), 0);
      packet.writeUInt8(0, 1);
      assert.deepEqual(await cutByUs(machine, packet), await cutByKernel(machine, packet, 1));
    });

    test('the kernel takes a joined packet apart into the segments that it was joined from', async (t) => {
      const machine = aMachine(t);
      const segments = Array.from({ length: 20 }, (_, index) =>
        make({
          sequence: 5000 + index * 1000,
          identification: 100 + index,
          payload: payloadOf(index === 19 ? 500 : 1000, index),
          options: TIMESTAMPS,
          flags: index === 19 ? ACK | PSH : ACK,
        }),
      );
      const [joined, ...rest] = bench.join(segments);
      assert.ok(joined !== undefined && rest.length === 0);
      const forwarded = await cutByKernel(machine, joined.written, segments.length);
      assert.deepEqual(forwarded.map(asSent), segments);
    });
  });
}

/** Undoes what a router has done to the packet. */
function asSent(packet: Buffer): Buffer {
  const isV4 = tcpOf(packet) === 20;
  const sent = Buffer.from(packet);
  sent[isV4 ? 8 : 7] = 64;
  // RFC 1624: the time to live is one less, its word's sum one more.
  if (isV4) sent.writeUInt16BE(foldedSum(sent.readUInt16BE(10) - 0x100), 10);
  return sent;
}

const foldedSum = (sum: number): number => (sum <= 0 ? sum + 0xffff : sum);

describe('failures', () => {
  /** The fault of a process of its own, which `command` starts. */
  function faultUnder(...command: readonly [string, ...string[]]): string {
    const module = new URL('../../src/sys/tun-device.js', import.meta.url).href;
    const script = `import('${module}').then(({ openTunDevice }) => openTunDevice('refused'))
      .catch(({ fault, message }) => console.log(fault, message))`;
    const [program, ...args] = [...command, process.execPath, '-e', script];
    const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
    return `${stdout}${stderr}`.trim();
  }

  const fault = (name: string): unknown => {
    try {
      closeSync(openTunDevice(name).fd);
      return null;
    } catch (error) {
      return error instanceof TunDeviceFailed ? [error.fault, error.code] : error;
    }
  };

  test('the name is the lowest free one, or taken', (t) => {
    const first = openTunDevice('ppp%d');
    t.after(() => closeSync(first.fd));
    const second = openTunDevice('ppp%d');
    t.after(() => closeSync(second.fd));
    assert.deepEqual([first.name, second.name], ['ppp0', 'ppp1']);
    assert.deepEqual(fault('ppp1'), ['nameTaken', 'EBUSY']);
    assert.deepEqual(fault('lo'), ['nameTaken', 'EBUSY']);
    assert.deepEqual(fault('a/b'), ['other', 'EINVAL']);
    assert.deepEqual(fault('sixteen-letters-'), ['other', 'EINVAL']);
  });

  test('without CAP_NET_ADMIN', () => {
    const result = faultUnder('setpriv', '--bounding-set', '-net_admin', '--inh-caps', '-net_admin');
    assert.equal(result, 'noPermission cannot create the interface refused: EPERM');
  });

  test('without the device', () => {
    const result = faultUnder('unshare', '--mount', 'sh', '-c', 'mount -t tmpfs none /dev/net && exec "$@"', 'sh');
    assert.equal(result, 'noDevice cannot open /dev/net/tun: ENOENT');
  });
});
