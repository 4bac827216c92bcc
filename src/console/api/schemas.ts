/**
 * What the console's API takes and gives: the only source of its types, of the checks of what arrives, and of its OpenAPI
 * description. The page imports types only.
 */
import * as z from 'zod';
import { accountRecord } from '../../accounting/record.js';
import { isSessionId } from '../../session/paths.js';
import { blocksResult, managerStatus } from '../../session/manager-status.js';
import { MAX_DETAIL } from '../../session/request.js';
import { SESSION_PHASES, sessionState } from '../../session/state.js';
import { addressesIn } from '../../admin/selection.js';
import { pointInTime } from '../../admin/units.js';
import { userFields, userName, userPassword } from '../../users/user-requests.js';

/** Milliseconds since the epoch. */
const time = z.number();
/** Bits per second; null: not measured. */
const rate = z.number().nullable();

export const apiError = z.object({
  /** What failed, on what, and why. */
  error: z.string(),
  /** What to do. */
  remedy: z.string().optional(),
});
export type ApiError = z.infer<typeof apiError>;

export const ROLES = ['view', 'admin'] as const;
export const role = z.enum(ROLES);

export const me = z.object({
  name: z.string(),
  role,
  /** For the header X-CSRF-Token of every request that is not GET; null with an API token, which needs none. */
  csrf: z.string().nullable(),
});
export type Me = z.infer<typeof me>;

export const credentials = z.strictObject({ name: z.string(), password: z.string() });
export const nothing = z.object({});

export const sessionRow = z.object({
  id: z.string(),
  user: z.string().nullable(),
  /** The client's own address, and its address in the tunnel. */
  client: z.string(),
  address: z.string().nullable(),
  phase: z.enum(SESSION_PHASES),
  since: time,
  /** The tunnel's network interface; null: there is none yet. */
  interface: z.string().nullable(),
  /** In words. */
  encryption: z.string().nullable(),
  link: z.enum(['pppd', 'tun', 'kernel']).nullable(),
  /** From the client and to it. */
  rxRate: rate,
  txRate: rate,
  /** Octets in the tunnel since its interface exists. */
  rxBytes: z.number(),
  txBytes: z.number(),
  /** A problem of a live session, in a sentence. */
  warning: z.string().nullable(),
  /** Why the login failed; null: it did not, or not yet. */
  loginFailure: z.string().nullable(),
});
export type SessionRow = z.infer<typeof sessionRow>;

const unreachable = z.object({ id: z.string(), why: z.string() });

export const sessionList = z.object({
  sessions: z.array(sessionRow),
  /** Sessions that exist and do not answer. */
  unreachable: z.array(unreachable),
});
export type SessionList = z.infer<typeof sessionList>;

const section = z.object({
  title: z.string(),
  rows: z.array(z.object({ name: z.string(), value: z.string() })),
});

export const logLine = z.object({ time: z.string(), level: z.string(), text: z.string() });

export const sessionDetail = z.object({
  row: sessionRow,
  /** As `pptpd-ts show` prints it: overview, negotiation, traffic, further counters. */
  sections: z.array(section),
  /** `words`: what it counts; null: a counter of another version. */
  counters: z.array(z.object({ name: z.string(), words: z.string().nullable(), value: z.number() })),
  state: sessionState,
  /** The last lines of the session's log file, the oldest first; none if it has no file that the console may read. */
  log: z.array(logLine),
});
export type SessionDetail = z.infer<typeof sessionDetail>;

const direction = { rx: z.number(), tx: z.number() };

/** Bits per second at one moment. */
export const trafficPoint = z.object({ time, ...direction, sessions: z.int() });
export type TrafficPoint = z.infer<typeof trafficPoint>;

export const traffic = z.object({
  /** Seconds between two points. */
  step: z.int(),
  /** The last hour, the oldest first. */
  points: z.array(trafficPoint),
});
export type Traffic = z.infer<typeof traffic>;

export const status = z.object({
  host: z.string(),
  /** Of the console's program. */
  version: z.string(),
  console: z.object({ since: time }),
  /** `why`: why it does not answer. */
  manager: z.object({ answers: z.boolean(), why: z.string().nullable() }),
  /** As `pptpd-ts status` shows it; null while the manager does not answer. */
  server: managerStatus.nullable(),
  sessions: z.object({
    total: z.int(),
    /** By phase; `unreachable`: those that do not answer. */
    byPhase: z.record(z.string(), z.int()),
  }),
  /** Of the pool; null while the manager does not answer. */
  addresses: z.object({ used: z.int(), total: z.int() }).nullable(),
  /** Of all tunnels. */
  traffic: z.object({ ...direction, rxBytes: z.number(), txBytes: z.number() }),
  /** Ended sessions are recorded. */
  hasHistory: z.boolean(),
});
export type Status = z.infer<typeof status>;

export const failure = z.object({
  time,
  session: z.string(),
  user: z.string().nullable(),
  client: z.string(),
  /** A name of docs/failures.md; null from an older worker. */
  cause: z.string().nullable(),
  /** In a sentence, without the remedy. */
  text: z.string(),
  remedy: z.string().nullable(),
});
export type Failure = z.infer<typeof failure>;

export const failures = z.object({
  /** The newest first. */
  failures: z.array(failure),
  /** Of all that match, by cause; `unknown`: without one. */
  byCause: z.record(z.string(), z.int()),
});
export type Failures = z.infer<typeof failures>;

export const history = z.object({
  /** Ended sessions, the newest first. */
  sessions: z.array(accountRecord),
  /** For `before`, to get the next ones; null: there are no more. */
  next: z.string().nullable(),
});
export type History = z.infer<typeof history>;

export const blocks = blocksResult;
export type Blocks = z.infer<typeof blocks>;
export const unblocked = z.object({ unblocked: z.array(z.string()) });

export const happening = z.object({
  time,
  event: z.enum(['connected', 'authenticated', 'up', 'warning', 'failed', 'ended']),
  session: z.string(),
  user: z.string().nullable(),
  client: z.string(),
  address: z.string().nullable(),
  detail: z.string().nullable(),
  cause: z.string().nullable().optional(),
  reason: z.string().nullable().optional(),
});
export type TimedHappening = z.infer<typeof happening>;

/** By session: bits per second from the client and to it, octets from it and to it. */
export const rates = z.record(z.string(), z.tuple([rate, rate, z.number(), z.number()]));

export const streamEvent = z.discriminatedUnion('event', [
  z.object({ event: z.literal('snapshot'), data: sessionList }),
  z.object({ event: z.literal('session'), data: sessionRow }),
  z.object({ event: z.literal('gone'), data: z.object({ id: z.string() }) }),
  z.object({ event: z.literal('unreachable'), data: unreachable }),
  z.object({ event: z.literal('rates'), data: rates }),
  z.object({ event: z.literal('traffic'), data: trafficPoint }),
  z.object({ event: z.literal('happening'), data: happening }),
  z.object({ event: z.literal('status'), data: status }),
  z.object({ event: z.literal('users'), data: z.object({}) }),
]);
export type StreamEvent = z.infer<typeof streamEvent>;

const shownQuota = z.object({
  octets: z.number(),
  per: z.enum(['day', 'month', 'total']),
  used: z.number(),
  left: z.number(),
  beginsAnew: z.string().nullable(),
});

export const user = z.object({
  name: z.string(),
  file: z.string(),
  hindrance: z.enum(['disabled', 'expired', 'quota']).nullable(),
  address: z.string().nullable(),
  expires: z.string().nullable(),
  expiresAfter: z.number().nullable(),
  firstLogin: z.string().nullable(),
  sessions: z.number().nullable(),
  sessionTime: z.number().nullable(),
  idleTime: z.number().nullable(),
  /** Bits per second from the client and to it; what is left out has no limit. */
  speed: z.object({ up: z.number().optional(), down: z.number().optional() }).nullable(),
  quota: shownQuota.nullable(),
  routes: z.array(z.string()).nullable(),
  note: z.string().nullable(),
  /** The file has the password itself, not only its hash. */
  hasPassword: z.boolean(),
  /** Ids of the user's live sessions. */
  live: z.array(z.string()),
});
export type ApiUser = z.infer<typeof user>;

export const users = z.object({
  users: z.array(user),
  /** The file that is changed. */
  file: z.string(),
  /** Fields that this file can keep. */
  keeps: z.array(z.string()),
  /** It keeps a hash of each password, and the password itself only for `storePassword`. */
  storesHash: z.boolean(),
});
export type Users = z.infer<typeof users>;

/** After a change: sentences that the administrator should read. */
export const userChanged = z.object({ remarks: z.array(z.string()) });
export type UserChanged = z.infer<typeof userChanged>;

export const newUser = z.strictObject({
  name: userName,
  password: userPassword,
  /** Also keep the password itself, which CHAP-MD5 needs. */
  storePassword: z.boolean().default(false),
  fields: userFields.default({}),
});
export const userChanges = userFields;
export const newPassword = z.strictObject({ password: userPassword, storePassword: z.boolean().default(false) });

export const problems = z.object({ problems: z.array(z.string()) });
export type Problems = z.infer<typeof problems>;
/** The text of a configuration; without it the file that the server uses. */
export const checkRequest = z.strictObject({ text: z.string().max(1_000_000).optional() });

export const findings = z.object({
  findings: z.array(
    z.object({
      check: z.string(),
      level: z.enum(['ok', 'warn', 'fail']),
      text: z.string(),
      remedy: z.string().nullable(),
    }),
  ),
});
export type Findings = z.infer<typeof findings>;

export const ended = z.object({
  /** Sessions that have ended, and those that did not, with the reason. */
  ended: z.array(z.string()),
  failed: z.array(z.object({ id: z.string(), why: z.string() })),
});
export type Ended = z.infer<typeof ended>;

const kickReason = z
  .string()
  .max(MAX_DETAIL)
  .refine((text) => !/\p{Cc}/u.test(text))
  .meta({ title: `one line of at most ${MAX_DETAIL} characters` });
export const kickOne = z.strictObject({ reason: kickReason.optional() });

const addresses = z
  .string()
  .max(18)
  .refine((text) => addressesIn(text) !== null)
  .meta({ title: 'an IPv4 address or network, for example 192.0.2.7 or 192.0.2.0/24' });
const someUser = z.string().max(255).meta({ title: 'at most 255 characters' });
const selection = { user: someUser.optional(), client: addresses.optional(), address: addresses.optional() };
export const sessionQuery = z.strictObject(selection);
export const kickMany = z
  .strictObject({ ...selection, reason: kickReason.optional() })
  .refine(({ user: who, client, address }) => (who ?? client ?? address) !== undefined, {
    error: 'name a user, a client or an address',
  });

/** Minutes at level debug; `off`: the configured level. */
export const debugRequest = z.strictObject({ minutes: z.union([z.int().min(1).max(1440), z.literal('off')]) });
export const debugResult = z.object({ level: z.string() });

const whole = (least: number, most: number) => z.coerce.number().int().min(least).max(most);
export const captureQuery = z.strictObject({
  seconds: whole(1, 3600).default(60),
  /** Frames and messages. */
  packets: whole(1, 1_000_000).default(100_000),
});
export const nextCaptureQuery = z.strictObject({
  next: addresses,
  /** How long to wait for the client, and how long to capture then. */
  seconds: whole(1, 3600).default(60),
  packets: whole(1, 1_000_000).default(100_000),
});

const moment = z
  .string()
  .max(40)
  .refine((text) => pointInTime(text, 0) !== null)
  .meta({ title: 'a time: 90min, 12h, 7d, 2026-11-23 or 2026-11-23T10:00:00Z' });
export const failureQuery = z.strictObject({
  since: moment.optional(),
  cause: z.string().max(64).meta({ title: 'a cause of docs/failures.md' }).optional(),
  limit: whole(1, 1000).default(100),
});
export const historyQuery = z.strictObject({
  /** A part of the session's id, user, address, reason or cause. */
  search: z.string().max(255).meta({ title: 'at most 255 characters' }).optional(),
  ...selection,
  since: moment.optional(),
  until: moment.optional(),
  /** `next` of an earlier answer. */
  before: z
    .string()
    .regex(/^\d{1,16}-[a-z0-9]{6}$/)
    .meta({ title: '`next` of an earlier answer' })
    .optional(),
  limit: whole(1, 1000).default(100),
});

export const sessionParameters = z.object({
  id: z.string().refine(isSessionId).meta({ title: 'the id of a session: six letters and digits' }),
});
export const addressParameters = z.object({ address: z.ipv4() });
export const userParameters = z.object({ name: userName });
