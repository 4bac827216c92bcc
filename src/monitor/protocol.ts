/**
 * What is said over the monitor's socket: a JSON object in each message. Both directions are checked by hand, because a
 * worker loads no zod. Octets are written in hexadecimal.
 */
import type { ProcessIdentity } from '../host/process.js';
import type { ConsoleListen } from '../console/protocol.js';
import { type NetworkReport, RESTORATIONS, TABLE_STATES } from '../network/report.js';
import { isNetworkSettings, type NetworkSettings } from '../network/settings.js';
import {
  isKeys,
  LOGIN_PROBLEMS,
  type LoginProblem,
  type ProcessSettings,
  type RadiusKeys,
  type ServerSettings,
} from '../radius/protocol.js';
import { isSessionId } from '../session/paths.js';
import { MAX_TIMER_SECONDS } from '../sys/clock.js';
import type { UserPlace } from '../users/open-user-store.js';
import { type Fields, isAddress, isHex, isObject, isText, isWhole, wrongField } from '../sys/message-fields.js';

/** Increased when a message changes; the monitor refuses every other version. */
export const MONITOR_VERSION = 1;
/** Longest message, octets. */
export const MAX_MESSAGE = 4096;
/** Of root, which announces settings. */
export const MAX_ANNOUNCEMENT = 16_384;

export const LOGIN_METHODS = ['ms-chap-v2', 'ms-chap', 'chap-md5', 'pap'] as const;
export type LoginMethod = (typeof LOGIN_METHODS)[number];
/** Methods with a challenge. */
export type ChapMethod = Exclude<LoginMethod, 'pap'>;

/** What the configuration's section `ppp` says about the monitor's work. */
export interface MonitorSettings {
  readonly secrets: string;
  /** The accounts file, which need not exist. */
  readonly accounts: string;
  /** The server's name: second column of the secrets file. */
  readonly name: string;
  /** Looks a client up by its name without `DOMAIN\`. */
  readonly stripDomain: boolean;
  /** The permitted ways to log in. */
  readonly authentication: readonly LoginMethod[];
  readonly proxyArp: boolean;
  /** The device in which the server listens and the interfaces are; null: none. */
  readonly vrf: string | null;
  /** Logins are written to wtmpdb; undefined: they are not. */
  readonly logwtmp?: boolean;
  /** The section `network`. */
  readonly network?: NetworkSettings;
  /** Who judges logins in place of the accounts and secrets files; undefined: nobody. */
  readonly radius?: RadiusSettings | undefined;
  /** The section `console`; undefined: there is none. */
  readonly console?: MonitorConsoleSettings | undefined;
}

/** The configuration's section `console`, and what else its process needs. */
export interface MonitorConsoleSettings {
  readonly listen: ConsoleListen;
  /** Files. */
  readonly tls: { readonly certificate: string; readonly key: string } | null;
  /** The file of the console's own users. */
  readonly users: string;
  /** The group of the server's user, to which the run directory is open. */
  readonly gid: number;
  readonly configuration: string;
  readonly accounting: string | null;
  /** Where the users of the VPN are. */
  readonly userPlace: UserPlace;
}

/** The configuration's section `radius`. */
export interface RadiusSettings extends Omit<ProcessSettings, 'servers' | 'dynamic'> {
  readonly servers: readonly (Omit<ServerSettings, 'secret'> & { readonly secretFile: string })[];
  /** Seconds between interim records; 0: none. undefined: no accounting. */
  readonly accounting?: { readonly interim: number } | undefined;
  readonly dynamic?:
    | { readonly port: number; readonly clients: readonly { readonly address: string; readonly secretFile: string }[] }
    | undefined;
}

/** What the manager grants a session. The monitor refuses its worker anything else. */
export interface Registration {
  readonly session: string;
  readonly worker: ProcessIdentity;
  /** pppd's sessions may ask for nothing; while they live the rules of the section `network` stay. */
  readonly engine?: 'pppd';
  /** Dotted quad: the server's end of the tunnel; null when pppd chooses it. */
  readonly local: string | null;
  /** The client's end; null when the account or the client chooses it. */
  readonly remote: string | null;
  /** Address of the client, `ipparam` of the scripts. */
  readonly peer: string;
  /** Dotted quad: the address of the server that the client called. */
  readonly server: string;
  /** The server's call id. */
  readonly callId: number;
}

/** Octets in hexadecimal. `challenge`: the monitor's last one; empty for PAP, whose `response` is the password. */
interface LoginFields {
  readonly method: LoginMethod;
  readonly name: string;
  readonly challenge: string;
  readonly response: string;
  /** CHAP's identifier, which CHAP-MD5 hashes. */
  readonly identifier: number;
}

/** IPv4: dotted quads. IPv6: interface identifiers, four groups of hexadecimal digits. */
export interface AddressPair {
  readonly local: string;
  readonly remote: string;
}

/** The whole state of the interface: with no addresses it is down. Scripts run when addresses come and go. */
export interface InterfaceState {
  /** Octets. */
  readonly mtu: number;
  readonly ipv4: AddressPair | null;
  readonly ipv6: AddressPair | null;
}

interface RequestFields {
  /** Root: this process is the manager, or will be by exec. */
  announce: { readonly manager: ProcessIdentity; readonly settings: MonitorSettings };
  /** Manager: what a worker's session holds. Repeating it changes nothing. */
  register: Registration;
  /** Manager: the session is over. */
  release: { readonly session: string };
  /** Manager: which sessions do their accounts no longer permit? */
  review: Record<never, never>;
  /** Manager: how are the rules of the section `network`? */
  network: Record<never, never>;
  /**
   * Worker: what follows on this connection is for this session. There is no answer, but a refusal as a stranger if the worker does
   * not have that session, or not yet: a worker serves one client after the other.
   */
  serve: { readonly session: string };
  /** Worker: a challenge for the next login of its session. It replaces the one before. */
  challenge: { readonly method: ChapMethod };
  /** Worker: is this login right? */
  authenticate: LoginFields;
  /** Worker: an interface pppN; its descriptor comes with the answer. */
  openTun: Record<never, never>;
  /** Worker: the call in the kernel, and its interface pppN; descriptors of socket, channel and unit come with the answer. */
  openKernel: { readonly peerCallId: number };
  /** Worker: configure the interface. */
  configure: InterfaceState;
  /** Worker: the call is over; the client may call again. `cause`: RFC 2866 §5.10. */
  close: { readonly cause?: number };
}

export type RequestType = keyof RequestFields;
export type MonitorRequest<T extends RequestType = RequestType> = {
  [K in T]: { readonly type: K } & RequestFields[K];
}[T];

/** Why a request was refused. The monitor then closes the connection. */
export const REFUSALS = {
  stranger: 'the monitor does not know this process',
  version: `the monitor speaks version ${MONITOR_VERSION}`,
  malformed: 'the message is malformed',
  tooLong: `the message is longer than ${MAX_MESSAGE} octets`,
  notPermitted: 'the request is not permitted now',
  address: 'the address is not one that the session may have',
  challenge: 'the monitor did not give this challenge for this login',
  tooManyGuesses: 'too many wrong passwords',
  tooManyRequests: 'too many requests for one session',
  notTheDevice: 'the interface is not the one of this session',
  deviceOpen: 'the interface of the last call is still open',
  outerAddress: 'an address inside of the tunnel is one of its ends outside: packets would go round in circles',
} as const;
export type Refusal = keyof typeof REFUSALS;

/** What an account lets its sessions do; null: what the configuration's `policy` says. */
export interface WireLimits {
  /** Its name in the accounts file; null: RADIUS has the account. */
  readonly account: string | null;
  /** Number of sessions; 0: no limit. */
  readonly sessions: number | null;
  /** Seconds; 0: no limit. */
  readonly sessionTime: number | null;
  readonly idleTime: number | null;
  /** Name of a filter, which the administrator's scripts get; left out or null: none. */
  readonly filter?: string | null;
}

/** Why an account no longer permits a session. */
export const ACCOUNT_ENDS = ['disabled', 'expired', 'quota', 'removed'] as const;
export type AccountEnd = (typeof ACCOUNT_ENDS)[number];

/** A session that has to end. */
export interface AccountOver {
  readonly session: string;
  readonly why: AccountEnd;
}

export type WireVerdict =
  | {
      readonly accepted: true;
      readonly message: string;
      /** MPPE start keys (RFC 3079), hexadecimal: 16 octets, `weak` 8. */
      readonly keys: RadiusKeys | null;
      /** The address that the client gets; null: none, or one of `remoteChoices`. */
      readonly remote: string | null;
      /** Networks (`192.0.2.0/24`) from which a client may choose, when neither lease nor account has an address. */
      readonly remoteChoices: readonly string[];
      /** null: what the configuration's `policy` says. */
      readonly limits: WireLimits | null;
    }
  | {
      readonly accepted: false;
      /** RFC 2759 §6. */
      readonly code: number;
      /** The challenge for another try, hexadecimal; null: there is none (no guesses left, or not MS-CHAP). */
      readonly retryChallenge: string | null;
      readonly message: string;
    };

export type MonitorAnswer =
  | { readonly type: 'done' }
  | { readonly type: 'announced'; readonly version: string; readonly supervisor: ProcessIdentity }
  /** Hexadecimal. */
  | { readonly type: 'challenge'; readonly challenge: string }
  | { readonly type: 'verdict'; readonly verdict: WireVerdict }
  | { readonly type: 'device'; readonly name: string }
  /** A part of them, where they are many. */
  | { readonly type: 'reviewed'; readonly over: readonly AccountOver[] }
  /** null: no rules are in force. */
  | { readonly type: 'network'; readonly report: NetworkReport | null }
  /** RADIUS has not judged the login; `servers`: who was to be asked. */
  | { readonly type: 'notJudged'; readonly problem: LoginProblem; readonly servers: string }
  /** The system refused a step: error name as in errno(3). */
  | { readonly type: 'failed'; readonly step: string; readonly code: string }
  | { readonly type: 'refused'; readonly reason: Refusal };
type AnswerType = MonitorAnswer['type'];

type Check = (fields: Fields) => string | null;

const isIdentity = (value: unknown): boolean =>
  isObject(value) &&
  isWhole(value['pid'], 1, 2 ** 31 - 1) &&
  typeof value['startTime'] === 'string' &&
  /^\d{1,20}$/.test(value['startTime']);
const IDENTIFIER = /^[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){3}$/;
const isIdentifier = (value: unknown): boolean =>
  typeof value === 'string' && IDENTIFIER.test(value) && /[1-9a-f]/.test(value);
const isPair = (value: unknown, isEnd: (end: unknown) => boolean): boolean =>
  value === null || (isObject(value) && isEnd(value['local']) && isEnd(value['remote']));
const isSession = (value: unknown): boolean => typeof value === 'string' && isSessionId(value);
const isMethod = (value: unknown): boolean => LOGIN_METHODS.some((method) => method === value);
const isPort = (value: unknown): boolean => isWhole(value, 1, 65_535);
const isServer = (value: unknown): boolean =>
  isObject(value) &&
  isAddress(value['address']) &&
  isPort(value['authPort']) &&
  isPort(value['acctPort']) &&
  isText(value['secretFile'], 1024) &&
  typeof value['timeout'] === 'number' &&
  isWhole(value['tries'], 1, 100);
const isDynamic = (value: unknown): boolean =>
  isObject(value) &&
  isPort(value['port']) &&
  Array.isArray(value['clients']) &&
  value['clients'].every((each) => isObject(each) && isAddress(each['address']) && isText(each['secretFile'], 1024));
const isRadius = (value: unknown): boolean =>
  isObject(value) &&
  Array.isArray(value['servers']) &&
  value['servers'].every(isServer) &&
  isText(value['nasIdentifier'], 253) &&
  typeof value['requireMessageAuthenticator'] === 'boolean' &&
  (value['dynamic'] === undefined || isDynamic(value['dynamic'])) &&
  (value['accounting'] === undefined ||
    (isObject(value['accounting']) && isWhole(value['accounting']['interim'], 0, 86_400)));
const isPath = (value: unknown): boolean => isText(value, 1024) && value.startsWith('/');
const isTexts = (value: unknown, most: number): boolean =>
  Array.isArray(value) && value.length <= 20 && value.every((each) => isText(each, most));
const isListen = (value: unknown): boolean =>
  isObject(value) &&
  isAddress(value['address']) &&
  isPort(value['port']) &&
  (value['socket'] === undefined || isPath(value['socket'])) &&
  isTexts(value['names'], 253) &&
  isTexts(value['proxies'], 18);
const isUserPlace = (value: unknown): boolean =>
  isObject(value) &&
  isPath(value['file']) &&
  isText(value['server'], 255) &&
  (value['kind'] === 'secrets' || (value['kind'] === 'accounts' && isPath(value['secrets'])));
const isConsole = (value: unknown): boolean =>
  isObject(value) &&
  isListen(value['listen']) &&
  (value['tls'] === null ||
    (isObject(value['tls']) && isPath(value['tls']['certificate']) && isPath(value['tls']['key']))) &&
  isPath(value['users']) &&
  isWhole(value['gid'], 0, 2 ** 32 - 2) &&
  isPath(value['configuration']) &&
  (value['accounting'] === null || isPath(value['accounting'])) &&
  isUserPlace(value['userPlace']);
export const isSettings = (value: unknown): value is MonitorSettings =>
  isObject(value) &&
  isText(value['secrets'], 1024) &&
  value['secrets'].startsWith('/') &&
  isText(value['accounts'], 1024) &&
  value['accounts'].startsWith('/') &&
  isText(value['name'], 255) &&
  typeof value['stripDomain'] === 'boolean' &&
  Array.isArray(value['authentication']) &&
  value['authentication'].every(isMethod) &&
  typeof value['proxyArp'] === 'boolean' &&
  (value['vrf'] === null || isText(value['vrf'], 15)) &&
  (value['logwtmp'] === undefined || typeof value['logwtmp'] === 'boolean') &&
  (value['network'] === undefined || isNetworkSettings(value['network'])) &&
  (value['radius'] === undefined || isRadius(value['radius'])) &&
  (value['console'] === undefined || isConsole(value['console']));

/** Octets of a name or a challenge (RFC 1994 §4.1), and of a response. */
const MAX_FIELD = 255;

const registrationFault = wrongField({
  session: isSession,
  worker: isIdentity,
  engine: (value) => value === undefined || value === 'pppd',
  local: (value) => value === null || isAddress(value),
  remote: (value) => value === null || isAddress(value),
  peer: isAddress,
  server: isAddress,
  callId: (value) => isWhole(value, 1, 65_535),
});

const REQUESTS: { readonly [T in RequestType]: Check } = {
  announce: wrongField({ manager: isIdentity, settings: isSettings }),
  register: (fields) =>
    registrationFault(fields) ?? (fields['local'] === null && fields['engine'] === undefined ? 'local' : null),
  release: wrongField({ session: isSession }),
  review: () => null,
  network: () => null,
  serve: wrongField({ session: isSession }),
  challenge: wrongField({ method: (value) => isMethod(value) && value !== 'pap' }),
  authenticate: wrongField({
    method: isMethod,
    name: (value) => isHex(value, 0, MAX_FIELD),
    challenge: (value) => isHex(value, 0, MAX_FIELD),
    response: (value) => isHex(value, 0, MAX_FIELD),
    identifier: (value) => isWhole(value, 0, 255),
  }),
  openTun: () => null,
  openKernel: wrongField({ peerCallId: (value) => isWhole(value, 0, 65_535) }),
  configure: wrongField({
    mtu: (value) => isWhole(value, 68, 1500),
    ipv4: (value) => isPair(value, isAddress),
    ipv6: (value) => isPair(value, isIdentifier),
  }),
  close: wrongField({ cause: (value) => value === undefined || isWhole(value, 1, 18) }),
};

const isChallenge = (value: unknown): boolean => isHex(value, 1, 16);
const isLimit = (value: unknown): boolean =>
  value === null || (typeof value === 'number' && value >= 0 && value <= MAX_TIMER_SECONDS);
const isLimits = (value: unknown): boolean =>
  value === null ||
  (isObject(value) &&
    (value['account'] === null || isText(value['account'], MAX_FIELD)) &&
    isLimit(value['sessions']) &&
    isLimit(value['sessionTime']) &&
    isLimit(value['idleTime']) &&
    (value['filter'] == null || isText(value['filter'], MAX_FIELD)));
const isOver = (value: unknown): boolean =>
  isObject(value) && isSession(value['session']) && ACCOUNT_ENDS.some((why) => why === value['why']);
const isTime = (value: unknown): boolean => isWhole(value, 0, Number.MAX_SAFE_INTEGER);
const isReport = (value: unknown): boolean =>
  value === null ||
  (isObject(value) &&
    (value['table'] === null || isText(value['table'], 40)) &&
    TABLE_STATES.some((state) => state === value['state']) &&
    typeof value['forwarding'] === 'boolean' &&
    Array.isArray(value['masquerade']) &&
    value['masquerade'].every((name) => isText(name, 15)) &&
    isTime(value['since']) &&
    (value['restored'] === null || isRestored(value['restored'])));
const isRestored = (value: unknown): boolean =>
  isObject(value) &&
  isWhole(value['count'], 1, Number.MAX_SAFE_INTEGER) &&
  isTime(value['at']) &&
  typeof value['why'] === 'string' &&
  Object.hasOwn(RESTORATIONS, value['why']);
const isVerdict = (value: unknown): boolean => {
  if (!isObject(value) || typeof value['message'] !== 'string') return false;
  if (value['accepted'] === false)
    return isWhole(value['code'], 1, 999) && (value['retryChallenge'] === null || isChallenge(value['retryChallenge']));
  return (
    value['accepted'] === true &&
    (value['keys'] === null || isKeys(value['keys'])) &&
    (value['remote'] === null || isAddress(value['remote'])) &&
    Array.isArray(value['remoteChoices']) &&
    value['remoteChoices'].every((network) => isText(network, 18)) &&
    isLimits(value['limits'])
  );
};

const ANSWERS: { readonly [T in AnswerType]: Check } = {
  done: () => null,
  announced: wrongField({ version: (value) => isText(value, 100), supervisor: isIdentity }),
  challenge: wrongField({ challenge: isChallenge }),
  verdict: wrongField({ verdict: isVerdict }),
  device: wrongField({ name: (value) => isText(value, 15) }),
  reviewed: wrongField({ over: (value) => Array.isArray(value) && value.every(isOver) }),
  network: wrongField({ report: isReport }),
  notJudged: wrongField({
    problem: (value) => typeof value === 'string' && Object.hasOwn(LOGIN_PROBLEMS, value),
    servers: (value) => isText(value, 300),
  }),
  failed: wrongField({ step: (value) => isText(value, 2000), code: (value) => isText(value, 40) }),
  refused: wrongField({ reason: (value) => typeof value === 'string' && Object.hasOwn(REFUSALS, value) }),
};

/** Bytes of a message; `id` pairs an answer with its request, 0 where none could be read. */
export const encodeMessage = (id: number, message: MonitorRequest | MonitorAnswer): Buffer =>
  Buffer.from(JSON.stringify({ ...message, v: MONITOR_VERSION, id }));

export type Decoded<M> =
  | { readonly ok: true; readonly id: number; readonly message: M }
  | { readonly ok: false; readonly id: number; readonly reason: Refusal; readonly detail: string };

function decode<M>(octets: Uint8Array, checks: Readonly<Record<string, Check>>): Decoded<M> {
  let fields: unknown;
  try {
    fields = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(octets));
  } catch {
    return { ok: false, id: 0, reason: 'malformed', detail: 'not JSON' };
  }
  if (!isObject(fields)) return { ok: false, id: 0, reason: 'malformed', detail: 'not an object' };
  const { id, v, type } = fields;
  if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 0)
    return { ok: false, id: 0, reason: 'malformed', detail: 'id' };
  if (v !== MONITOR_VERSION) return { ok: false, id, reason: 'version', detail: 'v' };
  const check = typeof type === 'string' && Object.hasOwn(checks, type) ? checks[type] : undefined;
  if (check === undefined) return { ok: false, id, reason: 'malformed', detail: 'type' };
  const detail = check(fields);
  if (detail !== null) return { ok: false, id, reason: 'malformed', detail };
  return { ok: true, id, message: fields as M };
}

/** A message that arrived at the monitor; never throws. */
export const decodeRequest = (octets: Uint8Array): Decoded<MonitorRequest> => decode(octets, REQUESTS);

/** A message from the monitor; never throws. */
export const decodeAnswer = (octets: Uint8Array): Decoded<MonitorAnswer> => decode(octets, ANSWERS);
