/** One ctrl worker as the manager sees it: its birth, what it reports between clients, its death. */
import { type ChildProcess, fork } from 'node:child_process';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { nativeRemedy } from '../host/native-modules.js';
import type { Logger } from '../log/logger.js';
import type { Handoff } from '../session/handoff.js';
import { readRecord } from '../session/record.js';
import { REPORT_VERSION, WORKER_EXIT, type WorkerReport } from '../session/worker-report.js';

/** What a worker's process runs. */
export interface WorkerProgram {
  /** Path of the module. */
  readonly entry: string;
  /** One that has not said `ready` after so many milliseconds is ended. */
  readonly startTimeout: number;
}

/** src/ctrl/main.ts and what it needs, in one file (scripts/build). Node starts in 0.1 s, in 2 s on a machine that crawls. */
export const CTRL_WORKER: WorkerProgram = {
  entry: fileURLToPath(new URL('../ctrl/main.cjs', import.meta.url)),
  startTimeout: 30_000,
};
/** Adopting is a few system calls; a worker that has not answered by then hangs. */
const ADOPT_TIMEOUT_MS = 10_000;

const common = { v: z.literal(REPORT_VERSION) };
const workerReport = z.discriminatedUnion('type', [
  z.object({ ...common, type: z.literal('ready') }),
  z.object({ ...common, type: z.literal('adopted'), session: z.string() }),
  z.object({ ...common, type: z.literal('refused'), session: z.string(), why: z.string() }),
]) satisfies z.ZodType<WorkerReport>;

/** How a worker's process has ended: before it was ready, in order, or otherwise. */
export type WorkerEnd = 'beforeReady' | 'inOrder' | 'died';

/** What happened to a handoff, besides success. */
export class HandoffFailed extends Error {
  /** The worker is gone and has not spoken to the client: another may serve it. */
  readonly isWorkerGone: boolean;

  constructor(why: string, isWorkerGone: boolean) {
    super(why);
    this.isWorkerGone = isWorkerGone;
  }
}

const exitText = (code: number | null): string =>
  code === WORKER_EXIT.nativeModules
    ? `its native modules do not load, as after a change of Node.js; ${nativeRemedy()}`
    : `exit code ${code}`;

export class Worker {
  readonly #child: ChildProcess;
  readonly #log: Logger;
  readonly #startTimer: NodeJS.Timeout;
  #phase: 'starting' | 'free' | 'serving' | 'ended' = 'starting';
  /** The client that it was given last. */
  #handoff: Handoff | undefined;
  #adopting: { readonly session: string; readonly settle: (failure: HandoffFailed | null) => void } | undefined;
  /** Called whenever the worker is free for a client: when it has started, and again after a session. */
  onReady: () => void = () => undefined;
  /** Called once when the process has ended. */
  onExit: (end: WorkerEnd) => void = () => undefined;

  /** Throws when the system will not even begin to start a process; other failures come as `onExit`. */
  constructor({ entry, startTimeout }: WorkerProgram, log: Logger) {
    this.#log = log;
    // A process group of its own: an interrupt at the manager's terminal is for the manager, which ends sessions in order.
    this.#child = fork(entry, [], {
      detached: true,
      // None of the manager's own. Young garbage is collected by the megabyte: a worker that has served hundreds of clients
      // keeps 28 MiB then, and 40 without.
      execArgv: ['--max-semi-space-size=1'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#startTimer = setTimeout(() => {
      this.#log.error({ worker: this.#child.pid }, 'a ctrl worker did not start in time; ending it');
      this.kill();
    }, startTimeout);
    this.#child.on('message', (message) => this.#recvReport(message));
    this.#child.on('error', (error) => {
      this.#log.error({ err: error }, 'a ctrl worker could not be started or spoken to');
      if (this.#child.pid === undefined) this.#ended('could not be started', false);
    });
    this.#child.on('exit', (code, signal) =>
      this.#ended(signal === null ? exitText(code) : `signal ${signal}`, code === 0),
    );
  }

  /** It has the session, and has not said yet that it is free again; nor has it ended. */
  serves(session: string): boolean {
    return this.#phase === 'serving' && this.#handoff?.session === session;
  }

  /** It has been given a client. */
  get hasServed(): boolean {
    return this.#handoff !== undefined;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /**
   * Hands a client's socket over and waits until the worker has adopted it. The socket stays open here too, for another
   * worker should this one fail: the caller closes it. Rejects with HandoffFailed.
   */
  async adopt(handoff: Handoff, socket: Socket): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        // It may be us who stood still, and its answer lies in the channel.
        if (this.#hasBegun(handoff)) {
          settle(null);
          return;
        }
        this.kill();
        settle(new HandoffFailed('the ctrl worker did not answer the handoff', true));
      }, ADOPT_TIMEOUT_MS);
      const settle = (failure: HandoffFailed | null): void => {
        clearTimeout(timer);
        this.#adopting = undefined;
        if (failure === null) resolve();
        else reject(failure);
      };
      this.#phase = 'serving';
      this.#handoff = handoff;
      this.#adopting = { session: handoff.session, settle };
      this.#child.send(handoff, socket, { keepOpen: true }, (error) => {
        if (error === null) return;
        this.kill();
        settle(new HandoffFailed(`the ctrl worker could not be reached: ${error.message}`, true));
      });
    });
  }

  /** Lets a worker without a client go: it ends when its channel closes. */
  dismiss(): void {
    if (this.#child.connected) this.#child.disconnect();
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #recvReport(message: unknown): void {
    const parsed = workerReport.safeParse(message);
    if (!parsed.success) {
      this.#log.error(
        { worker: this.pid, problem: parsed.error.message },
        'a ctrl worker sent what is no report; ignored',
      );
      return;
    }
    const report: WorkerReport = parsed.data;
    if (report.type === 'ready') {
      if (this.#phase === 'free' || this.#isServing()) {
        this.#log.error({ worker: this.pid }, 'a ctrl worker says that it is free when it is not asked; ignored');
        return;
      }
      this.#phase = 'free';
      clearTimeout(this.#startTimer);
      this.onReady();
    } else if (this.#adopting === undefined && report.type === 'adopted' && report.session === this.#handoff?.session) {
      // Settled by the session's record.
    } else if (this.#adopting?.session !== report.session) {
      this.#log.error(
        { worker: this.pid, report },
        'a ctrl worker reports on a session that it was not given; ignored',
      );
    } else {
      this.#adopting.settle(report.type === 'adopted' ? null : new HandoffFailed(report.why, false));
    }
  }

  /** Its session's record is the last of the session that goes. */
  #isServing(): boolean {
    if (this.#adopting !== undefined) return true;
    return this.#handoff !== undefined && this.#hasBegun(this.#handoff);
  }

  /** The record stands before the worker speaks with the client: from there on nobody else may. */
  #hasBegun({ configuration, session }: Handoff): boolean {
    return readRecord(configuration.runDirectory, session) !== null;
  }

  #ended(how: string, inOrder: boolean): void {
    clearTimeout(this.#startTimer);
    if (this.#adopting !== undefined && this.#handoff !== undefined) {
      // A session that has begun and died is the registry's to clear away.
      const failure = this.#hasBegun(this.#handoff) ? null : new HandoffFailed(`the ctrl worker died (${how})`, true);
      this.#adopting.settle(failure);
    }
    const early = this.#phase === 'starting';
    this.#phase = 'ended';
    this.onExit(early ? 'beforeReady' : inOrder ? 'inOrder' : 'died');
    if (early) this.#log.error({ worker: this.pid, how }, `a ctrl worker ended before it was ready: ${how}`);
  }
}
