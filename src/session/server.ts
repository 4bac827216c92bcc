/**
 * The worker's socket in the run directory. A session is found by its socket, and has ended when the socket closes. It
 * works without a manager.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import { messageOf } from '../sys/thrown.js';
import { Captures } from './captures.js';
import { readLines, writeLine } from './lines.js';
import { parseRequest, SOCKET_VERSION, type Greeting, type Operation, type Request } from './request.js';

/** A handler for each operation. What it throws becomes the error of the answer. */
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
  /** The capturing clients; the session feeds their tap. */
  readonly captures = new Captures();
  readonly #greeting: Greeting;
  readonly #handlers: SessionHandlers;
  /** Resolves when a client has subscribed and then been sent the state. */
  readonly heard: Promise<void>;
  #isHeard: () => void = () => undefined;

  constructor({ session, version, handlers }: SessionServerOptions) {
    this.#greeting = { greeting: 'pptpd-ts', v: SOCKET_VERSION, session, version };
    this.#handlers = handlers;
    this.heard = new Promise((resolve) => (this.#isHeard = resolve));
    this.#server = createServer((socket) => this.#serve(socket));
  }

  /** Listens on `path`, for owner and group only. Rejects with the system's error. */
  async listen(path: string): Promise<void> {
    this.#server.listen(path);
    await once(this.#server, 'listening');
    chmodSync(path, 0o660);
  }

  /** Sends a `state` event to all subscribers. */
  publish(state: unknown): void {
    for (const socket of this.#subscribers) writeLine(socket, { event: 'state', state });
  }

  /**
   * Closes the socket and ends every connection to it; idempotent. Earlier events and answers still arrive: destroying a
   * connection to which the client is just writing would lose them, so each connection stays until the client closes it too.
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
    // The client is gone or sent an invalid line: only its own connection is closed.
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
        writeLine(socket, { id: request.id, ok: false, error: messageOf(error) });
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
