/** The fork channel, worker to manager. The manager checks what arrives; the worker, which loads no zod, has the types. */
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
        /** Free for a client: just started, or again, since nothing is left of the last one's session. */
        readonly type: 'ready';
      }
    | {
        /** The session stands: its socket listens in the run directory, and the worker needs no manager any more. */
        readonly type: 'adopted';
        readonly session: string;
      }
    | {
        /** The session's state, whenever a part of it other than the counters changes; the last one tells why it ended. */
        readonly type: 'state';
        readonly session: string;
        readonly state: SessionState;
      }
    | {
        /** The session has ended in order: its files are removed, and it has told its last state. */
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
