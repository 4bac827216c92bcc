/** One ctrl worker as the manager sees it: its start, what it reports of itself and of its session, and its end. */
import { type ChildProcess, fork } from 'node:child_process';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { nativeRemedy } from '../host/native-modules.js';
import type { Logger } from '../log/logger.js';
import type { Handoff } from '../session/handoff.js';
import { readRecord } from '../session/record.js';
import { sessionState, type SessionState } from '../session/state.js';
import { REPORT_VERSION, WORKER_EXIT, type WorkerReport } from '../session/worker-report.js';

/** How a worker's process starts. */
export interface WorkerProgram {
  /** Throws when the system refuses at once. */
  readonly start: () => ChildProcess;
  /** One that has not said `ready` after so many milliseconds is ended. */
  readonly startTimeout: number;
}

/** A worker that runs the module `entry`. */
export const workerProgram = (entry: string, startTimeout: number): WorkerProgram => ({
  start: () =>
    fork(entry, [], {
      // A process group of its own: an interrupt at the manager's terminal is for the manager, which ends sessions in order.
      detached: true,
      // None of the manager's own. Young garbage is collected by the megabyte: a worker that has served hundreds of clients
      // keeps 28 MiB then, and 40 without.
      execArgv: ['--max-semi-space-size=1'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    }),
  startTimeout,
});

/** src/ctrl/main.ts and what it needs, in one file (scripts/build). Node starts in 0.1 s, in 2 s on a machine that crawls. */
export const CTRL_WORKER = workerProgram(fileURLToPath(new URL('../ctrl/main.cjs', import.meta.url)), 30_000);
/** Adopting is a few system calls; a worker that has not answered by then hangs. */
const ADOPT_TIMEOUT_MS = 10_000;

const common = { v: z.literal(REPORT_VERSION) };
const workerReport = z.discriminatedUnion('type', [
  z.object({ ...common, type: z.literal('ready') }),
  z.object({ ...common, type: z.literal('adopted'), session: z.string() }),
  z.object({ ...common, type: z.literal('state'), session: z.string(), state: sessionState }),
  z.object({ ...common, type: z.literal('over'), session: z.string() }),
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

/** What happens to the session of a worker. */
export type WorkerSessionEvent =
  | { readonly type: 'state'; readonly state: SessionState }
  /** It has ended in order. */
  | { readonly type: 'over' }
  /** The worker has ended before its session. */
  | { readonly type: 'workerEnded' };

/** The session that a worker has, and what has happened to it that nobody has been told yet. */
interface Serving {
  readonly session: string;
  readonly untold: WorkerSessionEvent[];
  onEvent: ((event: WorkerSessionEvent) => void) | null;
}

interface Adopting {
  readonly handoff: Handoff;
  readonly settle: (failure: HandoffFailed | null) => void;
}

type Phase =
  | 'starting'
  | 'free'
  /** It was given a client, and has not answered. */
  | Adopting
  | 'serving'
  /** Its session is over, and it looks whether anything is left of it. */
  | 'resting'
  | 'ended';
const exitText = (code: number | null): string =>
  code === WORKER_EXIT.nativeModules
    ? `its native modules do not load, as after a change of Node.js; ${nativeRemedy()}`
    : `exit code ${code}`;

export class Worker {
  readonly #child: ChildProcess;
  readonly #log: Logger;
  readonly #startTimer: NodeJS.Timeout;
  #phase: Phase = 'starting';
  /** The session that it was given last. */
  #serving: Serving | null = null;
  /** Called whenever the worker is free for a client: when it has started, and again after a session. */
  onReady: () => void = () => undefined;
  /** Called once when the process has ended. */
  onExit: (end: WorkerEnd) => void = () => undefined;

  /** Throws when the system refuses at once to start a process; other failures come as `onExit`. */
  constructor({ start, startTimeout }: WorkerProgram, log: Logger) {
    this.#log = log;
    this.#child = start();
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

  /** It has been given a client. */
  get hasServed(): boolean {
    return this.#serving !== null;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /**
   * Hands a client's socket over and waits until the worker has adopted it. The socket stays open here too, for another
   * worker should this one fail: the caller closes it. Rejects with HandoffFailed.
   */
  async adopt(handoff: Handoff, socket: Socket): Promise<void> {
    this.#serving = { session: handoff.session, untold: [], onEvent: null };
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        // It may be us who stood still, and its answer lies in the channel.
        if (hasBegun(handoff)) {
          settle(null);
          return;
        }
        this.kill();
        settle(new HandoffFailed('the ctrl worker did not answer the handoff', true));
      }, ADOPT_TIMEOUT_MS);
      const settle = (failure: HandoffFailed | null): void => {
        clearTimeout(timer);
        if (this.#phase === adopting) this.#phase = 'serving';
        if (failure === null) resolve();
        else reject(failure);
      };
      const adopting: Adopting = { handoff, settle };
      this.#phase = adopting;
      this.#child.send(handoff, socket, { keepOpen: true }, (error) => {
        if (error === null) return;
        this.kill();
        settle(new HandoffFailed(`the ctrl worker could not be reached: ${error.message}`, true));
      });
    });
  }

  /** Tells `onEvent` everything about the session that it has adopted, from the beginning; once a session. */
  follow(session: string, onEvent: (event: WorkerSessionEvent) => void): void {
    const serving = this.#serving;
    if (serving?.session !== session) throw new Error(`worker ${this.pid} has no session ${session}`);
    serving.onEvent = onEvent;
    for (const event of serving.untold.splice(0)) onEvent(event);
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
        'a ctrl worker sent an invalid report; ignored',
      );
      return;
    }
    const report: WorkerReport = parsed.data;
    if (report.type === 'ready') this.#recvReady();
    else if (report.session !== this.#serving?.session || !this.#isServing())
      this.#log.error(
        { worker: this.pid, report },
        'a ctrl worker reports on a session that it was not given; ignored',
      );
    else this.#recvSessionReport(report);
  }

  #recvReady(): void {
    if (this.#phase !== 'starting' && this.#phase !== 'resting') {
      this.#log.error({ worker: this.pid }, 'a ctrl worker says that it is free when it is not asked; ignored');
      return;
    }
    this.#phase = 'free';
    clearTimeout(this.#startTimer);
    this.onReady();
  }

  #recvSessionReport(report: Exclude<WorkerReport, { readonly type: 'ready' }>): void {
    const failure = report.type === 'refused' ? new HandoffFailed(report.why, false) : null;
    // The client's answer comes first: states may precede the report that it was adopted, which may also come late.
    if (typeof this.#phase === 'object') this.#phase.settle(failure);
    switch (report.type) {
      case 'state':
        this.#tell({ type: 'state', state: report.state });
        break;
      case 'over':
        this.#phase = 'resting';
        this.#tell({ type: 'over' });
        break;
      case 'adopted':
      case 'refused':
    }
  }

  #isServing(): boolean {
    return this.#phase === 'serving' || typeof this.#phase === 'object';
  }

  #tell(event: WorkerSessionEvent): void {
    const { onEvent, untold } = this.#serving ?? {};
    if (onEvent) onEvent(event);
    else untold?.push(event);
  }

  #ended(how: string, inOrder: boolean): void {
    clearTimeout(this.#startTimer);
    const phase = this.#phase;
    if (typeof phase === 'object') {
      // A session that has begun and died is the registry's to clear away.
      phase.settle(hasBegun(phase.handoff) ? null : new HandoffFailed(`the ctrl worker died (${how})`, true));
    }
    if (this.#isServing()) this.#tell({ type: 'workerEnded' });
    this.#phase = 'ended';
    const early = phase === 'starting';
    this.onExit(early ? 'beforeReady' : inOrder ? 'inOrder' : 'died');
    if (early) this.#log.error({ worker: this.pid, how }, `a ctrl worker ended before it was ready: ${how}`);
  }
}

/** The record stands before the worker speaks with the client: from there on no other worker may. */
const hasBegun = ({ configuration, session }: Handoff): boolean =>
  readRecord(configuration.runDirectory, session) !== null;
