/**
 * Closes the accounts that are owed: those of workers that died, which end with the amounts in the run directory; those that a
 * full disk kept from being written; and those from before the machine stopped, which end with their last interim record.
 * Retries until each account is in the accounting file, exactly once.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { keepAccount, type OpenAccount } from '../accounting/open-account.js';
import { AccountingOutage } from '../accounting/accounting-outage.js';
import { closeOwed, listLost, listOwed } from '../accounting/owed.js';
import type { AccountRecord } from '../accounting/record.js';
import type { Logger } from '../log/logger.js';
import { runPaths } from '../session/paths.js';
import { listSessionIds } from '../session/record.js';
import type { SessionState } from '../session/state.js';
import { monotonicSeconds } from '../sys/clock.js';
import type { SessionWatcher } from './registry.js';

/** Between two attempts at accounts that could not be written. */
const RETRY_MS = 10_000;
/** How long the last attempt may take before the manager exits without it; the next manager finds what is owed. */
const LAST_ATTEMPT_MS = 2000;

export class Accountant implements SessionWatcher {
  readonly #runDirectory: string;
  readonly #outage: AccountingOutage;
  /** When workers died, on both clocks: milliseconds since the epoch, and monotonic seconds. */
  readonly #deaths = new Map<string, { readonly time: number; readonly monotonic: number }>();
  #working: Promise<void> | null = null;
  #again = false;
  #retry: NodeJS.Timeout | undefined;
  #recovery: NodeJS.Timeout | undefined;

  constructor(runDirectory: string, log: Logger) {
    this.#runDirectory = runDirectory;
    this.#outage = new AccountingOutage(runDirectory, log);
  }

  over(id: string, last: SessionState | null, died: boolean): void {
    // The worker of an earlier manager may have died long ago.
    if (died && last !== null) this.#deaths.set(id, { time: Date.now(), monotonic: monotonicSeconds() });
    this.work();
  }

  /**
   * A new run directory has no trace of the sessions from before the machine stopped: only the accounting file has. Searches
   * it once per run directory, and retries until that succeeds.
   */
  async recover(file: string): Promise<void> {
    const { accountsRecovered } = runPaths(this.#runDirectory);
    try {
      if (!existsSync(accountsRecovered)) {
        // Listed before the file is read: a session that ends meanwhile is closed in it.
        const owed = listOwed(this.#runDirectory).map(({ record }) => record.session);
        const known = new Set([...listSessionIds(this.#runDirectory), ...owed]);
        for (const record of await listLost(file, hostname(), new Date().toISOString())) {
          if (!known.has(record.session)) keepAccount(this.#runDirectory, { file, startedAt: 0, record: died(record) });
        }
        writeFileSync(accountsRecovered, '');
      }
    } catch (error) {
      this.#outage.failed(error, file);
      this.#recovery = setTimeout(() => void this.recover(file), RETRY_MS);
      this.#recovery.unref();
    }
    this.work();
  }

  /** Closes what is owed, and retries while something remains. */
  work(): void {
    this.#again = true;
    this.#working ??= this.#closeAll().finally(() => (this.#working = null));
  }

  /** One last attempt; what fails stays owed. */
  async close(): Promise<void> {
    this.work();
    await Promise.race([this.#working, new Promise((resolve) => setTimeout(resolve, LAST_ATTEMPT_MS).unref())]);
    clearTimeout(this.#retry);
    clearTimeout(this.#recovery);
  }

  async #closeAll(): Promise<void> {
    const seen = new Set<string>();
    while (this.#again) {
      this.#again = false;
      for (const id of this.#deaths.keys()) seen.add(id);
      for (const account of listOwed(this.#runDirectory)) {
        if (!(await this.#close(account))) seen.delete(account.record.session);
      }
    }
    // These accounts are closed, or there was none.
    for (const id of seen) this.#deaths.delete(id);
  }

  /** False: the account stays owed, and is retried. */
  async #close(account: OpenAccount): Promise<boolean> {
    try {
      await closeOwed(this.#runDirectory, account, (each) => this.#endOf(each));
      this.#outage.succeeded();
      return true;
    } catch (error) {
      this.#outage.failed(error, account.file);
      clearTimeout(this.#retry);
      this.#retry = setTimeout(() => this.work(), RETRY_MS);
      this.#retry.unref();
      return false;
    }
  }

  /** The end of a session whose worker died: the amounts in the run directory, and the time of the death, if known. */
  #endOf({ record, startedAt }: OpenAccount): AccountRecord {
    const death = this.#deaths.get(record.session);
    if (death === undefined) return died(record);
    const seconds = Math.round((death.monotonic - startedAt) * 1000) / 1000;
    return { ...died(record), end: new Date(death.time).toISOString(), seconds };
  }
}

const died = (record: AccountRecord): AccountRecord => ({
  ...record,
  record: 'ended',
  reason: 'workerFailed',
  detail: `amounts of ${record.end}`,
});
