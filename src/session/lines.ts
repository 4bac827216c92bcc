/**
 * JSON messages as lines over a unix socket, the form in which session and manager sockets speak. A line that is no
 * JSON, or longer than the limit, ends the connection of whoever sent it: nothing else is touched.
 */
import type { Duplex } from 'node:stream';

/** A request is a few words; a peer that sends more without a line end is not one of ours. */
const MAX_REQUEST_BYTES = 4096;
/** An answer carries counters and negotiation of one session, or a list of them. */
export const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
/** A reader that takes nothing loses its connection, so that a hung one costs a worker no memory. */
const MAX_UNREAD_BYTES = 1024 * 1024;

/**
 * Calls `onMessage` for each line received. A line that cannot be taken destroys the socket with an error that says
 * why; the caller listens to 'close' and 'error' itself.
 */
export function readLines(socket: Duplex, onMessage: (message: unknown) => void, limit = MAX_REQUEST_BYTES): void {
  let pending = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    const lines = (pending + chunk).split('\n');
    pending = lines.pop() ?? '';
    for (const line of lines) {
      if (line.trim() === '') continue;
      let message: unknown;
      try {
        message = JSON.parse(line);
      } catch {
        socket.destroy(new Error(`not JSON: ${line.slice(0, 80)}`));
        return;
      }
      onMessage(message);
      if (socket.destroyed) return;
    }
    if (pending.length > limit) socket.destroy(new Error(`a line longer than ${limit} bytes`));
  });
}

/** Sends one message as a line; a reader that has stopped reading is let go. */
export function writeLine(socket: Duplex, message: unknown): void {
  writeText(socket, JSON.stringify(message), 'utf8');
}

/** The same for a message that is text already; `latin1` is for ASCII, and costs a fifth. */
export function writeText(socket: Duplex, text: string, encoding: 'utf8' | 'latin1'): void {
  if (!socket.writable) return;
  socket.write(`${text}\n`, encoding);
  if (socket.writableLength > MAX_UNREAD_BYTES) socket.destroy(new Error('the reader has stopped reading'));
}
