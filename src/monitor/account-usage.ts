/**
 * What the accounts have used: what the usage file says, and what the interfaces of live sessions have carried since. It is
 * written at intervals and at the end of each call.
 */
import type { Logger } from '../log/logger.js';
import { messageOf } from '../sys/thrown.js';
import type { UsedOctets } from '../users/quota.js';
import {
  changeUsage,
  count,
  noUsage,
  readUsage,
  type Reading,
  type Usage,
  usageFileOf,
  usageVersion,
  usedBy,
} from '../users/usage-file.js';

/** What a stop of the whole machine may lose, ms. */
export const WRITE_MS = 10_000;
/** Calls that end within this time are written together, ms. */
const END_WRITE_MS = 1000;

export class AccountUsage {
  readonly #log: Logger;
  #path: string | null = null;
  #usage: Usage = noUsage();
  #version: string | null = null;
  /** Not written yet, by call. */
  readonly #unwritten = new Map<string, Reading>();
  /** Calls that are over. They leave the file with the write after the one that has counted them. */
  readonly #over = new Set<string>();
  #endTimer: NodeJS.Timeout | null = null;
  #writing: Promise<void> = Promise.resolve();
  /** The file cannot be written, which has been logged. */
  #isFailing = false;

  /** `readings`: of all live calls. */
  constructor(log: Logger, readings: () => readonly Reading[]) {
    this.#log = log;
    setInterval(() => {
      for (const reading of readings()) this.count(reading);
      void this.write();
    }, WRITE_MS).unref();
  }

  /** The usage of the accounts in this file from now on, by its usage file as it is now. */
  use(accounts: string): void {
    const path = usageFileOf(accounts);
    if (path !== this.#path) {
      [this.#path, this.#usage, this.#version] = [path, noUsage(), null];
      this.#unwritten.clear();
    }
    this.#read(path);
  }

  used(name: string): UsedOctets {
    return usedBy(this.#usage, name);
  }

  /** One that has less than the call's last one changes nothing. */
  count(reading: Reading): void {
    if (reading.octets <= (this.#usage.calls.get(reading.call) ?? 0)) return;
    count(this.#usage, reading, Date.now());
    this.#unwritten.set(reading.call, reading);
  }

  /** The call is over, after this reading. */
  end(reading: Reading): void {
    this.count(reading);
    this.#over.add(reading.call);
    this.#endTimer ??= setTimeout(() => void this.write(), END_WRITE_MS);
  }

  /** Resolves when all that was counted is written, or cannot be. */
  async write(): Promise<void> {
    clearTimeout(this.#endTimer ?? undefined);
    this.#endTimer = null;
    this.#writing = this.#writing.then(async () => this.#write());
    return this.#writing;
  }

  #read(path: string): void {
    const version = usageVersion(path);
    if (version === this.#version) return;
    const usage = version === null ? noUsage() : readUsage(path);
    if (usage === null)
      this.#log.error(
        { file: path },
        `${path} is damaged: what this process has counted counts, and is written over it`,
      );
    else this.#take(usage);
    this.#version = version;
  }

  async #write(): Promise<void> {
    const path = this.#path;
    if (path === null || this.#unwritten.size === 0) return;
    this.#read(path);
    const batch = [...this.#unwritten.values()];
    const now = Date.now();
    const over = [...this.#over].filter((call) => !this.#unwritten.has(call));
    try {
      const usage = await changeUsage(path, this.#usage, (written) => {
        for (const reading of batch) count(written, reading, now);
        for (const call of over) written.calls.delete(call);
      });
      if (path !== this.#path) return;
      for (const call of over) this.#over.delete(call);
      for (const reading of batch)
        if (this.#unwritten.get(reading.call) === reading) this.#unwritten.delete(reading.call);
      this.#take(usage);
      this.#version = usageVersion(path);
      this.#isFailing = false;
    } catch (error) {
      const why = messageOf(error);
      if (!this.#isFailing)
        this.#log.error({ file: path }, `cannot write down what the accounts have used: ${why}; trying again`);
      this.#isFailing = true;
    }
  }

  #take(usage: Usage): void {
    this.#usage = usage;
    for (const reading of this.#unwritten.values()) count(usage, reading, Date.now());
  }
}
