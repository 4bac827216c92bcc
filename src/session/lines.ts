/**
 * JSON messages, one per line, over a unix socket: the format of the session and manager sockets. A line that is not JSON
 * or is too long closes the connection that it came on, and nothing else.
 */
import type { Duplex } from 'node:stream';

/** Requests are short. A client that sends more without a line end is not one of our programs. */
const MAX_REQUEST_BYTES = 4096;
/** An answer carries counters and negotiation of one session, or a list of them. */
export const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
/** A reader that does not read is disconnected, so that a hung one costs the worker no memory. */
const MAX_UNREAD_BYTES = 1024 * 1024;

/**
 * Calls `onMessage` for each line received. An invalid line destroys the socket with an error that says why; the caller
 * handles 'close' and 'error'. `limit`: longest line, bytes.
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

/** Sends one message as a line. Disconnects a reader that has stopped reading. */
export function writeLine(socket: Duplex, message: unknown): void {
  writeText(socket, JSON.stringify(message), 'utf8');
}

/** The same for JSON text. `latin1` is for ASCII only, and takes a fifth of the time. */
export function writeText(socket: Duplex, text: string, encoding: 'utf8' | 'latin1'): void {
  if (!socket.writable) return;
  socket.write(`${text}\n`, encoding);
  if (socket.writableLength > MAX_UNREAD_BYTES) socket.destroy(new Error('the reader has stopped reading'));
}
