/**
 * Asks a session for something over its own socket, as `pptpd-ts kick` does. The socket lies in a folder of the server's user,
 * who could put another one in its place; so the monitor, which is root, sends nothing unless the session's worker listens on it.
 */
import { createConnection, type Socket } from 'node:net';
import type { Logger } from '../log/logger.js';
import { readLines } from '../session/lines.js';
import { sessionSocketPath } from '../session/paths.js';
import type { Operation, Request } from '../session/request.js';
import { isObject, isText } from '../sys/message-fields.js';
import { peerCredentials } from '../sys/seqpacket-socket.js';

/** How long the worker may take, ms. */
const PATIENCE_MS = 2000;
const ID = 1;
/** Characters. */
const MAX_REASON = 1000;

export interface AskSession {
  readonly runDirectory: string;
  readonly session: string;
  /** Process id of its worker. */
  readonly worker: number;
  readonly request: SessionQuestion;
  readonly log: Logger;
  readonly patience?: number;
}

/** A request without its id. */
export type SessionQuestion = { readonly [O in Operation]: Omit<Request<O>, 'id'> }[Operation];

/** Resolves with whether the session did it; never rejects. A failure is logged. */
export async function askSession(options: AskSession): Promise<boolean> {
  const { runDirectory, session, worker, request, log, patience = PATIENCE_MS } = options;
  const socket = createConnection(sessionSocketPath(runDirectory, session));
  return new Promise((resolve) => {
    let isSettled = false;
    const settle = (problem: string | null): void => {
      if (isSettled) return;
      isSettled = true;
      if (problem !== null) log.warn({ session, request }, `cannot ask a session for RADIUS: ${problem}`);
      clearTimeout(timer);
      // Whatever the worker does: a RADIUS server that repeats its request must not use up this process's descriptors.
      socket.destroy();
      resolve(problem === null);
    };
    const timer = setTimeout(() => settle('its worker does not answer'), patience);
    socket.on('error', (error) => settle(error.message));
    socket.on('close', () => settle('its worker has closed the connection'));
    socket.on('connect', () => {
      if (listenerOf(socket) === worker) socket.write(`${JSON.stringify({ id: ID, ...request })}\n`);
      else settle('another process listens on its socket');
    });
    // The greeting comes first; it has no id.
    readLines(socket, (message) => {
      if (!isObject(message) || message['id'] !== ID) return;
      settle(message['ok'] === true ? null : `it refuses: ${whyOf(message['error'])}`);
    });
  });
}

/** A worker that was taken over may answer anything, also an object that cannot be made text. */
const whyOf = (error: unknown): string => (isText(error, MAX_REASON) ? error : 'it says no reason');

/** Process id; null when it is not known. */
function listenerOf(socket: Socket): number | null {
  const { _handle: handle } = socket as unknown as { readonly _handle?: { readonly fd?: number } };
  return handle?.fd === undefined ? null : peerCredentials(handle.fd).pid;
}
