/** The cookie with the secret of a browser's login. */
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { LIFE_MS } from './logins.js';
import type { ConsoleContext } from './who.js';

const COOKIE = 'pptpd-ts-console';

/** With HTTPS no other host of the domain can set a cookie of this name (`__Host-`). */
const nameOf = (isHttps: boolean): string => (isHttps ? `__Host-${COOKIE}` : COOKIE);

/** Empty: there is none. */
export const secretIn = (c: ConsoleContext, isHttps: boolean): string => getCookie(c, nameOf(isHttps)) ?? '';

export const keepSecret = (c: ConsoleContext, isHttps: boolean, secret: string): void =>
  setCookie(c, nameOf(isHttps), secret, {
    path: '/',
    httpOnly: true,
    sameSite: 'Strict',
    secure: isHttps,
    maxAge: LIFE_MS / 1000,
  });

export const forgetSecret = (c: ConsoleContext, isHttps: boolean): void =>
  void deleteCookie(c, nameOf(isHttps), { path: '/', secure: isHttps });
