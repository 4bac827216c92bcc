/** Who asks: the console's users and tokens as root knows them, and what `access` says of a request to the routes. */
import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import type { ConsoleRole } from '../../users/console-users.js';
import type { Login } from './logins.js';

/** How long the old role, password or token still counts after a change on the command line, ms. */
export const RECHECK_MS = 5000;

/** What root reads from the file of the console's users. Both reject when root does not answer. */
export interface ConsoleUsers {
  find(name: string): Promise<{ readonly name: string; readonly role: ConsoleRole; readonly password: string } | null>;
  /** By the token's SHA-256, in hexadecimal. */
  findToken(sha256: string): Promise<{ readonly name: string; readonly role: ConsoleRole } | null>;
}

export interface Who {
  readonly name: string;
  readonly role: ConsoleRole;
  readonly by: 'password' | 'token';
}

export interface ConsoleEnv {
  Bindings: HttpBindings;
  Variables: {
    who: Who;
    /** Set by a handler that changes something: what it did, for the log. */
    change: Readonly<Record<string, unknown>>;
    /** Without one the request came with a token. */
    login: Login | null;
  };
}

export type ConsoleContext = Context<ConsoleEnv>;
