/**
 * Reports, once for manager and workers together, that the accounting file cannot be written, and that it can be
 * written again.
 */
import type { Logger } from '../log/logger.js';
import { Outage } from '../log/outage.js';
import { runPaths } from '../session/paths.js';
import { messageOf } from '../sys/thrown.js';

export class AccountingOutage {
  readonly #outage: Outage;
  readonly #log: Logger;

  constructor(runDirectory: string, log: Logger) {
    this.#outage = new Outage(runPaths(runDirectory).accountingOutage);
    this.#log = log;
  }

  failed(error: unknown, file: string): void {
    if (!this.#outage.begins()) return;
    const why = messageOf(error);
    this.#log.warn(
      { file },
      `accounting: ${why}; sessions go on, and their records are kept in the run directory until they can be written`,
    );
  }

  succeeded(): void {
    if (this.#outage.ends()) this.#log.info('accounting: the file can be written again');
  }
}
