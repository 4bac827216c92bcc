/** Processes that are no children of the manager, in memory: which of them live, and which signals they were sent. */
import type { ProcessIdentity } from '../../../src/host/process.js';
import type { Processes } from '../../../src/manager/reaper.js';

export class ProcessTable implements Processes {
  readonly signals: string[] = [];
  /** Start times by process id. */
  readonly #living = new Map<number, string>();
  /** Signals that end no process here. */
  readonly withstood = new Set<NodeJS.Signals>();
  #pid = 1000;

  start(): ProcessIdentity {
    const identity = { pid: (this.#pid += 1), startTime: `${this.#pid * 7}` };
    this.#living.set(identity.pid, identity.startTime);
    return identity;
  }

  end({ pid }: ProcessIdentity): void {
    this.#living.delete(pid);
  }

  // Without `this`: src/host/process.ts has functions.

  readonly isAlive = ({ pid, startTime }: ProcessIdentity): boolean => this.#living.get(pid) === startTime;

  readonly isAnothers = (identity: ProcessIdentity): boolean => this.isAlive(identity);

  readonly signal = (identity: ProcessIdentity, name: NodeJS.Signals): boolean => {
    if (!this.isAnothers(identity)) return false;
    this.signals.push(`${name} ${identity.pid}`);
    if (!this.withstood.has(name)) this.end(identity);
    return true;
  };
}
