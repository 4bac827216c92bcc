/** Unix sockets in memory, and the sessions that listen on them: those that answer as workers do, and others. */
import { realpathSync, rmSync, writeFileSync } from 'node:fs';
import { Duplex } from 'node:stream';
import { SOCKET_VERSION } from '../../../src/session/request.js';
import type { SessionState } from '../../../src/session/state.js';

/** One end of a connection. Like a unix socket's it closes when the other end has closed. */
class End extends Duplex {
  other: End | null = null;

  constructor() {
    super({ allowHalfOpen: false });
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, taken: () => void): void {
    this.other?.push(chunk);
    taken();
  }

  override _final(done: () => void): void {
    this.#endOther();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#endOther();
    // As a socket's, which the event loop closes.
    setImmediate(() => done(error));
  }

  #endOther(): void {
    this.other?.push(null);
    this.other = null;
  }
}

type OnConnection = (socket: Duplex) => void;

export class Sockets {
  readonly #listeners = new Map<string, OnConnection>();
  /** Connections that have been made. */
  count = 0;

  /** Something listens on `path`. */
  listen(path: string, onConnection: OnConnection): void {
    writeFileSync(path, '');
    this.#listeners.set(path, onConnection);
  }

  /** Nobody listens there any more; the file stays, as that of a process that was killed. */
  close(path: string): void {
    this.#listeners.delete(path);
  }

  remove(path: string): void {
    this.close(path);
    rmSync(path);
  }

  /** As the system does it; a link is followed. */
  readonly connect = (path: string): Duplex => {
    const [ours, theirs] = [new End(), new End()];
    let onConnection: OnConnection | undefined;
    try {
      onConnection = this.#listeners.get(realpathSync(path));
    } catch {
      return ours.destroy(Object.assign(new Error(`connect ENOENT ${path}`), { code: 'ENOENT' }));
    }
    if (onConnection === undefined)
      return ours.destroy(Object.assign(new Error(`connect ECONNREFUSED ${path}`), { code: 'ECONNREFUSED' }));
    [ours.other, theirs.other] = [theirs, ours];
    this.count += 1;
    theirs.on('error', () => undefined);
    onConnection(theirs);
    return ours;
  };
}

export interface Asked {
  readonly id: number;
  readonly op: string;
  readonly [field: string]: unknown;
}

/** Tells `onRequest` of each request that comes. */
export function readRequests(socket: Duplex, onRequest: (request: Asked) => void): void {
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    for (const line of chunk.split('\n').filter((each) => each !== '')) onRequest(JSON.parse(line) as Asked);
  });
}

export const say = (socket: Duplex, message: unknown): boolean => socket.write(`${JSON.stringify(message)}\n`);

export const greeting = (session: string): Readonly<Record<string, unknown>> => ({
  greeting: 'pptpd-ts',
  v: SOCKET_VERSION,
  session,
  version: '0.1.0',
});

/** A session's socket that answers as a worker's does. */
export class ASession {
  state: SessionState;
  /** What it was asked, without `state` and `subscribe`. */
  readonly asked: Omit<Asked, 'id'>[] = [];
  /** It answers nothing. */
  isMute = false;
  /** What it answers to everything but `state` and `subscribe`; null: that it is done. */
  refusal: string | null = null;
  readonly #connections = new Set<Duplex>();

  constructor(state: SessionState) {
    this.state = state;
  }

  readonly serve = (socket: Duplex): void => {
    this.#connections.add(socket);
    socket.on('close', () => this.#connections.delete(socket));
    say(socket, greeting(this.state.session));
    readRequests(socket, ({ id, ...request }) => {
      const isAboutState = request.op === 'state' || request.op === 'subscribe';
      if (!isAboutState) this.asked.push(request);
      if (this.isMute) return;
      if (this.refusal !== null && !isAboutState) say(socket, { id, ok: false, error: this.refusal });
      else say(socket, { id, ok: true, result: request.op === 'state' ? this.state : null });
    });
  };

  get connections(): number {
    return this.#connections.size;
  }

  publish(parts: Partial<SessionState>): void {
    this.state = { ...this.state, ...parts };
    for (const socket of this.#connections) say(socket, { event: 'state', state: this.state });
  }

  /** Closes every connection. */
  hangUp(): void {
    for (const socket of this.#connections) socket.end();
  }
}
