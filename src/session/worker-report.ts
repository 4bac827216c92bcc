/** The fork channel, worker to manager: one union, checked by the manager on arrival. */
import { z } from 'zod';

export const REPORT_VERSION = 1;
const common = { v: z.literal(REPORT_VERSION) };

export const workerReport = z.discriminatedUnion('type', [
  /** Started, and free for a client. */
  z.object({ ...common, type: z.literal('ready') }),
  /** The session stands: its socket listens in the run directory, and the worker needs no manager any more. */
  z.object({ ...common, type: z.literal('adopted'), session: z.string() }),
  /** The handoff failed; the client's socket is closed. */
  z.object({ ...common, type: z.literal('refused'), session: z.string(), why: z.string() }),
]);

export type WorkerReport = z.infer<typeof workerReport>;
