/** Makes a RADIUS request of a login, and a verdict of the answer: methods, keys, address and limits. Pure. */
import { type StartKeys, startKeysOfHashes, STRONG_KEY } from '../mschap/start-keys.js';
import { type Attribute, MAX_VALUE, valueOf, valuesOf } from './attributes.js';
import type { Answer, RadiusServer, Reply } from './client.js';
import { hidePassword, MAX_PASSWORD, showChapKeys, showKey } from './hidden-values.js';
import { CODES } from './packet.js';
import { parseFramedRoute } from './framed-route.js';
import { FRAMED, nasAttributes, PPP } from './nas-attributes.js';
import {
  CHOSEN_HERE,
  type FramedRoute,
  type LoginProblem,
  MAX_CLASSES,
  MAX_NOTES,
  MAX_ROUTES,
  type RadiusKeys,
  type RadiusLogin,
  type RadiusVerdict,
} from './protocol.js';
import { rateOf } from './rate-limit.js';

/** As the client sent it, and where it came from. */
export interface Login extends Pick<RadiusLogin, 'method' | 'identifier' | 'port' | 'client'> {
  readonly name: Uint8Array;
  readonly challenge: Uint8Array;
  readonly response: Uint8Array;
}

export const loginOf = (wire: RadiusLogin): Login => ({
  ...wire,
  name: Buffer.from(wire.name, 'hex'),
  challenge: Buffer.from(wire.challenge, 'hex'),
  response: Buffer.from(wire.response, 'hex'),
});

/** RFC 2759 §6. */
const AUTHENTICATION_FAILURE = 691;
/** Of the client's response to MS-CHAP, octets (RFC 2759 §4, RFC 2433 §3). */
const FLAGS_AT = 48;
const RESPONSE = 49;
/** `S=` and 40 digits (RFC 2759 §5). */
const PROOF = /^S=[0-9A-F]{40}/;
/** Longest text for the client, characters. */
const MAX_MESSAGE = 200;

const NO_POOLS =
  'this server has no pools with names; remedy: let the RADIUS server choose the address, and send it as Framed-IP-Address';

/** Characters of a server's value that a log line quotes. */
const MAX_QUOTED = 80;

type Server = Pick<RadiusServer, 'secret'>;
type Method = Login['method'];

const METHODS: Readonly<
  Record<Method, (login: Login, server: Server, authenticator: Uint8Array) => readonly Attribute[]>
> = {
  'ms-chap-v2': ({ challenge, response, identifier }) => [
    ['MS-CHAP-Challenge', challenge],
    // The client's challenge, 8 reserved octets and its proof; the flags stand in front (RFC 2548 §2.3.2).
    ['MS-CHAP2-Response', Buffer.concat([Uint8Array.of(identifier, 0), response.subarray(0, FLAGS_AT)])],
  ],
  'ms-chap': ({ challenge, response, identifier }) => [
    ['MS-CHAP-Challenge', challenge],
    [
      'MS-CHAP-Response',
      Buffer.concat([Uint8Array.of(identifier, response[FLAGS_AT] ?? 0), response.subarray(0, FLAGS_AT)]),
    ],
  ],
  'chap-md5': ({ challenge, response, identifier }) => [
    ['CHAP-Password', Buffer.concat([Uint8Array.of(identifier), response])],
    ['CHAP-Challenge', challenge],
  ],
  pap: ({ response }, { secret }, authenticator) => [
    ['User-Password', hidePassword(response, { secret, authenticator })],
  ],
};

/** Whether the login fits into a RADIUS request. */
export const isAskable = ({ method, name, response }: Login): boolean =>
  name.length > 0 &&
  name.length <= MAX_VALUE &&
  (method === 'pap' ? response.length <= MAX_PASSWORD : method === 'chap-md5' || response.length === RESPONSE);

export function loginAttributes(
  login: Login,
  nasIdentifier: string,
  server: Server,
  authenticator: Uint8Array,
): readonly Attribute[] {
  return [
    ['User-Name', login.name],
    ...METHODS[login.method](login, server, authenticator),
    ...nasAttributes(login, nasIdentifier),
  ];
}

/** What a server's answer, or the lack of one, means for the login. */
export function verdictOf(login: Login, answer: Answer): RadiusVerdict {
  if (!answer.answered) return { outcome: 'failed', problem: problemOf(answer) };
  const { reply } = answer;
  switch (reply.packet.code) {
    case CODES.accessAccept:
      return accepted(login, reply);
    case CODES.accessChallenge:
      return refusal('The RADIUS server sent a challenge, which PPP cannot answer', false);
    default:
      return rejected(login, reply);
  }
}

function problemOf({ dropped }: Extract<Answer, { answered: false }>): LoginProblem {
  if (dropped.has('unsigned')) return 'unsigned';
  return dropped.has('forged') ? 'forged' : 'noAnswer';
}

/** RFC 2865 §5.6: a service that is not offered counts as an Access-Reject. */
const isOtherService = (attributes: readonly Attribute[]): boolean =>
  (valueOf(attributes, 'Service-Type') ?? FRAMED) !== FRAMED || (valueOf(attributes, 'Framed-Protocol') ?? PPP) !== PPP;

const refusal = (message: string, retry: boolean, code = AUTHENTICATION_FAILURE): RadiusVerdict => ({
  outcome: 'rejected',
  code,
  retry,
  message,
});

function accepted(login: Login, reply: Reply): RadiusVerdict {
  const { attributes } = reply.packet;
  if (isOtherService(attributes)) return refusal('The RADIUS server permits another service than PPP', false);
  const greeting = replyMessage(reply) ?? 'Welcome';
  const message = MESSAGES[login.method](reply, greeting);
  if (message === null) return { outcome: 'failed', problem: 'noProof' };
  return {
    outcome: 'accepted',
    message,
    keys: inHex(KEYS[login.method](login, reply)),
    address: valueOf(attributes, 'Framed-IP-Address'),
    sessionTime: valueOf(attributes, 'Session-Timeout'),
    idleTime: valueOf(attributes, 'Idle-Timeout'),
    classes: valuesOf(attributes, 'Class').slice(0, MAX_CLASSES).map(hex),
    interim: valueOf(attributes, 'Acct-Interim-Interval'),
    ...networkGrants(attributes),
  };
}

/** Routes, speed and filter, and what does not count: of them, or a pool. */
function networkGrants(
  attributes: readonly Attribute[],
): Pick<Extract<RadiusVerdict, { outcome: 'accepted' }>, 'routes' | 'rate' | 'filter' | 'notes'> {
  const routes: FramedRoute[] = [];
  const notes: string[] = [];
  const ignore = (name: string, value: string, problem: string): unknown =>
    notes.push(`ignored ${name} "${printable(value).slice(0, MAX_QUOTED)}": ${problem}`);
  for (const text of valuesOf(attributes, 'Framed-Route')) {
    const parsed = parseFramedRoute(text);
    if (!parsed.ok) ignore('Framed-Route', text, parsed.problem);
    else if (routes.length === MAX_ROUTES) ignore('Framed-Route', text, `a session has at most ${MAX_ROUTES} routes`);
    else routes.push(parsed.route);
  }
  const address = valueOf(attributes, 'Framed-IP-Address');
  // A RADIUS server that has chosen the address itself may name its pool, too.
  const pool = address === null || CHOSEN_HERE.includes(address) ? valueOf(attributes, 'Framed-Pool') : null;
  if (pool !== null) ignore('Framed-Pool', pool, NO_POOLS);
  const { rate, unreadable } = rateOf(attributes);
  if (unreadable !== null) ignore('Mikrotik-Rate-Limit', unreadable, 'it is not RX/TX in bits per second');
  // As with pppd's radius.so, the last one counts.
  const filter = printable(valuesOf(attributes, 'Filter-Id').at(-1) ?? '');
  return { routes, rate, filter: filter === '' ? null : filter, notes: notes.slice(0, MAX_NOTES) };
}

/** What the client is sent; null: the answer lacks what its method needs. */
const MESSAGES: Readonly<Record<Method, (reply: Reply, greeting: string) => string | null>> = {
  'ms-chap-v2': ({ packet }, greeting) => {
    // The first octet is CHAP's identifier (RFC 2548 §2.3.3).
    const success = Buffer.from(valueOf(packet.attributes, 'MS-CHAP2-Success')?.subarray(1) ?? []).toString('latin1');
    const [proof] = PROOF.exec(success) ?? [];
    return proof === undefined ? null : `${proof} M=${greeting}`;
  },
  'ms-chap': (_reply, greeting) => greeting,
  'chap-md5': (_reply, greeting) => greeting,
  pap: (_reply, greeting) => greeting,
};

type Keys = (login: Login, reply: Reply) => StartKeys | null;
const KEYS: Readonly<Record<Method, Keys>> = {
  'ms-chap-v2': (_login, reply) => {
    const [send, receive] = (['MS-MPPE-Send-Key', 'MS-MPPE-Recv-Key'] as const).map((name) => {
      const value = valueOf(reply.packet.attributes, name);
      return value === null ? null : showKey(value, STRONG_KEY, reply);
    });
    return send == null || receive == null ? null : { send, receive, weak: null };
  },
  'ms-chap': ({ challenge }, reply) => {
    const value = valueOf(reply.packet.attributes, 'MS-CHAP-MPPE-Keys');
    const keys = value === null ? null : showChapKeys(value, reply);
    if (keys === null) return null;
    return startKeysOfHashes(keys.nt, keys.lm.some((octet) => octet !== 0) ? keys.lm : null, challenge);
  },
  'chap-md5': () => null,
  pap: () => null,
};

const hex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex');

const inHex = (keys: StartKeys | null): RadiusKeys | null =>
  keys && { send: hex(keys.send), receive: hex(keys.receive), weak: keys.weak && hex(keys.weak) };

function rejected({ method }: Login, reply: Reply): RadiusVerdict {
  const error = valueOf(reply.packet.attributes, 'MS-CHAP-Error');
  const fields = error === null ? null : errorFields(error);
  const message = replyMessage(reply) ?? fields?.message ?? 'Access denied';
  return refusal(message, method.startsWith('ms-chap') && (fields?.retry ?? true), fields?.code);
}

/** `E=691 R=1 C=… V=3 M=text` behind an identifier (RFC 2548 §2.3.4, RFC 2759 §6). */
function errorFields(error: Uint8Array): { code: number | undefined; retry: boolean; message: string | undefined } {
  const text = Buffer.from(error.subarray(1)).toString('utf8');
  const code = Number(/\bE=(\d{1,3})\b/.exec(text)?.[1] ?? Number.NaN);
  const message = /\bM=(.+)$/s.exec(text)?.[1];
  return {
    code: code > 0 ? code : undefined,
    retry: /\bR=1\b/.test(text),
    message: message === undefined ? undefined : printable(message),
  };
}

function replyMessage({ packet }: Reply): string | null {
  const text = printable(valuesOf(packet.attributes, 'Reply-Message').join(' '));
  return text === '' ? null : text;
}

/** For the client's screen and for our log: control characters become spaces. */
const printable = (text: string): string =>
  Array.from(text.replaceAll(/\p{C}+/gu, ' ').trim())
    .slice(0, MAX_MESSAGE)
    .join('');
