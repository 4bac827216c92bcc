/**
 * When to start ctrl workers: a few are kept started and idle, because Node needs 0.1 s to start and a client should
 * not wait for that. One that has ended its session cleanly is idle again. Starting is bounded, so that a storm of
 * clients is queued and not refused.
 */
import { availableParallelism } from 'node:os';
import type { Logger } from '../log/logger.js';
import { CTRL_WORKER, Worker, type WorkerEnd, type WorkerProgram } from './worker.js';

/** More at once would only slow each other. */
const MAX_STARTING = Math.max(2, availableParallelism());
/** The last idle worker is replaced at once; the others only when for so long there were too few. */
const REPLENISH_MS = 500;
/** How long workers that came back from their clients stay although there are more than asked for: storms come again. */
const SURPLUS_MS = 10_000;
/** After workers that died while starting: seconds until the next try, doubled each time. */
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 30_000;

export interface WorkerPoolOptions {
  /** How many started and idle workers to keep. */
  readonly spare: number;
  readonly log: Logger;
  readonly program?: WorkerProgram;
}

export class WorkerPool {
  readonly #log: Logger;
  readonly #program: WorkerProgram;
  /** Since the manager's start; those that an earlier one started are none of these. */
  readonly counts = { started: 0, ended: { beforeReady: 0, inOrder: 0, died: 0 } satisfies Record<WorkerEnd, number> };
  #spare: number;
  readonly #starting = new Set<Worker>();
  /** Who came back last is last; those that have served nobody are first. */
  readonly #idle: Worker[] = [];
  readonly #waiting: ((worker: Worker) => void)[] = [];
  #failures = 0;
  #retryTimer: NodeJS.Timeout | undefined;
  #replenishTimer: NodeJS.Timeout | undefined;
  #surplusTimer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor({ spare, log, program = CTRL_WORKER }: WorkerPoolOptions) {
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

  /** A started worker for one client, in the order of asking. It is the caller's from then on. */
  async acquire(): Promise<Worker> {
    // The one that has served last: its code is compiled and its memory at hand, where a new one's first session takes longer.
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

  /** A worker that was acquired, and has been given no client after all. */
  giveBack(worker: Worker): void {
    this.#offer(worker);
  }

  /** Lets all idle workers go and starts no more; idempotent. */
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

  /** False when the system refuses at once, as for want of memory: to be tried again later. */
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
