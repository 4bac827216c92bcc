/** One ctrl worker as the manager sees it: its start, its reports about itself and its session, and its end. */
import { type ChildProcess, fork } from 'node:child_process';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import type { LinkKind } from '../host/ppp-engine.js';
import { nativeRemedy } from '../host/native-modules.js';
import type { Logger } from '../log/logger.js';
import type { Handoff } from '../session/handoff.js';
import { readRecord } from '../session/record.js';
import { sessionState, type SessionState } from '../session/state.js';
import { REPORT_VERSION, WORKER_EXIT, type WorkerReport } from '../session/worker-report.js';

/** How a worker's process starts. */
export interface WorkerProgram {
  /** Throws if the system refuses to start a process. */
  readonly start: () => ChildProcess;
  /** Milliseconds after which a worker that has not reported `ready` is killed. */
  readonly startTimeout: number;
}

/** A worker that runs the module `entry` with these arguments. */
export const workerProgram = (
  entry: string,
  startTimeout: number,
  programArguments: readonly string[] = [],
): WorkerProgram => ({
  start: () =>
    fork(entry, programArguments, {
      // In its own process group: an interrupt at the manager's terminal is for the manager, which ends sessions in order.
      detached: true,
      // Not the manager's own options. With a small young generation a worker that has served hundreds of clients uses 28 MiB
      // instead of 40. The other two: ctrl/collect-garbage.
      execArgv: ['--max-semi-space-size=1', '--no-memory-reducer', '--expose-gc'],
      // glibc raises this limit when a large block is freed, such as the worker's source text: 2 MiB more for each worker.
      env: { ...process.env, MALLOC_TRIM_THRESHOLD_: '131072' },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    }),
  startTimeout,
});

/** src/ctrl/main.ts with its imports in one file (scripts/build). Node starts in 0.1 s, on a very slow machine in 2 s. */
export const ctrlWorker = (kind: LinkKind, monitorSocket: string): WorkerProgram =>
  workerProgram(fileURLToPath(new URL('../ctrl/main.cjs', import.meta.url)), 30_000, [kind, monitorSocket]);
/** Adopting takes a few system calls; a worker that has not answered by then hangs. */
const ADOPT_TIMEOUT_MS = 10_000;

const common = { v: z.literal(REPORT_VERSION) };
const workerReport = z.discriminatedUnion('type', [
  z.object({ ...common, type: z.literal('ready') }),
  z.object({ ...common, type: z.literal('adopted'), session: z.string() }),
  z.object({ ...common, type: z.literal('state'), session: z.string(), state: sessionState }),
  z.object({ ...common, type: z.literal('over'), session: z.string() }),
  z.object({ ...common, type: z.literal('refused'), session: z.string(), why: z.string() }),
]) satisfies z.ZodType<WorkerReport>;

/** How a worker's process ended: before it was ready, in order, or otherwise. */
export type WorkerEnd = 'beforeReady' | 'inOrder' | 'died';

/** Why a handoff failed. */
export class HandoffFailed extends Error {
  /** The worker has exited and has sent nothing to the client: another may serve it. */
  readonly isWorkerGone: boolean;

  constructor(why: string, isWorkerGone: boolean) {
    super(why);
    this.isWorkerGone = isWorkerGone;
  }
}

/** What happened to the session of a worker. */
export type WorkerSessionEvent =
  | { readonly type: 'state'; readonly state: SessionState }
  /** The session ended in order. */
  | { readonly type: 'over' }
  /** The worker exited before its session ended. */
  | { readonly type: 'workerEnded' };

/** The session of a worker, and its events that were not delivered yet. */
interface Serving {
  readonly session: string;
  readonly undelivered: WorkerSessionEvent[];
  onEvent: ((event: WorkerSessionEvent) => void) | null;
}

interface Adopting {
  readonly handoff: Handoff;
  readonly settle: (failure: HandoffFailed | null) => void;
}

type Phase =
  | 'starting'
  | 'free'
  /** The worker was given a client, and has not answered yet. */
  | Adopting
  | 'serving'
  /** The session is over, and the worker checks for leaks. */
  | 'checking'
  | 'ended';

const exitText = (code: number | null): string =>
  code === WORKER_EXIT.nativeModules
    ? `its native modules cannot be loaded, perhaps because Node.js was changed; remedy: ${nativeRemedy()}`
    : `exit code ${code}`;

export class Worker {
  readonly #child: ChildProcess;
  readonly #log: Logger;
  readonly #startTimer: NodeJS.Timeout;
  #phase: Phase = 'starting';
  /** The last session that it was given. */
  #serving: Serving | null = null;
  /** Called whenever the worker is free for a client: after its start, and after each session. */
  onReady: () => void = () => undefined;
  /** Called once, when the process has ended. */
  onExit: (end: WorkerEnd) => void = () => undefined;

  /** Throws if the system refuses to start a process; other failures are reported by `onExit`. */
  constructor({ start, startTimeout }: WorkerProgram, log: Logger) {
    this.#log = log;
    this.#child = start();
    this.#startTimer = setTimeout(() => {
      this.#log.error({ worker: this.#child.pid }, 'a ctrl worker did not start in time; killing it');
      this.kill();
    }, startTimeout);
    this.#child.on('message', (message) => this.#recvReport(message));
    this.#child.on('error', (error) => {
      this.#log.error({ err: error }, 'a ctrl worker could not be started, or the manager cannot send to it');
      if (this.#child.pid === undefined) this.#ended('could not be started', false);
    });
    this.#child.on('exit', (code, signal) =>
      this.#ended(signal === null ? exitText(code) : `signal ${signal}`, code === 0),
    );
  }

  /** The worker was given a client. */
  get hasServed(): boolean {
    return this.#serving !== null;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /**
   * Hands a client's socket over and waits until the worker has adopted it. The socket also stays open here, for another worker
   * if this one fails; the caller closes it. Rejects with HandoffFailed.
   */
  async adopt(handoff: Handoff, socket: Socket): Promise<void> {
    this.#serving = { session: handoff.session, undelivered: [], onEvent: null };
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        // Perhaps the manager stood still, and the answer waits in the channel.
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

  /** Passes every event of the adopted session to `onEvent`, from its beginning. Call it once per session. */
  follow(session: string, onEvent: (event: WorkerSessionEvent) => void): void {
    const serving = this.#serving;
    if (serving?.session !== session) throw new Error(`worker ${this.pid} has no session ${session}`);
    serving.onEvent = onEvent;
    for (const event of serving.undelivered.splice(0)) onEvent(event);
  }

  /** Ends a worker without a client: it exits when its channel closes. */
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
    if (this.#phase !== 'starting' && this.#phase !== 'checking') {
      this.#log.error({ worker: this.pid }, 'a ctrl worker reports that it is ready at a wrong time; ignored');
      return;
    }
    this.#phase = 'free';
    clearTimeout(this.#startTimer);
    this.onReady();
  }

  #recvSessionReport(report: Exclude<WorkerReport, { readonly type: 'ready' }>): void {
    const failure = report.type === 'refused' ? new HandoffFailed(report.why, false) : null;
    // Any report settles the handoff: the client is answered first, so states may precede the report `adopted`.
    if (typeof this.#phase === 'object') this.#phase.settle(failure);
    switch (report.type) {
      case 'state':
        this.#deliver({ type: 'state', state: report.state });
        break;
      case 'over':
        this.#phase = 'checking';
        this.#deliver({ type: 'over' });
        break;
      case 'adopted':
      case 'refused':
    }
  }

  #isServing(): boolean {
    return this.#phase === 'serving' || typeof this.#phase === 'object';
  }

  #deliver(event: WorkerSessionEvent): void {
    const { onEvent, undelivered } = this.#serving ?? {};
    if (onEvent) onEvent(event);
    else undelivered?.push(event);
  }

  #ended(how: string, inOrder: boolean): void {
    clearTimeout(this.#startTimer);
    const phase = this.#phase;
    if (typeof phase === 'object') {
      // If the session has begun, the registry cleans up after it.
      phase.settle(hasBegun(phase.handoff) ? null : new HandoffFailed(`the ctrl worker died (${how})`, true));
    }
    if (this.#isServing()) this.#deliver({ type: 'workerEnded' });
    this.#phase = 'ended';
    const early = phase === 'starting';
    this.onExit(early ? 'beforeReady' : inOrder ? 'inOrder' : 'died');
    if (early) this.#log.error({ worker: this.pid, how }, `a ctrl worker ended before it was ready: ${how}`);
  }
}

/** The worker writes the record before it answers the client; from then on no other worker may serve that client. */
const hasBegun = ({ configuration, session }: Handoff): boolean =>
  readRecord(configuration.runDirectory, session) !== null;
