/**
 * Account records that no RADIUS server has acknowledged yet. They are kept in a folder of root's, so that neither a server that
 * is down nor the death of the monitor loses one, and are sent one after the other, the oldest first.
 */
import type { Logger } from '../log/logger.js';
import type { SpooledRecord } from '../radius/protocol.js';
import { SystemCallFailed } from '../sys/libc.js';
import type { StateFolder } from './state-folder.js';

/** How long after a record was not acknowledged it is sent again, ms. */
export const RETRY_MS = 10_000;
/** Of more records the oldest are given up. */
export const MAX_KEPT = 10_000;
/** Digits of a file's name, so that names are in the order of the records. */
const DIGITS = 12;

export interface RadiusSpoolOptions {
  readonly folder: StateFolder;
  /** Resolves with whether the record was acknowledged. Never rejects. */
  readonly send: (record: SpooledRecord) => Promise<boolean>;
  readonly log: Logger;
  readonly startTimer?: (callback: () => void, ms: number) => unknown;
  readonly mostKept?: number;
}

export class RadiusSpool {
  readonly #options: RadiusSpoolOptions;
  readonly #names: string[];
  #next: number;
  #state: 'idle' | 'sending' | 'waiting' = 'idle';
  #hasFailed = false;
  /** Called when a round of sending ends. */
  readonly #drained: (() => void)[] = [];

  constructor(options: RadiusSpoolOptions) {
    this.#options = options;
    this.#names = options.folder.names().toSorted();
    this.#next = Number(this.#names.at(-1) ?? 0) + 1;
  }

  /** Number of records that are kept. */
  get size(): number {
    return this.#names.length;
  }

  /** Keeps the record and has it sent. */
  add(record: SpooledRecord): void {
    const { folder, log, mostKept = MAX_KEPT } = this.#options;
    const name = String(this.#next).padStart(DIGITS, '0');
    this.#next += 1;
    try {
      folder.write(name, record);
    } catch (error) {
      if (!(error instanceof SystemCallFailed)) throw error;
      log.error({ account: record.id, status: record.status }, `an account record is lost: ${error.message}`);
      return;
    }
    this.#names.push(name);
    // The first one may be on its way.
    while (this.#names.length > mostKept) {
      const [lost = ''] = this.#names.splice(1, 1);
      folder.remove(lost);
      log.error(`more than ${mostKept} account records wait for a RADIUS server; the oldest is given up`);
    }
    this.flush();
  }

  /** Resolves when nothing is kept any more, or no server acknowledges it. */
  async drained(): Promise<void> {
    if (this.#state === 'sending') await new Promise<void>((resolve) => this.#drained.push(resolve));
  }

  /** Sends what is kept, unless that is being done already. */
  flush(): void {
    if (this.#state === 'idle') void this.#send();
  }

  async #send(): Promise<void> {
    this.#state = 'sending';
    for (let name = this.#names[0]; name !== undefined; name = this.#names[0]) {
      const record = this.#options.folder.read(name) as SpooledRecord | null;
      if (record !== null && !(await this.#options.send(record))) {
        this.#wait();
        return;
      }
      this.#options.folder.remove(name);
      this.#names.shift();
      this.#recovered();
    }
    this.#endRound('idle');
  }

  #endRound(state: 'idle' | 'waiting'): void {
    this.#state = state;
    for (const resolve of this.#drained.splice(0)) resolve();
  }

  #wait(): void {
    const { log, startTimer = setTimeout } = this.#options;
    if (!this.#hasFailed)
      log.warn('no RADIUS server acknowledges accounting; the records are kept and sent when one does');
    this.#hasFailed = true;
    this.#endRound('waiting');
    startTimer(() => void this.#send(), RETRY_MS);
  }

  #recovered(): void {
    if (this.#hasFailed)
      this.#options.log.info({ waiting: this.size }, 'a RADIUS server acknowledges accounting again');
    this.#hasFailed = false;
  }
}
