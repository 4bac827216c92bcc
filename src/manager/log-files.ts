/**
 * Limits the log directory, where every session leaves a file. Removes only files of ended sessions, also those that logrotate
 * renamed, and no other file.
 */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Configuration } from '../config/schema.js';
import type { Logger } from '../log/logger.js';
import { sessionOfLog } from '../session/paths.js';
import { listSessionIds } from '../session/record.js';

/** How often to prune. */
const INTERVAL_MS = 10 * 60_000;
/** A session opens its log before its record exists: a file this new may belong to a session that is starting. */
const NEW_MS = 60_000;
const DAY_MS = 86_400_000;

/** Removes the files that `log` does not keep; resolves with their names. Rejects with the file system's error. */
export async function pruneLogs(
  log: Configuration['log'],
  runDirectory: string,
  now: number = Date.now(),
): Promise<string[]> {
  const { directory, keepDays, keepFiles } = log;
  if (directory === undefined) return [];
  const names = (await readdir(directory)).filter((name) => sessionOfLog(name) !== null);
  // Read after the names: a session that started meanwhile has no file among them.
  const living = new Set(listSessionIds(runDirectory));
  const ended = names.filter((name) => !living.has(sessionOfLog(name) ?? ''));
  const aged = await Promise.all(
    ended.map(async (name) => {
      const file = await stat(join(directory, name)).catch(() => null);
      return file?.isFile() ? { name, age: now - file.mtimeMs } : [];
    }),
  );
  const youngestFirst = aged.flat().toSorted((a, b) => a.age - b.age);
  const surplus = youngestFirst.filter(
    ({ age }, index) =>
      age > NEW_MS && ((keepFiles > 0 && index >= keepFiles) || (keepDays > 0 && age > keepDays * DAY_MS)),
  );
  await Promise.all(surplus.map(async ({ name }) => rm(join(directory, name), { force: true })));
  return surplus.map(({ name }) => name);
}

export class LogFiles {
  readonly #log: Logger;
  readonly #pruneLogs: typeof pruneLogs;
  #configuration: Configuration;
  #timer: NodeJS.Timeout | undefined;

  constructor(configuration: Configuration, log: Logger, prune = pruneLogs) {
    this.#configuration = configuration;
    this.#log = log;
    this.#pruneLogs = prune;
  }

  /** Prunes now and periodically. */
  start(): void {
    void this.#prune();
    this.#timer = setInterval(() => void this.#prune(), INTERVAL_MS);
  }

  reconfigure(configuration: Configuration): void {
    this.#configuration = configuration;
    void this.#prune();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #prune(): Promise<void> {
    const { log, runDirectory } = this.#configuration;
    try {
      const removed = await this.#pruneLogs(log, runDirectory);
      if (removed.length > 0) this.#log.info({ count: removed.length }, 'removed log files of ended sessions');
    } catch (error) {
      this.#log.warn({ err: error, directory: log.directory }, 'cannot remove old log files');
    }
  }
}
