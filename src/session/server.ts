/**
 * The worker's socket in the run directory. Its being there is what makes the session known; its closing is how
 * anyone learns that the session is over. It outlives managers and needs none.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import { Captures } from './captures.js';
import { readLines, writeLine } from './lines.js';
import { parseRequest, SOCKET_VERSION, type Greeting, type Operation, type Request } from './request.js';

/** What the session does for each operation; a throw becomes the answer's error. */
export type SessionHandlers = {
  readonly [O in Exclude<Operation, 'subscribe' | 'capture'>]: (request: Request<O>) => unknown;
};

export interface SessionServerOptions {
  readonly session: string;
  /** The program's, for the greeting. */
  readonly version: string;
  readonly handlers: SessionHandlers;
}

export class SessionServer {
  readonly #server: Server;
  readonly #connections = new Set<Socket>();
  readonly #subscribers = new Set<Socket>();
  /** Those who capture; what there is to capture is the session's to give. */
  readonly captures = new Captures();
  readonly #greeting: Greeting;
  readonly #handlers: SessionHandlers;
  /** Resolves when somebody has subscribed and been told the state since. */
  readonly heard: Promise<void>;
  #isHeard: () => void = () => undefined;

  constructor({ session, version, handlers }: SessionServerOptions) {
    this.#greeting = { greeting: 'pptpd-ts', v: SOCKET_VERSION, session, version };
    this.#handlers = handlers;
    this.heard = new Promise((resolve) => (this.#isHeard = resolve));
    this.#server = createServer((socket) => this.#serve(socket));
  }

  /** Listens on `path`, for owner and group only. Rejects with what the system says. */
  async listen(path: string): Promise<void> {
    this.#server.listen(path);
    await once(this.#server, 'listening');
    chmodSync(path, 0o660);
  }

  /** Sends an event to all who have subscribed. */
  publish(state: unknown): void {
    for (const socket of this.#subscribers) writeLine(socket, { event: 'state', state });
  }

  /**
   * Closes the socket and every connection to it; idempotent. What was published or answered before still arrives, also at
   * who asks something at this very moment: a connection that could not be written to would be lost with what it brings. So
   * each is gone when its other end has closed it too.
   */
  close(): void {
    this.#server.close();
    this.captures.close();
    for (const socket of this.#connections) socket.end();
  }

  #serve(socket: Socket): void {
    this.#connections.add(socket);
    socket.on('close', () => {
      this.#connections.delete(socket);
      this.#subscribers.delete(socket);
      this.captures.remove(socket);
    });
    // An asker that went away or spoke nonsense has lost its own connection; there is nobody else to tell.
    socket.on('error', () => socket.destroy());
    writeLine(socket, this.#greeting);
    readLines(socket, (message) => {
      if (!this.#server.listening) return;
      const parsed = parseRequest(message);
      if ('error' in parsed) {
        writeLine(socket, { id: parsed.id, ok: false, error: parsed.error });
        return;
      }
      const { request } = parsed;
      try {
        writeLine(socket, { id: request.id, ok: true, result: this.#answer(socket, request) ?? null });
        if (request.op === 'state' && this.#subscribers.has(socket)) this.#isHeard();
      } catch (error) {
        writeLine(socket, { id: request.id, ok: false, error: error instanceof Error ? error.message : String(error) });
      }
    });
  }

  #answer(socket: Socket, request: Request): unknown {
    if (request.op === 'subscribe') {
      this.#subscribers.add(socket);
      return null;
    }
    if (request.op === 'capture') {
      this.captures.add(socket);
      return null;
    }
    const handler = this.#handlers[request.op] as (request: Request) => unknown;
    return handler(request);
  }
}
