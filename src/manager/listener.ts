/** The TCP listener: accepts connections and passes them on, and does nothing that can block. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { Configuration } from '../config/schema.js';
import { listenFailure } from '../host/listen-failures.js';

/** Connections that the kernel queues while this process is busy; the system's limit (somaxconn) may be lower. */
const BACKLOG = 4096;

export class Listener {
  readonly #server: Server;

  /** `onFailure` is called for connections that could not be accepted (out of descriptors); the listener stays open. */
  constructor(onConnection: (socket: Socket) => void, onFailure: (error: Error) => void) {
    this.#server = createServer({ noDelay: true }, onConnection);
    this.#server.on('error', (error) => {
      if (this.#server.listening) onFailure(error);
    });
  }

  /** Rejects with an error for the administrator if it cannot listen on the address. */
  async listen(where: Configuration['listen']): Promise<void> {
    const { address, port, vrf } = where;
    try {
      if (vrf === undefined) {
        this.#server.listen({ host: address, port, backlog: BACKLOG });
      } else {
        const { boundToDevice } = await import('../sys/device-socket.js');
        this.#server.listen({ fd: boundToDevice(vrf, address, port) }, BACKLOG);
      }
      await once(this.#server, 'listening');
    } catch (error) {
      const place = `on ${address}:${port}${vrf === undefined ? '' : ` of ${vrf}`}`;
      throw new Error(listenFailure(place, error), { cause: error });
    }
  }

  close(): void {
    this.#server.close();
  }
}
