/**
 * What a session tells about itself: the answer to `state` on its socket, and the body of every `state` event.
 * The schema is what the readers (manager, command line) check on arrival; the worker imports the types alone. What is
 * added has a default: a worker of an older version does not tell it.
 */
import { z } from 'zod';

/** In the order in which a session lives through them. */
export const SESSION_PHASES = ['connected', 'starting', 'negotiating', 'up', 'ending'] as const;

export const sessionState = z.object({
  session: z.string(),
  /** Version of the program that runs this session; it may be older than the reader's. */
  version: z.string(),
  /** Milliseconds since the epoch. */
  since: z.number(),
  phase: z.enum(SESSION_PHASES),
  /** Why it ends, a name of close-reason's table; null while it lives. */
  ending: z
    .object({
      reason: z.string(),
      detail: z.string().nullable(),
      /** Where something has failed: the stable name of the failure, and its sentence (docs/failures.md). */
      cause: z.string().nullable().default(null),
      text: z.string().nullable().default(null),
    })
    .nullable()
    .default(null),
  /** What is wrong with a session that lives: `mtuBlackHole`, `mppeKeysDiffer`, `callIdShared`, or nothing. */
  warning: z.object({ cause: z.string(), text: z.string() }).nullable().default(null),
  peer: z.object({ address: z.string(), port: z.number() }),
  /** Our address as the client dialled it. */
  localAddress: z.string(),
  callId: z.number(),
  peerCallId: z.number().nullable(),
  /** As PPP has agreed them; before that, and when the call is over, those of the lease. */
  tunnel: z.object({ local: z.string().nullable(), remote: z.string().nullable() }),
  user: z.string().nullable(),
  pid: z.number(),
  pppdPid: z.number().nullable(),
  /** How much its log says now, and in which file; a null file: standard output. */
  log: z.object({ level: z.string(), file: z.string().nullable() }).nullable().default(null),
  /** What the passive reader of the PPP negotiation knows; its shape is src/ppp's. */
  ppp: z.record(z.string(), z.unknown()).nullable(),
  /** The relay's counters by name; its names are src/gre's. */
  counters: z.record(z.string(), z.number()).nullable(),
});

export type SessionState = z.infer<typeof sessionState>;
export type SessionPhase = SessionState['phase'];
