/** A worker's process that does nothing but note what it is told; the test says what it reports and how it ends. */
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { WorkerProgram } from '../../../src/manager/worker.js';
import type { Handoff } from '../../../src/session/handoff.js';
import { REPORT_VERSION, type WorkerReport } from '../../../src/session/worker-report.js';

export const START_TIMEOUT = 30_000;

type Report = WorkerReport extends infer R ? (R extends WorkerReport ? Omit<R, 'v'> : never) : never;

export class AWorkerProcess extends EventEmitter {
  /** undefined: the system has not started it. */
  readonly pid: number | undefined;
  connected = true;
  readonly signals: (string | undefined)[] = [];
  /** What it was given, and the socket with it. */
  readonly given: { readonly handoff: Handoff; readonly socket: Socket; readonly options: unknown }[] = [];
  /** Why nothing can be sent to it; null: it can. */
  sendFailure: Error | null = null;

  constructor(pid: number | undefined) {
    super();
    this.pid = pid;
  }

  // As the manager has it.

  send(handoff: Handoff, socket: Socket, options: unknown, sent: (error: Error | null) => void): void {
    this.given.push({ handoff, socket, options });
    sent(this.sendFailure);
  }

  disconnect(): void {
    if (!this.connected) throw new Error('disconnected twice');
    this.connected = false;
  }

  kill(signal?: string): boolean {
    return this.signals.push(signal) > 0;
  }

  // As the test has it.

  report(report: Report): void {
    this.emit('message', { v: REPORT_VERSION, ...report });
  }

  ends(code: number | null, signal: NodeJS.Signals | null = null): void {
    this.connected = false;
    this.emit('exit', code, signal);
  }

  fails(message: string): void {
    this.emit('error', new Error(message));
  }
}

/** Starts processes, and keeps them in the order of their starts. */
export class Processes {
  readonly all: AWorkerProcess[] = [];
  /** The system refuses at once to start any. */
  refuses = false;
  readonly program: WorkerProgram = {
    start: () => {
      if (this.refuses) throw new Error('spawn ENOMEM');
      const process = new AWorkerProcess(1001 + this.all.length);
      this.all.push(process);
      return process as unknown as ReturnType<WorkerProgram['start']>;
    },
    startTimeout: START_TIMEOUT,
  };
}
