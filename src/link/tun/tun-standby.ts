/** What a call of the builtin engine needs, prepared before a client connects: the memory of the data path. */
import { PacketBuffers } from '../../gre/packet-buffers.js';
import { Mppe } from '../../mschap/mppe.js';
import { SharedMemory } from '../../sys/shared-memory.js';
import type { Link, LinkOptions, Standby } from '../link.js';
import type { SessionMonitor } from './session-monitor.js';
import { TunLink } from './tun-link.js';
import { TunPort } from './tun-port.js';

export class TunStandby implements Standby {
  readonly process = null;
  readonly isOver = false;
  readonly #connect: () => SessionMonitor;
  readonly #buffers = new PacketBuffers(new SharedMemory());
  readonly #mppe = new Mppe(this.#buffers.memory);
  readonly #port = new TunPort({
    memory: this.#buffers.memory,
    buffers: this.#buffers,
    onEvent: (event) => this.#link?.recvPortEvent(event),
  });
  #link: TunLink | null = null;

  /** `connect` opens the connection to the monitor. */
  constructor(connect: () => SessionMonitor) {
    this.#connect = connect;
  }

  link(options: LinkOptions): Link {
    this.#link = new TunLink(options, {
      monitor: this.#connect(),
      buffers: this.#buffers,
      port: this.#port,
      mppe: this.#mppe,
    });
    return this.#link;
  }

  async close(): Promise<void> {
    this.#port.close();
  }
}
