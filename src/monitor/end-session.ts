/**
 * Ends a session over its own socket, as `pptpd-ts kick` does. The socket lies in a folder of the server's user, who could put
 * another one in its place; so the monitor, which is root, sends nothing unless the session's worker listens on it.
 */
import { createConnection, type Socket } from 'node:net';
import type { Logger } from '../log/logger.js';
import { sessionSocketPath } from '../session/paths.js';
import { peerCredentials } from '../sys/seqpacket-socket.js';

/** How long the worker may take to accept, ms. */
const PATIENCE_MS = 2000;

export interface EndSession {
  readonly runDirectory: string;
  readonly session: string;
  /** Process id of its worker. */
  readonly worker: number;
  readonly detail: string;
  readonly log: Logger;
}

/** Never throws; a failure is logged. */
export function endSession({ runDirectory, session, worker, detail, log }: EndSession): void {
  const socket = createConnection(sessionSocketPath(runDirectory, session));
  const failed = (problem: string): void => {
    log.warn({ session }, `cannot end a session for RADIUS: ${problem}`);
    socket.destroy();
  };
  socket.setTimeout(PATIENCE_MS, () => failed('its worker does not answer'));
  socket.on('error', (error) => failed(error.message));
  // The answer is not needed: the session's end is seen in its account.
  socket.on('data', () => undefined);
  socket.on('connect', () => {
    if (listenerOf(socket) !== worker) {
      failed('another process listens on its socket');
      return;
    }
    // The worker closes the socket when the session has ended, which may take longer.
    socket.setTimeout(0);
    socket.end(`${JSON.stringify({ id: 1, op: 'disconnect', reason: 'radiusDisconnect', detail })}\n`);
  });
}

/** Process id; null when it is not known. */
function listenerOf(socket: Socket): number | null {
  const { _handle: handle } = socket as unknown as { readonly _handle?: { readonly fd?: number } };
  return handle?.fd === undefined ? null : peerCredentials(handle.fd).pid;
}
