/**
 * What the monitor and the RADIUS process say to each other: a JSON object in each packet of a socket pair, octets in
 * hexadecimal. The process reads the network, so the monitor checks all that comes from it.
 */
import {
  type FieldCheck,
  type Fields,
  isAddress,
  isHex,
  isListOf,
  isObject,
  isObjectOf,
  isText,
  isWhole,
  orNull,
} from '../sys/message-fields.js';

/** Longest message, octets. */
export const MAX_RADIUS_MESSAGE = 16_384;

/** What the process is told about one server. */
export interface ServerSettings {
  readonly address: string;
  readonly authPort: number;
  readonly acctPort: number;
  readonly secret: string;
  /** Seconds from one try to the next, and the number of tries. */
  readonly timeout: number;
  readonly tries: number;
}

/** For requests of RADIUS servers to this one (RFC 5176). */
export interface DynamicSettings {
  readonly port: number;
  readonly clients: readonly { readonly address: string; readonly secret: string }[];
}

/** Selects the sessions that match every field; null: any value matches. */
export interface SessionSelector {
  /** Acct-Session-Id. */
  readonly id: string | null;
  readonly name: string | null;
  /** The client's address in the tunnel. */
  readonly address: string | null;
  readonly port: number | null;
  /** `ppp0`. */
  readonly portId: string | null;
  /** The client's address. */
  readonly client: string | null;
}

/** What a CoA-Request changes; null or left out: nothing. */
export interface SessionChange {
  /** Seconds, as in an Access-Accept. */
  readonly sessionTime: number | null;
  readonly idleTime: number | null;
  readonly rate: Rate;
}

/** The outcome of a RADIUS server's request. `several`: it selects several sessions, but only one can be changed. */
export const REQUEST_OUTCOMES = ['done', 'noSession', 'several', 'failed'] as const;
export type RequestOutcome = (typeof REQUEST_OUTCOMES)[number];

export interface ProcessSettings {
  readonly servers: readonly ServerSettings[];
  /** Who may end and change sessions; undefined: nobody. */
  readonly dynamic?: DynamicSettings | undefined;
  readonly nasIdentifier: string;
  readonly requireMessageAuthenticator: boolean;
}

export interface RadiusLogin {
  readonly method: 'ms-chap-v2' | 'ms-chap' | 'chap-md5' | 'pap';
  readonly name: string;
  /** Empty for PAP. */
  readonly challenge: string;
  /** PAP: the password. */
  readonly response: string;
  /** CHAP's identifier. */
  readonly identifier: number;
  /** N of the session's interface pppN; null without one. */
  readonly port: number | null;
  /** The client's address. */
  readonly client: string;
}

/** Bits per second, the limits of what a speed may be. */
export const SLOWEST = 8000;
export const FASTEST = 100_000_000_000;

/** Bits per second from the client and to it; null: no limit; left out: nothing is said of it. */
export interface Rate {
  readonly up?: number | null;
  readonly down?: number | null;
}

/** A network behind the client. */
export interface FramedRoute {
  /** `198.51.100.0/24`, without host bits. */
  readonly network: string;
  /** Dotted quad; null: the client. */
  readonly gateway: string | null;
  readonly metric: number | null;
}

/** Of more routes, and remarks about an answer, the rest is left out. */
export const MAX_ROUTES = 32;
export const MAX_NOTES = 8;

/** RFC 2865 §5.8: the client, or the server, chooses the address. The client's wish is not asked for here. */
export const CHOSEN_HERE: readonly string[] = ['255.255.255.255', '255.255.255.254'];

/** Class attributes that are repeated; further ones are not. */
export const MAX_CLASSES = 8;

/** Why there is no verdict on a login. */
export const LOGIN_PROBLEMS = {
  noAnswer: 'no RADIUS server answered',
  forged: "the RADIUS server's answers were not signed with the shared secret",
  unsigned: 'the RADIUS server signs its answers without Message-Authenticator',
  noProof: 'the RADIUS server accepted the login without MS-CHAP2-Success',
  noSecret: 'none of the shared secrets can be read',
  notRunning: 'the RADIUS process is not running',
} as const;
export type LoginProblem = keyof typeof LOGIN_PROBLEMS;

export interface RadiusKeys {
  readonly send: string;
  readonly receive: string;
  readonly weak: string | null;
}

export type RadiusVerdict =
  | {
      readonly outcome: 'accepted';
      /** For the client. */
      readonly message: string;
      readonly keys: RadiusKeys | null;
      /** Framed-IP-Address, a dotted quad. */
      readonly address: string | null;
      /** Seconds. */
      readonly sessionTime: number | null;
      readonly idleTime: number | null;
      /** Class, which the account repeats. */
      readonly classes: readonly string[];
      /** Acct-Interim-Interval, seconds. */
      readonly interim: number | null;
      readonly routes: readonly FramedRoute[];
      readonly rate: Rate;
      /** Filter-Id, without control characters. */
      readonly filter: string | null;
      /** For the log: which values of the answer were ignored, a sentence each. */
      readonly notes: readonly string[];
    }
  /** `code`: RFC 2759 §6. */
  | { readonly outcome: 'rejected'; readonly code: number; readonly retry: boolean; readonly message: string }
  | { readonly outcome: 'failed'; readonly problem: LoginProblem };

/** Of one direction. */
export interface Amount {
  readonly octets: number;
  readonly packets: number;
}

/** An accounting record of a session: at its start, in between, or at its end. */
export interface AccountRecord {
  readonly status: 'start' | 'interim' | 'stop';
  /** Acct-Session-Id: no other session ever has it. */
  readonly id: string;
  readonly name: string;
  readonly classes: readonly string[];
  /** N of its interface pppN. */
  readonly port: number;
  /** The client's address. */
  readonly client: string;
  /** The client's address in the tunnel. */
  readonly address: string | null;
  /** When the record was made, seconds since 1970. */
  readonly at: number;
  /** Seconds since the start. */
  readonly seconds: number;
  /** From and to the client. */
  readonly received: Amount;
  readonly sent: Amount;
  /** Acct-Terminate-Cause (RFC 2866 §5.10). */
  readonly cause: number | null;
}

/** The server starts or stops serving (RFC 2866 §5.1), and has no sessions. */
export interface ServerRecord {
  readonly status: 'on' | 'off';
  /** Acct-Session-Id, which every record must have. */
  readonly id: string;
  /** When the record was made, seconds since 1970. */
  readonly at: number;
}

export type SpooledRecord = AccountRecord | ServerRecord;

export type ToRadius =
  /** The first message, and again when the settings change. */
  | { readonly type: 'configure'; readonly settings: ProcessSettings }
  | { readonly type: 'login'; readonly id: number; readonly login: RadiusLogin }
  | { readonly type: 'account'; readonly id: number; readonly record: SpooledRecord }
  /** A request of a RADIUS server is done. */
  | { readonly type: 'requestDone'; readonly id: number; readonly outcome: RequestOutcome };

export type FromRadius =
  | { readonly type: 'verdict'; readonly id: number; readonly verdict: RadiusVerdict }
  /** Whether a server has acknowledged the record. */
  | { readonly type: 'accounted'; readonly id: number; readonly isDone: boolean }
  /** A RADIUS server wants these sessions ended; `by`: its address. */
  | { readonly type: 'disconnect'; readonly id: number; readonly by: string; readonly selector: SessionSelector }
  /** A RADIUS server wants this session changed. */
  | {
      readonly type: 'change';
      readonly id: number;
      readonly by: string;
      readonly selector: SessionSelector;
      readonly change: SessionChange;
    };

export const encodeRadiusMessage = (message: ToRadius | FromRadius): Buffer => Buffer.from(JSON.stringify(message));

/** A message from the monitor, which is root and needs no check. */
export const decodeToRadius = (octets: Uint8Array): ToRadius => JSON.parse(Buffer.from(octets).toString()) as ToRadius;

/** A message of the process; null: it is none. Never throws. */
export function decodeFromRadius(octets: Uint8Array): FromRadius | null {
  let message: unknown;
  try {
    message = JSON.parse(Buffer.from(octets).toString());
  } catch {
    return null;
  }
  if (!isObject(message) || !isWhole(message['id'], 0, Number.MAX_SAFE_INTEGER)) return null;
  const { type } = message;
  const isRight =
    typeof type === 'string' && Object.hasOwn(MESSAGES, type) && MESSAGES[type as FromRadius['type']](message);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every field has been checked
  return isRight ? (message as unknown as FromRadius) : null;
}

/** Characters of a text for the client. */
const MAX_MESSAGE = 300;
const MAX_TIME = 2 ** 32 - 1;
/** Octets of an attribute's value. */
const MAX_VALUE = 253;

export const isKeys = isObjectOf({
  send: (value) => isHex(value, 16, 16),
  receive: (value) => isHex(value, 16, 16),
  weak: orNull((value) => isHex(value, 8, 8)),
});
const isMessage = (value: unknown): boolean => isText(value, MAX_MESSAGE);
const isClass = (value: unknown): boolean => isHex(value, 0, MAX_VALUE);
const isTime = (value: unknown): boolean => isWhole(value, 0, MAX_TIME);
const isValue = (value: unknown): boolean => isText(value, 2 * MAX_VALUE);
const isSpeed = (value: unknown): boolean => value === undefined || value === null || isWhole(value, SLOWEST, FASTEST);
const isRate = isObjectOf({ up: isSpeed, down: isSpeed });
const NETWORK = /^(.+)\/([1-9]|[12]\d|3[0-2])$/;
const isNetwork = (value: unknown): boolean => typeof value === 'string' && isAddress(NETWORK.exec(value)?.[1]);
const isRoute = isObjectOf({
  network: isNetwork,
  gateway: orNull(isAddress),
  metric: orNull((value) => isWhole(value, 0, 2 ** 31 - 1)),
});
/** Without control characters: it becomes an environment variable. */
const isFilter = (value: unknown): boolean => isText(value, MAX_VALUE) && !/\p{C}/u.test(value);

const isSelector = isObjectOf({
  id: orNull(isValue),
  name: orNull(isValue),
  address: orNull(isAddress),
  port: orNull(isTime),
  portId: orNull(isValue),
  client: orNull(isValue),
});

const isChange = isObjectOf({ sessionTime: orNull(isTime), idleTime: orNull(isTime), rate: isRate });

const MESSAGES: Readonly<Record<FromRadius['type'], (message: Fields) => boolean>> = {
  verdict: ({ verdict }) => isVerdict(verdict),
  accounted: ({ isDone }) => typeof isDone === 'boolean',
  disconnect: ({ by, selector }) => isAddress(by) && isSelector(selector),
  change: ({ by, selector, change }) => isAddress(by) && isSelector(selector) && isChange(change),
};

const VERDICTS: Readonly<Record<RadiusVerdict['outcome'], FieldCheck>> = {
  accepted: isObjectOf({
    message: isMessage,
    keys: orNull(isKeys),
    address: orNull(isAddress),
    sessionTime: orNull(isTime),
    idleTime: orNull(isTime),
    classes: (value) => isListOf(value, MAX_CLASSES, isClass),
    interim: orNull(isTime),
    routes: (value) => isListOf(value, MAX_ROUTES, isRoute),
    rate: isRate,
    filter: orNull(isFilter),
    notes: (value) => isListOf(value, MAX_NOTES, isMessage),
  }),
  rejected: isObjectOf({
    code: (value) => isWhole(value, 0, 999),
    retry: (value) => typeof value === 'boolean',
    message: isMessage,
  }),
  failed: isObjectOf({ problem: (value) => typeof value === 'string' && Object.hasOwn(LOGIN_PROBLEMS, value) }),
};

function isVerdict(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { outcome } = value;
  return (
    typeof outcome === 'string' &&
    Object.hasOwn(VERDICTS, outcome) &&
    VERDICTS[outcome as RadiusVerdict['outcome']](value)
  );
}
