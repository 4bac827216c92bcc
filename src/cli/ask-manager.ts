/** Asks the manager over its own socket. */
import { connect } from 'node:net';
import { z } from 'zod';
import { MAX_ANSWER_BYTES, readLines, writeLine } from '../session/lines.js';
import type { ManagerOperation } from '../session/manager-status.js';
import { runPaths } from '../session/paths.js';

/** A manager that is well answers at once, milliseconds. */
const ANSWER_TIMEOUT_MS = 5000;

const answer = z.union([
  z.object({ ok: z.literal(true), result: z.unknown() }),
  z.object({ ok: z.literal(false), error: z.string() }),
]);

/** No manager listens there: none runs, or none that has this run directory. */
export class NoManager extends Error {
  constructor(runDirectory: string) {
    super(`no manager runs (${runDirectory})`);
  }
}

/** How a socket says that nobody listens. */
const NOBODY_LISTENS: readonly (string | undefined)[] = ['ENOENT', 'ECONNREFUSED'];

/** Rejects with NoManager, with what the manager has answered, or when it does not answer in time. */
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

/** Null while a manager listens, whether or not it answers; for commands that need none, but whose user may miss it. */
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
