/**
 * The state of a session: the answer to `state` on its socket, and the content of every `state` event. Readers (manager,
 * command line) check it with the schema; the worker imports only the types. Added fields need a default, because workers
 * of older versions do not send them.
 */
import * as z from 'zod';

/** In the order in which a session goes through them. */
export const SESSION_PHASES = ['connected', 'starting', 'negotiating', 'up', 'ending'] as const;

export const sessionState = z.object({
  session: z.string(),
  /** Version of the program that runs this session; it may be older than the reader's. */
  version: z.string(),
  /** Milliseconds since the epoch. */
  since: z.number(),
  phase: z.enum(SESSION_PHASES),
  /** Why it ends: a CloseReason; null before. */
  ending: z
    .object({
      reason: z.string(),
      detail: z.string().nullable(),
      /** Of a failure: its stable name, and its explanation (docs/failures.md). */
      cause: z.string().nullable().default(null),
      text: z.string().nullable().default(null),
      /** What `text` says after "remedy: "; null: it has no remedy. */
      remedy: z.string().nullable().default(null),
    })
    .nullable()
    .default(null),
  /** A problem of a live session: `mtuBlackHole`, `mppeKeysDiffer` or `callIdShared`; null if there is none. */
  warning: z.object({ cause: z.string(), text: z.string() }).nullable().default(null),
  peer: z.object({ address: z.string(), port: z.number() }),
  /** The server's address that the client connected to. */
  localAddress: z.string(),
  callId: z.number(),
  peerCallId: z.number().nullable(),
  /** As PPP negotiated them; before that, and after the call, those of the lease. */
  tunnel: z.object({ local: z.string().nullable(), remote: z.string().nullable() }),
  user: z.string().nullable(),
  pid: z.number(),
  pppdPid: z.number().nullable(),
  /**
   * Who speaks PPP and how packets travel: pppd, or the builtin engine with a TUN device or the kernel's PPTP driver; null
   * without a call, and for a kind that only a newer version knows.
   */
  link: z.enum(['pppd', 'tun', 'kernel']).nullable().default(null).catch(null),
  /** The tunnel's network interface if PPP is not pppd's; null: not open yet, or the interface is pppd's. */
  interface: z.string().nullable().default(null),
  /**
   * What the account lets the session do; null: it says nothing, or the client has not logged in. Numbers are as in
   * that file, null where the configuration's `policy` counts.
   */
  limits: z
    .object({
      account: z.string().nullable(),
      sessions: z.number().nullable(),
      sessionTime: z.number().nullable(),
      idleTime: z.number().nullable(),
      /** Filter-Id of RADIUS. */
      filter: z.string().nullable().default(null),
    })
    .nullable()
    .default(null),
  /**
   * The speed limits that the kernel applies to the tunnel's interface, bits per second from the client (`up`) and to it
   * (`down`); null: none, or not known (with pppd).
   */
  speed: z.object({ up: z.number().nullable(), down: z.number().nullable() }).nullable().default(null),
  /** The current log level, and the log file; null: standard output. */
  log: z.object({ level: z.string(), file: z.string().nullable() }).nullable().default(null),
  /** What was read of the PPP negotiation; its shape is defined by src/ppp. */
  ppp: z.record(z.string(), z.unknown()).nullable(),
  /** The link's counters by name; the names are defined by src/gre. What the link cannot count is not there. */
  counters: z.record(z.string(), z.number()).nullable(),
});

export type SessionState = z.infer<typeof sessionState>;
export type SessionPhase = SessionState['phase'];
