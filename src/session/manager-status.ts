/** The operations of the manager's socket, and the schemas by which a client checks the results. */
import * as z from 'zod';

/** The rules of the section `network` as the monitor knows them; times are milliseconds since the epoch. */
const networkStatus = z.union([
  /** The monitor does not answer. */
  z.object({ state: z.literal('unknown'), why: z.string() }),
  z.object({
    state: z.enum(['inForce', 'changed', 'missing']),
    /** The nftables table; null: none is needed. */
    table: z.string().nullable(),
    forwarding: z.boolean(),
    masquerade: z.array(z.string()).readonly(),
    since: z.number(),
    /** How often the table was restored, and the last time. */
    restored: z
      .object({ count: z.number(), at: z.number(), why: z.enum(['deleted', 'changed', 'defaultRoute']) })
      .nullable(),
  }),
]);
export type NetworkStatus = z.infer<typeof networkStatus>;

export const managerStatus = z.object({
  version: z.string(),
  pid: z.number(),
  /** Milliseconds since the epoch. */
  since: z.number(),
  /** Users and capabilities of manager, workers and pppd, in a sentence. */
  runsAs: z.string(),
  /** Who speaks PPP, and why. */
  engine: z.string().default('pppd'),
  /** `192.0.2.1:1723`. */
  listening: z.string(),
  /** Sessions by phase; `unknown`: those that do not answer, or that another version runs. */
  sessions: z.record(z.string(), z.number()),
  /** Address pairs: leased (`lent`), and in total. */
  leases: z.object({ lent: z.number(), most: z.number() }),
  workers: z.object({ idle: z.number(), starting: z.number() }),
  /** Refused clients since the start, by cause. Causes that did not occur are left out. */
  turnedAway: z.record(z.string(), z.number()),
  /** Client addresses that are blocked after failed logins. */
  blocked: z.number().default(0),
  /** null: the configuration has no section `network`. */
  network: networkStatus.nullable().default(null),
});

export type ManagerStatus = z.infer<typeof managerStatus>;

/** The errors of the new configuration; none if it is in force now. */
export const reloadResult = z.object({ problems: z.array(z.string()) });

const block = z.object({
  address: z.string(),
  /** Number of failed logins. */
  failedLogins: z.number(),
  /** Seconds until the block ends. */
  remaining: z.number(),
});
export type Block = z.infer<typeof block>;

/** The current blocks, the oldest first. */
export const blocksResult = z.object({ blocks: z.array(block) });

/** Unblocks this address; null: all addresses. The result lists the addresses that were blocked. */
export const unblockRequest = z.object({ address: z.ipv4().nullable() });
export const unblockResult = z.object({ unblocked: z.array(z.string()) });

export type ManagerOperation = 'status' | 'reload' | 'blocks' | 'unblock';
