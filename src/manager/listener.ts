/** The TCP listener: accepts paused sockets and passes them on; nothing else, so that nothing here can block. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { Configuration } from '../config/schema.js';

/** Connections that the kernel keeps while this process is busy; the system's own limit (somaxconn) may be lower. */
const BACKLOG = 4096;

export class Listener {
  readonly #server: Server;

  constructor(onConnection: (socket: Socket) => void) {
    this.#server = createServer({ noDelay: true }, onConnection);
  }

  /** Rejects with the sentence for the administrator when the address cannot be had. */
  async listen({ address, port, vrf }: Configuration['listen']): Promise<void> {
    try {
      if (vrf === undefined) {
        this.#server.listen({ host: address, port, backlog: BACKLOG });
      } else {
        const { boundToDevice } = await import('../host/device-socket.js');
        this.#server.listen({ fd: boundToDevice(vrf, address, port) }, BACKLOG);
      }
      await once(this.#server, 'listening');
    } catch (error) {
      throw new Error(listenFailure(address, port, error as NodeJS.ErrnoException), { cause: error });
    }
  }

  close(): void {
    this.#server.close();
  }
}

const LISTEN_FAILURES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there already (see: ss -ltnp)',
  EADDRNOTAVAIL: 'this machine has no such address (see: ip address)',
  EACCES: 'a port below 1024 needs root or CAP_NET_BIND_SERVICE',
};

const listenFailure = (address: string, port: number, error: NodeJS.ErrnoException): string =>
  `cannot listen on ${address}:${port}: ${LISTEN_FAILURES[error.code ?? ''] ?? error.message}`;
