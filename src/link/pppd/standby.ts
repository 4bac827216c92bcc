/**
 * The resources of a call on a pty, prepared before a client connects: the process that becomes pppd, and the memory of
 * the data path.
 */
import { PacketBuffers } from '../../gre/packet-buffers.js';
import type { ProcessIdentity } from '../../host/process.js';
import { SharedMemory } from '../../sys/shared-memory.js';
import type { Link, LinkOptions, Standby } from '../link.js';
import { PppdProcess } from './pppd-process.js';
import { PtyLink } from './pty-link.js';
import { PtyPort } from './pty-port.js';

export class PtyStandby implements Standby {
  readonly #pppd = new PppdProcess();
  readonly #buffers = new PacketBuffers(new SharedMemory());
  readonly #port = new PtyPort(this.#buffers.memory, this.#buffers);

  get process(): ProcessIdentity | null {
    return this.#pppd.identity;
  }

  get isOver(): boolean {
    return this.#pppd.isOver;
  }

  link(options: LinkOptions): Link {
    return new PtyLink(options, { pppd: this.#pppd, buffers: this.#buffers, port: this.#port });
  }

  async close(): Promise<void> {
    this.#pppd.hangUp();
    await this.#pppd.end(0);
  }
}
