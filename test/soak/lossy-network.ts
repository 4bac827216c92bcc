/** The network between clients and server: it loses packets at random, and drops everything of clients that vanish. */
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';

/** How long a vanished client's connection stays cut off, seconds: longer than the server waits for it. */
const CUT_SECONDS = 120;

export class LossyNetwork {
  /** `loss`: packets in a thousand that get lost, each way, from and to `network` (CIDR). */
  constructor(network: string, loss: number) {
    const lose = (which: string): string => `ip ${which} ${network} numgen random mod 1000 < ${loss} drop;`;
    const rules = `table ip soak {
      set vanished { type ipv4_addr . inet_service; flags timeout; timeout ${CUT_SECONDS}s; }
      chain way {
        type filter hook input priority 0;
        ip saddr . tcp sport @vanished drop;
        ip daddr . tcp dport @vanished drop;
        ${lose('saddr')}
        ${lose('daddr')}
      }
    }`;
    const { status, stderr } = spawnSync('nft', ['-f', '-'], { input: rules, encoding: 'utf8' });
    if (status !== 0) throw new Error(`nft: ${stderr}`);
  }

  /** Nothing of this TCP connection passes any more, either way. */
  async cut(address: string, port: number): Promise<void> {
    await promisify(execFile)('nft', ['add', 'element', 'ip', 'soak', 'vanished', `{ ${address} . ${port} }`]);
  }

  close(): void {
    spawnSync('nft', ['delete', 'table', 'ip', 'soak']);
  }
}
