/** What `access` reads in a request. */
import { isUtf8 } from 'node:buffer';
import type { Peer } from './client-address.js';
import { MAX_BODY, NO_LENGTH, type Refusal, TOO_LONG } from './refusals.js';
import type { ConsoleContext } from './who.js';

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD']);
/** A name and a password. */
const MAX_LOGIN_BODY = 4096;
/** One more than a user's name may have: a longer name cannot match. */
const MAX_NAME = 65;
const BEARER = /^Bearer ([\x21-\x7e]{1,200})$/i;

/** With a Content-Length, Node.js reads no more of the body than that. */
export function bodyRefusal(c: ConsoleContext): Refusal | null {
  if (c.req.header('transfer-encoding') !== undefined) return NO_LENGTH;
  return Number(c.req.header('content-length') ?? 0) > MAX_BODY ? TOO_LONG : null;
}

export const isSafe = (c: ConsoleContext): boolean => SAFE_METHODS.has(c.req.method);

export function peerOf(c: ConsoleContext): Peer {
  const { socket } = c.env.incoming;
  return { address: socket.remoteAddress ?? null, isTls: 'encrypted' in socket && socket.encrypted === true };
}

export const bearerOf = (c: ConsoleContext): string | null =>
  BEARER.exec(c.req.header('authorization') ?? '')?.[1] ?? null;

/** A form of another site cannot send this content type. */
export const saysJson = (c: ConsoleContext): boolean =>
  /^application\/json\b/i.test(c.req.header('content-type') ?? '');

/** null: the body is not a login. */
export async function credentialsOf(
  c: ConsoleContext,
): Promise<{ readonly name: string; readonly password: string } | null> {
  if (!saysJson(c)) return null;
  try {
    const octets = Buffer.from(await c.req.arrayBuffer());
    if (octets.length > MAX_LOGIN_BODY || !isUtf8(octets)) return null;
    const body: unknown = JSON.parse(octets.toString());
    if (typeof body !== 'object' || body === null || Array.isArray(body)) return null;
    const { name, password, ...rest } = body as Readonly<Record<string, unknown>>;
    if (typeof name !== 'string' || typeof password !== 'string' || Object.keys(rest).length > 0) return null;
    return { name: name.slice(0, MAX_NAME), password };
  } catch {
    return null;
  }
}
