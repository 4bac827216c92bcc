/**
 * Closes the accounts that workers have left owed: those that died, whose account ends as the run directory has it, those
 * that met a full disk, and those of before the machine stopped, which end as their last interim record. Tries again
 * until each stands in the accounting file, once.
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
/** How long the last attempt may take before the manager goes without it: the next one finds what is owed. */
const LAST_ATTEMPT_MS = 2000;

export class Accountant implements SessionWatcher {
  readonly #runDirectory: string;
  readonly #outage: AccountingOutage;
  /** When workers were seen to die, by both clocks: in milliseconds since the epoch, and monotonic seconds. */
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
    // One that an earlier manager knew may have died long ago.
    if (died && last !== null) this.#deaths.set(id, { time: Date.now(), monotonic: monotonicSeconds() });
    this.work();
  }

  /**
   * A run directory that is new has nothing of the sessions of before the machine stopped: the accounting file alone knows
   * of them. Tried until it succeeds, once a run directory, by whichever manager.
   */
  async recover(file: string): Promise<void> {
    const { accountsRecovered } = runPaths(this.#runDirectory);
    try {
      if (!existsSync(accountsRecovered)) {
        // Before the file is read: who ends meanwhile says so in it.
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

  /** Closes what is owed, now and again while something remains. */
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
    // Those that are closed, or that had no account to close.
    for (const id of seen) this.#deaths.delete(id);
  }

  /** False: it stays owed, and is tried again. */
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

  /** The end of a session whose worker died: what it used is what the run directory has; when is known if it was seen. */
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
