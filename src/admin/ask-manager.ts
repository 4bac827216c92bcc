/** Sends a request to the manager over its socket. */
import { connect } from 'node:net';
import * as z from 'zod';
import { MAX_ANSWER_BYTES, readLines, writeLine } from '../session/lines.js';
import type { ManagerOperation } from '../session/manager-status.js';
import { runPaths } from '../session/paths.js';

/** Milliseconds. A healthy manager answers at once. */
const ANSWER_TIMEOUT_MS = 5000;

const answer = z.union([
  z.object({ ok: z.literal(true), result: z.unknown() }),
  z.object({ ok: z.literal(false), error: z.string() }),
]);

/** No manager listens on the socket: none is running, or it uses another run directory. */
export class NoManager extends Error {
  constructor(runDirectory: string) {
    super(`no manager is running (${runDirectory})`);
  }
}

/** Errors of connect(2) when nobody listens. */
const NOBODY_LISTENS: readonly (string | undefined)[] = ['ENOENT', 'ECONNREFUSED'];

/** The manager's result. Rejects with NoManager, with the manager's error, or if it does not answer in time. */
export async function askManager(runDirectory: string, op: ManagerOperation, fields: object = {}): Promise<unknown> {
  const socket = connect(runPaths(runDirectory).managerSocket);
  const timer = setTimeout(() => socket.destroy(new Error('the manager does not answer')), ANSWER_TIMEOUT_MS);
  try {
    return await new Promise((resolve, reject) => {
      socket.on('error', (error: NodeJS.ErrnoException) => {
        reject(NOBODY_LISTENS.includes(error.code) ? new NoManager(runDirectory) : error);
      });
      socket.on('close', () => reject(new Error('the manager closed the connection without an answer')));
      readLines(
        socket,
        (line) => {
          const parsed = answer.parse(line);
          if (parsed.ok) resolve(parsed.result);
          else reject(new Error(parsed.error));
        },
        MAX_ANSWER_BYTES,
      );
      writeLine(socket, { ...fields, id: 1, op });
    });
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

/** null if a manager listens, even one that does not answer. For commands that work without a manager but report it. */
export async function missingManager(runDirectory: string): Promise<NoManager | null> {
  return new Promise((resolve) => {
    const socket = connect(runPaths(runDirectory).managerSocket);
    const settle = (missing: NoManager | null): void => {
      resolve(missing);
      socket.destroy();
    };
    socket
      .on('connect', () => settle(null))
      .on('error', ({ code }: NodeJS.ErrnoException) =>
        settle(NOBODY_LISTENS.includes(code) ? new NoManager(runDirectory) : null),
      );
  });
}
