/**
 * Starts ctrl workers and keeps some of them idle, because a client should not wait the 0.1 s that Node needs to start. A worker
 * whose session ended cleanly is idle again. Few workers start at the same time; in a storm clients are queued, not refused.
 */
import { availableParallelism } from 'node:os';
import type { Logger } from '../log/logger.js';
import { Worker, type WorkerEnd, type WorkerProgram } from './worker.js';

/** More workers starting at once would only slow each other down. */
const MAX_STARTING = Math.max(2, availableParallelism());
/** The last idle worker is replaced at once; others only after there have been too few for this time. */
const REPLENISH_MS = 500;
/** How long surplus workers whose sessions ended stay idle: another storm may follow. */
const SURPLUS_MS = 10_000;
/** Delay after a worker died while starting; doubled each time. */
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 30_000;

export interface WorkerPoolOptions {
  /** How many started and idle workers to keep. */
  readonly spare: number;
  readonly log: Logger;
  readonly program: WorkerProgram;
}

export class WorkerPool {
  readonly #log: Logger;
  readonly #program: WorkerProgram;
  /** Since the manager started; without workers of an earlier manager. */
  readonly counts = { started: 0, ended: { beforeReady: 0, inOrder: 0, died: 0 } satisfies Record<WorkerEnd, number> };
  #spare: number;
  readonly #starting = new Set<Worker>();
  /** In the order in which they became idle; unused workers come first. */
  readonly #idle: Worker[] = [];
  readonly #waiting: ((worker: Worker) => void)[] = [];
  #failures = 0;
  #retryTimer: NodeJS.Timeout | undefined;
  #replenishTimer: NodeJS.Timeout | undefined;
  #surplusTimer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor({ spare, log, program }: WorkerPoolOptions) {
    this.#spare = spare;
    this.#log = log;
    this.#program = program;
    this.#fill();
  }

  get idleCount(): number {
    return this.#idle.length;
  }

  get startingCount(): number {
    return this.#starting.size;
  }

  setSpare(spare: number): void {
    this.#spare = spare;
    this.#dismissSurplus();
    this.#fill();
  }

  /** Resolves with a started worker, in the order of the requests. From then on the caller owns it. */
  async acquire(): Promise<Worker> {
    // The worker that served last: its code is compiled and its memory is warm.
    const idle = this.#idle.pop();
    if (idle !== undefined) {
      if (this.#idle.length === 0) this.#fill();
      else if (this.#idle.length < this.#spare) this.#fillSoon();
      return idle;
    }
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#fill();
    });
  }

  /** Returns an acquired worker that was given no client. */
  giveBack(worker: Worker): void {
    this.#offer(worker);
  }

  /** Dismisses all idle workers and starts no more; idempotent. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#replenishTimer);
    clearTimeout(this.#surplusTimer);
    for (const worker of [...this.#idle, ...this.#starting]) worker.dismiss();
    this.#idle.length = 0;
  }

  #fill(): void {
    if (this.#closed || this.#retryTimer !== undefined) return;
    const wanted = this.#spare + this.#waiting.length;
    while (this.#idle.length + this.#starting.size < wanted && this.#starting.size < MAX_STARTING)
      if (!this.#start()) return;
  }

  #fillSoon(): void {
    this.#replenishTimer ??= setTimeout(() => {
      this.#replenishTimer = undefined;
      this.#fill();
    }, REPLENISH_MS);
  }

  /** False if the system refuses to start a process, as without memory; a retry is scheduled. */
  #start(): boolean {
    let worker: Worker;
    this.counts.started += 1;
    try {
      worker = new Worker(this.#program, this.#log);
    } catch (error) {
      this.counts.ended.beforeReady += 1;
      this.#log.error({ err: error }, 'a ctrl worker could not be started');
      this.#backOff();
      return false;
    }
    this.#starting.add(worker);
    worker.onReady = () => {
      this.#starting.delete(worker);
      this.#failures = 0;
      this.#offer(worker);
    };
    worker.onExit = (end) => {
      this.counts.ended[end] += 1;
      this.#starting.delete(worker);
      const index = this.#idle.indexOf(worker);
      if (index >= 0) this.#idle.splice(index, 1);
      if (end === 'beforeReady') this.#backOff();
      this.#fillSoon();
    };
    return true;
  }

  #offer(worker: Worker): void {
    const waiting = this.#waiting.shift();
    if (this.#closed) worker.dismiss();
    else if (waiting !== undefined) waiting(worker);
    else this.#keep(worker);
    this.#fill();
  }

  #keep(worker: Worker): void {
    if (worker.hasServed) this.#idle.push(worker);
    else this.#idle.unshift(worker);
    if (this.#idle.length >= this.#spare) {
      clearTimeout(this.#replenishTimer);
      this.#replenishTimer = undefined;
    }
    if (this.#idle.length > this.#spare)
      this.#surplusTimer ??= setTimeout(() => this.#dismissSurplus(), SURPLUS_MS).unref();
  }

  #dismissSurplus(): void {
    clearTimeout(this.#surplusTimer);
    this.#surplusTimer = undefined;
    for (const worker of this.#idle.splice(0, Math.max(0, this.#idle.length - this.#spare))) worker.dismiss();
  }

  #backOff(): void {
    if (this.#closed) return;
    const delay = Math.min(FIRST_RETRY_MS * 2 ** this.#failures, LAST_RETRY_MS);
    this.#failures += 1;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = undefined;
      this.#fill();
    }, delay);
  }
}
