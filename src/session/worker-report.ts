/** The fork channel, worker to manager. The manager checks what arrives; the worker imports only the types, not zod. */
import type { SessionState } from './state.js';

export const REPORT_VERSION = 1;

/** Exit codes of a worker besides Node's own. */
export const WORKER_EXIT = { nativeModules: 3 } as const;

interface Versioned {
  readonly v: typeof REPORT_VERSION;
}

export type WorkerReport = Versioned &
  (
    | {
        /** Free for a client: just started, or nothing is left of the last session. */
        readonly type: 'ready';
      }
    | {
        /** The session exists: its socket listens in the run directory, and the worker no longer needs the manager. */
        readonly type: 'adopted';
        readonly session: string;
      }
    | {
        /** The session's state, whenever a part of it other than the counters changes; the last one says why it ended. */
        readonly type: 'state';
        readonly session: string;
        readonly state: SessionState;
      }
    | {
        /** The session has ended in order: its last state was reported, and its files are removed. */
        readonly type: 'over';
        readonly session: string;
      }
    | {
        /** The handoff failed; the client's socket is closed. */
        readonly type: 'refused';
        readonly session: string;
        readonly why: string;
      }
  );
