/**
 * Ends a session over its own socket, as `pptpd-ts kick` does. The socket lies in a folder of the server's user, who could put
 * another one in its place; so the monitor, which is root, sends nothing unless the session's worker listens on it.
 */
import { createConnection, type Socket } from 'node:net';
import type { Logger } from '../log/logger.js';
import { sessionSocketPath } from '../session/paths.js';
import { peerCredentials } from '../sys/seqpacket-socket.js';

/** How long the worker may take, ms. */
const PATIENCE_MS = 2000;

export interface EndSession {
  readonly runDirectory: string;
  readonly session: string;
  /** Process id of its worker. */
  readonly worker: number;
  readonly detail: string;
  readonly log: Logger;
  readonly patience?: number;
}

/** Never throws; a failure is logged. */
export function endSession(options: EndSession): void {
  const { runDirectory, session, worker, detail, log, patience = PATIENCE_MS } = options;
  const socket = createConnection(sessionSocketPath(runDirectory, session));
  const failed = (problem: string): void => {
    log.warn({ session }, `cannot end a session for RADIUS: ${problem}`);
    socket.destroy();
  };
  let isSent = false;
  // Whatever the worker does: a RADIUS server that repeats its request must not use up this process's descriptors.
  const timer = setTimeout(() => {
    if (isSent) socket.destroy();
    else failed('its worker does not answer');
  }, patience);
  socket.on('close', () => clearTimeout(timer));
  socket.on('error', (error) => failed(error.message));
  // The answer is not needed: the session's end is seen in its account.
  socket.on('data', () => undefined);
  socket.on('connect', () => {
    if (listenerOf(socket) !== worker) {
      failed('another process listens on its socket');
      return;
    }
    // A session may take longer to end; the request waits for a worker that has not read it.
    isSent = true;
    socket.end(`${JSON.stringify({ id: 1, op: 'disconnect', reason: 'radiusDisconnect', detail })}\n`);
  });
}

/** Process id; null when it is not known. */
function listenerOf(socket: Socket): number | null {
  const { _handle: handle } = socket as unknown as { readonly _handle?: { readonly fd?: number } };
  return handle?.fd === undefined ? null : peerCredentials(handle.fd).pid;
}
