/**
 * A host at the far end of a tunnel: a network namespace with a TUN device, whose packets the test carries, and a TCP
 * server that returns what it receives. The namespace ends with its process, and that with the test.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Poller } from '../../../src/sys/poller.js';
import { ip } from './station.js';
import { Tun } from './tun.js';
import { within } from './wait.js';

export const ECHO_PORT = 7;

export interface FarHostOptions {
  /** `address` is the host's own, `peer` the tunnel's other end. */
  readonly address: string;
  readonly peer: string;
  /** With prefix length. */
  readonly address6: string;
  readonly mtu: number;
  readonly onPacket: (packet: Buffer) => void;
}

export class FarHost {
  readonly #tun: Tun;

  private constructor(tun: Tun) {
    this.#tun = tun;
  }

  static async start(t: TestContext, options: FarHostOptions): Promise<FarHost> {
    const child = fork(fileURLToPath(import.meta.url), [], {
      execPath: 'unshare',
      execArgv: ['--net', process.execPath],
    });
    let poller: Poller | null = null;
    t.after(async () => {
      // First: with the child its network ends, and with that the device.
      poller?.close();
      await end(child);
    });
    await within('the far host to listen', once(child, 'message'));
    const { address, peer, address6, mtu, onPacket } = options;
    const tun = new Tun(t, 'far', '192.0.2.254', '192.0.2.253');
    const pid = child.pid ?? 0;
    ip(`link set far netns ${pid}`);
    ip('link set lo up', pid);
    ip(`address add ${address} peer ${peer} dev far`, pid);
    ip(`address add ${address6} dev far nodad`, pid);
    ip(`link set far mtu ${mtu} up`, pid);
    poller = new Poller(() => {
      tun.read();
      for (const packet of tun.packets.splice(0)) onPacket(packet);
    });
    poller.watch(tun.fd, true, false);
    return new FarHost(tun);
  }

  recv(packet: Buffer): void {
    this.#tun.send(packet);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.send !== undefined) {
  createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  }).listen(ECHO_PORT, '::', () => process.send?.('listens'));
  process.on('disconnect', () => process.exit());
}
