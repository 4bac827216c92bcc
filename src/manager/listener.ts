/** The TCP listener: accepts paused sockets and passes them on; nothing else, so that nothing here can block. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { Configuration } from '../config/schema.js';
import { LISTEN_FAILURES } from '../host/listen-failures.js';

/** Connections that the kernel keeps while this process is busy; the system's own limit (somaxconn) may be lower. */
const BACKLOG = 4096;

export class Listener {
  readonly #server: Server;

  constructor(onConnection: (socket: Socket) => void) {
    this.#server = createServer({ noDelay: true }, onConnection);
  }

  /** Rejects with the sentence for the administrator when the address cannot be had. */
  async listen(where: Configuration['listen']): Promise<void> {
    const { address, port, vrf } = where;
    try {
      if (vrf === undefined) {
        this.#server.listen({ host: address, port, backlog: BACKLOG });
      } else {
        const { boundToDevice } = await import('../host/device-socket.js');
        this.#server.listen({ fd: boundToDevice(vrf, address, port) }, BACKLOG);
      }
      await once(this.#server, 'listening');
    } catch (error) {
      throw new Error(listenFailure(where, error as NodeJS.ErrnoException), { cause: error });
    }
  }

  close(): void {
    this.#server.close();
  }
}

function listenFailure({ address, port, vrf }: Configuration['listen'], error: NodeJS.ErrnoException): string {
  const where = `cannot listen on ${address}:${port}${vrf === undefined ? '' : ` of ${vrf}`}`;
  const known = LISTEN_FAILURES[error.code ?? ''];
  return known === undefined ? `${where}: ${error.message}` : `${where}: ${known.problem}; mend it: ${known.remedy}`;
}
