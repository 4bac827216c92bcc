/** What the manager tells over its own socket, checked by whoever asks; and the operations it knows. */
import { z } from 'zod';

export const managerStatus = z.object({
  version: z.string(),
  pid: z.number(),
  /** Milliseconds since the epoch. */
  since: z.number(),
  /** Users and capabilities of manager, workers and pppd, in a sentence. */
  runsAs: z.string(),
  /** `192.0.2.1:1723`. */
  listening: z.string(),
  /** Sessions by their phase. */
  sessions: z.record(z.string(), z.number()),
  /** Address pairs: lent, and all there are to lend. */
  leases: z.object({ lent: z.number(), most: z.number() }),
  workers: z.object({ idle: z.number(), starting: z.number() }),
  /** Clients turned away since the start, by cause; only causes that happened. */
  turnedAway: z.record(z.string(), z.number()),
});

export type ManagerStatus = z.infer<typeof managerStatus>;

/** What a reload has come to: every mistake of the new configuration, none when it is taken. */
export const reloadResult = z.object({ problems: z.array(z.string()) });

export type ManagerOperation = 'status' | 'reload';
