/**
 * The accounts file as the monitor knows it: read when it has changed, and kept as it was last right while it is wrong or
 * missing. Whatever needs zod is loaded when there is such a file.
 */
import { type BigIntStats, readFileSync, statSync } from 'node:fs';
import type { Logger } from '../log/logger.js';
import { SystemCallFailed } from '../sys/libc.js';
import { messageOf } from '../sys/thrown.js';
import type { User } from '../users/user.js';

/** How long a login waits for somebody who changes the file, ms. */
const PATIENCE_MS = 2000;

type Users = ReadonlyMap<string, User>;

export class UserAccounts {
  readonly #log: Logger;
  #path: string | null = null;
  /** As it was last right; null: never. */
  #users: Users | null = null;
  /** Of the version that was read last, right or wrong. */
  #signature: string | null = null;
  /** Why the version that was read last is not the one in force. */
  #fault: string | null = null;
  /** Where the file could not be written. */
  readonly #firstLogins = new Map<string, string>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /**
   * The accounts by name; null: there is no file. While the file is wrong or missing, those of its last valid version.
   * Throws SystemCallFailed if there has been none: nobody can then tell who is disabled.
   */
  async current(path: string): Promise<Users | null> {
    if (path !== this.#path) [this.#path, this.#users, this.#signature, this.#fault] = [path, null, null, null];
    const signature = signatureOf(path);
    if (signature !== this.#signature) await this.#read(path, signature);
    // The log has all mistakes; a message to a worker has room for one.
    if (this.#users === null && this.#fault !== null)
      throw new SystemCallFailed(`use ${this.#fault.split('\n', 1).join()}`, 'EINVAL');
    return this.#users;
  }

  async #read(path: string, signature: string | null): Promise<void> {
    const isKnown = this.#users !== null;
    try {
      if (signature === null && !isKnown) this.#fault = null;
      else {
        const { usersOf } = await import('../users/users-file.js');
        const users = usersOf(path, readFileSync(path, 'utf8'));
        this.#users = new Map(users.map((user) => [user.name, user]));
        this.#fault = null;
        this.#log.info({ file: path, accounts: users.length }, 'accounts read');
      }
    } catch (error) {
      this.#fault = messageOf(error);
      const force = isKnown ? 'the last valid version stays in force' : 'nobody can log in';
      this.#log.error({ file: path }, `the accounts file cannot be used: ${this.#fault}; ${force}`);
    }
    this.#signature = signature;
  }

  /** The account begins to run out with its first login. Resolves when that is written down. */
  async loggedIn(path: string, user: User): Promise<void> {
    if (user.expiresAfter === undefined || user.firstLogin !== undefined) return;
    const firstLogin = new Date().toISOString();
    const { changeUsers } = await import('../users/users-file.js');
    const change = (users: readonly User[]): { readonly users: readonly User[]; readonly result: null } => ({
      users: users.map((each) =>
        each.name === user.name && each.expiresAfter !== undefined && each.firstLogin === undefined
          ? { ...each, firstLogin }
          : each,
      ),
      result: null,
    });
    try {
      await changeUsers(path, change, PATIENCE_MS);
    } catch (error) {
      // It counts from now on all the same, until the monitor is started again.
      this.#firstLogins.set(user.name, firstLogin);
      const why = messageOf(error);
      this.#log.error({ file: path, user: user.name }, `cannot write down the first login of an account: ${why}`);
    }
  }

  /** With the first login that could not be written down. */
  withFirstLogin(user: User): User {
    const firstLogin = this.#firstLogins.get(user.name);
    return firstLogin === undefined || user.firstLogin !== undefined || user.expiresAfter === undefined
      ? user
      : { ...user, firstLogin };
  }
}

/** Changes whenever the file does; null: it is missing. */
function signatureOf(path: string): string | null {
  let status: BigIntStats | undefined;
  try {
    status = statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    return `unreadable: ${(error as NodeJS.ErrnoException).code}`;
  }
  return status === undefined
    ? null
    : [status.dev, status.ino, status.size, status.mtimeNs, status.ctimeNs].map(String).join(':');
}
