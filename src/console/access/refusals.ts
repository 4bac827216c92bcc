/** The answers to requests that the console refuses, each a sentence and, where there is one, what to do. */
import type { Context } from 'hono';
import type { Who } from './who.js';

export type Refusal = {
  readonly status: 400 | 401 | 403 | 411 | 413 | 429 | 503;
  readonly error: string;
  readonly remedy?: string;
};

export const refuse = (c: Context, { status, error, remedy }: Refusal): Response =>
  c.json({ error, ...(remedy === undefined ? {} : { remedy }) }, status);

export const NO_LOGIN: Refusal = { status: 401, error: 'not logged in', remedy: 'log in again' };
export const WRONG_LOGIN: Refusal = { status: 401, error: 'the name or the password is wrong' };
export const WRONG_TOKEN: Refusal = {
  status: 401,
  error: 'unknown token',
  remedy: 'make one: pptpd-ts console token add NAME',
};
export const BUSY: Refusal = { status: 503, error: 'too many logins at the same time', remedy: 'try again' };
export const NO_USERS: Refusal = {
  status: 503,
  error: 'the users of the console cannot be read now',
  remedy: "see the server's log",
};
export const BAD_LOGIN: Refusal = {
  status: 400,
  error: 'the body is not a login; allowed: a JSON object with the strings name and password',
};
export const FOREIGN_HOST: Refusal = {
  status: 403,
  error: 'the console does not serve this host name',
  remedy: 'add it to console.names in the configuration',
};
export const FOREIGN_ORIGIN: Refusal = { status: 403, error: 'a page of another site sent the request' };
export const NO_CSRF: Refusal = {
  status: 403,
  error: 'the header X-CSRF-Token is missing or wrong',
  remedy: 'reload the page',
};
/** Longest body, octets. */
export const MAX_BODY = 65_536;
export const TOO_LONG: Refusal = { status: 413, error: `the request is longer than ${MAX_BODY} octets` };
export const NO_LENGTH: Refusal = {
  status: 411,
  error: 'the request has no Content-Length',
  remedy: 'send Content-Length',
};
export const adminOnly = ({ name, by }: Who): Refusal => ({
  status: 403,
  error: `${name} has the role view, which may not change or capture`,
  remedy:
    by === 'token'
      ? 'make another token: pptpd-ts console token add NAME --role admin'
      : `pptpd-ts console user role ${name} admin`,
});
export const locked = (seconds: number): Refusal => ({
  status: 429,
  error: `too many failed logins; try again in ${seconds} s`,
});
