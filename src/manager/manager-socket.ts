/**
 * The manager's own socket in the run directory, for `pptpd-ts status`, `reload` and `blocks`: one request and one answer per
 * line, as on the sessions' sockets. A connection that sends invalid lines is closed.
 */
import { once } from 'node:events';
import { chmodSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Duplex } from 'node:stream';
import * as z from 'zod';
import { readLines, writeLine } from '../session/lines.js';
import type { ManagerOperation } from '../session/manager-status.js';
import { messageOf } from '../sys/thrown.js';

const request = z.looseObject({ id: z.number(), op: z.string() });

/** Each gets the request's fields, and throws or rejects if they are wrong. */
type Handlers = Readonly<Record<ManagerOperation, (fields: unknown) => unknown>>;

export class ManagerSocket {
  readonly #path: string;
  readonly #handlers: Handlers;
  readonly #connections = new Set<Duplex>();
  readonly #server = createServer((socket) => this.serve(socket));

  constructor(path: string, handlers: Handlers) {
    this.#path = path;
    this.#handlers = handlers;
  }

  /**
   * Listens, for owner and group only, and replaces the socket of a manager that was killed: only one manager can have the TCP
   * port. Rejects with the system's error.
   */
  async listen(): Promise<void> {
    rmSync(this.#path, { force: true });
    this.#server.listen(this.#path);
    await once(this.#server, 'listening');
    chmodSync(this.#path, 0o660);
  }

  /** Idempotent; earlier answers still arrive. */
  close(): void {
    this.#server.close();
    for (const socket of this.#connections) socket.end(() => socket.destroy());
  }

  /** Answers whoever has connected. */
  serve(socket: Duplex): void {
    this.#connections.add(socket);
    socket.on('close', () => this.#connections.delete(socket)).on('error', () => socket.destroy());
    readLines(socket, (message) => void this.#answer(message).then((answer) => writeLine(socket, answer)));
  }

  async #answer(message: unknown): Promise<unknown> {
    const parsed = request.safeParse(message);
    if (!parsed.success) return { id: 0, ok: false, error: 'a request must have the fields id and op' };
    const { id, op } = parsed.data;
    if (!Object.hasOwn(this.#handlers, op)) {
      return { id, ok: false, error: `unknown operation; known operations: ${Object.keys(this.#handlers).join(', ')}` };
    }
    try {
      return { id, ok: true, result: await this.#handlers[op as ManagerOperation](parsed.data) };
    } catch (error) {
      return { id, ok: false, error: messageOf(error) };
    }
  }
}
