/**
 * Bounds the wrong passwords of all workers by client address and by account. The counts are kept on disk, so that a restart
 * of the monitor does not permit more guesses.
 */
import { randomBytes } from 'node:crypto';
import type { Logger } from '../log/logger.js';
import { monotonicMs } from '../sys/clock.js';
import { SystemCallFailed } from '../sys/libc.js';
import { GuessTable, PER_ACCOUNT, PER_CLIENT, type SavedGuesses } from './guesses.js';
import type { StateFolder } from './state-folder.js';

/** Name in the state folder. */
export const GUESSES = 'guesses';
const SAVED_VERSION = 1;
/** Counts of the last ms may be lost if the monitor dies. */
const WRITE_MS = 1000;
/** Minimum time between log lines, ms: each is about somebody who tries again and again. */
const LOGGED_MS = 60_000;

interface Saved {
  readonly v: typeof SAVED_VERSION;
  readonly key: string;
  readonly clients: SavedGuesses;
  readonly accounts: SavedGuesses;
}

/** Who tries a password, and for which account. */
export interface Guess {
  /** Address. */
  readonly client: string;
  /** As the client names it. */
  readonly account: string;
}

export class GuessLimits {
  readonly #folder: Pick<StateFolder, 'read' | 'write'>;
  readonly #log: Logger;
  readonly #key: string;
  readonly #clients: GuessTable;
  readonly #accounts: GuessTable;
  #isWriteDue = false;
  #refused = 0;
  #loggedAt = -Infinity;

  constructor(folder: Pick<StateFolder, 'read' | 'write'>, log: Logger) {
    this.#folder = folder;
    this.#log = log;
    const read = folder.read(GUESSES) as Saved | null;
    const saved = read?.v === SAVED_VERSION ? read : null;
    this.#key = saved?.key ?? randomBytes(16).toString('hex');
    const now = monotonicMs();
    this.#clients = new GuessTable(PER_CLIENT, this.#key, now, saved?.clients);
    this.#accounts = new GuessTable(PER_ACCOUNT, this.#key, now, saved?.accounts);
  }

  /** Uses one guess; false, and a log line, if none is left. */
  take({ client, account }: Guess): boolean {
    const now = monotonicMs();
    if (!this.#clients.take(client, now)) return this.#refuse(`the client address ${client}`, PER_CLIENT, now);
    if (!this.#accounts.take(owner(account), now)) {
      this.#clients.giveBack(client);
      return this.#refuse(`the account ${JSON.stringify(account)}`, PER_ACCOUNT, now);
    }
    this.#writeSoon();
    return true;
  }

  /** The password was right, or could not be judged. */
  giveBack({ client, account }: Guess): void {
    this.#clients.giveBack(client);
    this.#accounts.giveBack(owner(account));
  }

  #refuse(whose: string, { most, returns }: typeof PER_CLIENT, now: number): false {
    this.#refused += 1;
    if (now - this.#loggedAt < LOGGED_MS) return false;
    this.#log.warn(
      { times: this.#refused },
      `refused logins without checking the password: too many wrong ones for ${whose}; ` +
        `${most} are permitted at once, then one every ${returns / 1000} s`,
    );
    this.#loggedAt = now;
    this.#refused = 0;
    return false;
  }

  #writeSoon(): void {
    if (this.#isWriteDue) return;
    this.#isWriteDue = true;
    setTimeout(() => {
      this.#isWriteDue = false;
      this.#write();
    }, WRITE_MS).unref();
  }

  #write(): void {
    const now = monotonicMs();
    const saved: Saved = {
      v: SAVED_VERSION,
      key: this.#key,
      clients: this.#clients.save(now),
      accounts: this.#accounts.save(now),
    };
    try {
      this.#folder.write(GUESSES, saved);
    } catch (error) {
      if (!(error instanceof SystemCallFailed)) throw error;
      this.#log.warn({ code: error.code }, error.message);
    }
  }
}

/** RADIUS servers and domains may ignore the case of letters, so another case must not permit more guesses. */
const owner = (account: string): string => account.toLowerCase();
