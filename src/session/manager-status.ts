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
  /** Sessions by their phase; `unknown` are those that do not answer, or that another version runs. */
  sessions: z.record(z.string(), z.number()),
  /** Address pairs: lent, and all there are to lend. */
  leases: z.object({ lent: z.number(), most: z.number() }),
  workers: z.object({ idle: z.number(), starting: z.number() }),
  /** Clients turned away since the start, by cause; only causes that happened. */
  turnedAway: z.record(z.string(), z.number()),
  /** Client addresses that are blocked after failed logins. */
  blocked: z.number().default(0),
});

export type ManagerStatus = z.infer<typeof managerStatus>;

/** What a reload has come to: every mistake of the new configuration, none when it is taken. */
export const reloadResult = z.object({ problems: z.array(z.string()) });

const block = z.object({
  address: z.string(),
  /** How many logins had failed. */
  failedLogins: z.number(),
  /** How long it stays blocked, seconds. */
  remaining: z.number(),
});
export type Block = z.infer<typeof block>;

/** The blocks that stand, the oldest first. */
export const blocksResult = z.object({ blocks: z.array(block) });

/** Ends the block of this address; null: all of them. Answered by the addresses that were blocked. */
export const unblockRequest = z.object({ address: z.ipv4().nullable() });
export const unblockResult = z.object({ unblocked: z.array(z.string()) });

export type ManagerOperation = 'status' | 'reload' | 'blocks' | 'unblock';
