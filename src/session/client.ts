/**
 * The client of a session's socket, for the manager and the command line: connects, checks the greeting, sends requests.
 */
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import * as z from 'zod';
import { errorOf, messageOf } from '../sys/thrown.js';
import { CAPTURED, type CaptureEvent } from './captures.js';
import { MAX_ANSWER_BYTES, readLines, writeLine } from './lines.js';
import { sessionSocketPath } from './paths.js';
import { listSessionIds } from './record.js';
import { SOCKET_VERSION, type Operation, type Request } from './request.js';
import { sessionState, type SessionState } from './state.js';

/** Milliseconds. A healthy worker greets and answers at once, because its event loop never blocks. */
const ANSWER_TIMEOUT_MS = 3000;

const fromSession = z.union([
  z.object({ greeting: z.literal('pptpd-ts'), v: z.number(), session: z.string(), version: z.string() }),
  z.object({ event: z.literal('state'), state: sessionState }),
  z.object({
    event: z.literal('capture'),
    lost: z.number(),
    frames: z.array(
      z.tuple([
        z.number(),
        z
          .int()
          .min(0)
          .max(CAPTURED.length - 1),
        z.int().min(0),
      ]),
    ),
    bytes: z.string(),
  }),
  z.object({ id: z.number(), ok: z.literal(true), result: z.unknown() }),
  z.object({ id: z.number(), ok: z.literal(false), error: z.string() }),
]);

/** Nobody listens on the socket: the worker is dead, or the session has just ended. */
export class SessionGone extends Error {}

/** The session is run by a version with incompatible messages: only `disconnect` is possible. */
export class OtherVersion extends Error {}

interface Waiting {
  /** Called with the result before any event that arrived later. */
  readonly take: (result: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

export type Connect = (path: string) => Duplex;

type Fields<O extends Operation> = Omit<Request<O>, 'id' | 'op'>;

export class SessionClient {
  readonly id: string;
  readonly #socket: Duplex;
  /** Why only `disconnect` may be requested; null if the versions are compatible. */
  otherVersion: OtherVersion | null = null;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  /**
   * Called once when the connection has closed. `why` is SessionGone if the session closed it, so that it has ended unless its
   * socket still listens; another Error if it sent a message that cannot be parsed.
   */
  onClose: (why: Error) => void = () => undefined;
  /** Called for each event after `subscribe`. */
  onState: (state: SessionState) => void = () => undefined;
  /** Called for each event after `capture`. */
  onCapture: (event: CaptureEvent) => void = () => undefined;

  private constructor(id: string, socket: Duplex) {
    this.id = id;
    this.#socket = socket;
  }

  /** Connects to session `id`. Rejects as `reach` does, and with OtherVersion. */
  static async connect(runDirectory: string, id: string, connectTo: Connect = connect): Promise<SessionClient> {
    const client = await SessionClient.reach(runDirectory, id, connectTo);
    if (client.otherVersion === null) return client;
    client.close();
    throw client.otherVersion;
  }

  /**
   * Connects to session `id`, whichever version runs it: see `otherVersion`. Rejects with SessionGone if nobody listens, and
   * with another Error if no greeting arrives in time.
   */
  static async reach(runDirectory: string, id: string, connectTo: Connect = connect): Promise<SessionClient> {
    const socket = connectTo(sessionSocketPath(runDirectory, id));
    const client = new SessionClient(id, socket);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => socket.destroy(new Error(`session ${id} does not answer (its worker hangs or is stopped)`)),
        ANSWER_TIMEOUT_MS,
      );
      let failure: Error = new SessionGone(`there is no session ${id} (it may have ended)`);
      let greeted = false;
      socket.on('error', (error: NodeJS.ErrnoException) => {
        const gone =
          error.code === 'ENOENT' ||
          error.code === 'ECONNREFUSED' ||
          error.code === 'ECONNRESET' ||
          error.code === 'EPIPE';
        if (!gone) failure = error;
      });
      socket.on('close', () => {
        clearTimeout(timer);
        client.#fail(failure);
        if (greeted) client.onClose(failure);
        else reject(failure);
      });
      readLines(
        socket,
        (line) => {
          const message = fromSession.safeParse(line);
          if (!message.success) {
            // Of another version only the core is understood (request.ts).
            if (client.otherVersion !== null) return;
            socket.destroy(new Error(`session ${id} sent a message that this version does not understand`));
          } else if ('greeting' in message.data) {
            clearTimeout(timer);
            if (message.data.session !== id) {
              socket.destroy(new Error(`the socket of session ${id} belongs to session ${message.data.session}`));
            } else {
              const { v, version } = message.data;
              if (v !== SOCKET_VERSION) {
                client.otherVersion = new OtherVersion(
                  `session ${id} is run by pptpd-ts ${version}, which speaks version ${v} of the session protocol (this program: ${SOCKET_VERSION})`,
                );
              }
              greeted = true;
              resolve(client);
            }
          } else if ('event' in message.data) {
            if (message.data.event === 'state') client.onState(message.data.state);
            else client.onCapture(message.data);
          } else {
            client.#settle(message.data);
          }
        },
        MAX_ANSWER_BYTES,
      );
    });
  }

  /** The result of a request. Rejects with the session's error, or if it does not answer in time. */
  async request<O extends Operation>(op: O, fields: Fields<O>): Promise<unknown> {
    return this.#ask(op, fields, (result) => result);
  }

  /**
   * The session's state. `take` is for callers that also get events: it is called before any newer event, while the promise
   * may resolve after one.
   */
  async state(take?: (state: SessionState) => void): Promise<SessionState> {
    return this.#ask('state', {}, (result) => {
      const state = sessionState.parse(result);
      take?.(state);
      return state;
    });
  }

  async #ask<O extends Operation, T>(op: O, fields: Fields<O>, read: (result: unknown) => T): Promise<T> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new Error(`session ${this.id} does not answer (its worker hangs or is stopped)`));
      }, ANSWER_TIMEOUT_MS);
      const take = (result: unknown): void => {
        try {
          resolve(read(result));
        } catch (error) {
          reject(errorOf(error));
        }
      };
      this.#waiting.set(id, { take, reject, timer });
      writeLine(this.#socket, { ...fields, id, op });
    });
  }

  /** Reads nothing more until `resume`. Frames that the session cannot buffer meanwhile are lost, and counted. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#socket.destroy();
  }

  #settle(answer: { id: number } & ({ ok: true; result: unknown } | { ok: false; error: string })): void {
    const waiting = this.#waiting.get(answer.id);
    if (waiting === undefined) return;
    this.#waiting.delete(answer.id);
    clearTimeout(waiting.timer);
    if (answer.ok) waiting.take(answer.result);
    else waiting.reject(new Error(answer.error));
  }

  #fail(error: Error): void {
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(error);
    }
    this.#waiting.clear();
  }
}

export interface SessionListing {
  readonly sessions: SessionState[];
  /** Sessions that exist but do not answer. Those that have ended meanwhile, or died, are in neither list. */
  readonly unreachable: { readonly id: string; readonly why: string }[];
}

/** The states of all sessions in the run directory, requested at the same time; the oldest first. */
export async function listSessions(runDirectory: string): Promise<SessionListing> {
  const listing: SessionListing = { sessions: [], unreachable: [] };
  await Promise.all(
    listSessionIds(runDirectory).map(async (id) => {
      try {
        const client = await SessionClient.connect(runDirectory, id);
        try {
          listing.sessions.push(await client.state());
        } finally {
          client.close();
        }
      } catch (error) {
        if (error instanceof SessionGone) return;
        listing.unreachable.push({ id, why: messageOf(error) });
      }
    }),
  );
  listing.sessions.sort((a, b) => a.since - b.since);
  return listing;
}
