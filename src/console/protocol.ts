/**
 * The protocol between monitor and console: one JSON object per line. The monitor sends the settings first. The console
 * reads the network, so the monitor, which is root, checks everything that it sends.
 */

/** Longest request of the console, octets. */
export const MAX_CONSOLE_REQUEST = 16_384;
/** Longest answer: tens of thousands of users. */
export const MAX_CONSOLE_ANSWER = 64 * 1024 * 1024;

/** The configuration's section `console`, without what only root may read. */
export interface ConsoleListen {
  readonly address: string;
  readonly port: number;
  /** Unix socket in place of address and port. */
  readonly socket?: string | undefined;
  readonly names: readonly string[];
  readonly proxies: readonly string[];
}

/** A certificate and its key, PEM. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

/** What the console is told when it starts. */
export interface ConsoleSettings extends ConsoleListen {
  /** null: HTTP. */
  readonly tls: Certificate | null;
  readonly runDirectory: string;
  /** The configuration file. */
  readonly configuration: string;
  /** The accounting file; null: ended sessions are not recorded. */
  readonly accounting: string | null;
}

/** What the console may ask root for. */
export type RootRequest =
  /** An operation on the VPN's users (users/user-requests). */
  | { readonly ask: 'users'; readonly request: unknown }
  /** A user of the console, for a login. */
  | { readonly ask: 'consoleUser'; readonly name: string }
  /** A token of the console by its SHA-256, hexadecimal. */
  | { readonly ask: 'consoleToken'; readonly hash: string }
  /** What `pptpd-ts doctor --json` prints. */
  | { readonly ask: 'doctor' };

/** Kinds of refusals: those of users/user-store, what is malformed, and what failed. */
export type RefusalKind = 'unknown' | 'known' | 'refused' | 'malformed' | 'failed';

/** What the console is told when the files of its certificate have changed. */
export interface Renewal {
  readonly renewed: Certificate;
}

export type RootAnswer =
  | { readonly id: number; readonly ok: true; readonly result: unknown }
  | { readonly id: number; readonly ok: false; readonly kind: RefusalKind; readonly error: string };

const MAX_NAME = 255;
const SHA256 = /^[0-9a-f]{64}$/;

/** A line from the console; null: it is not a request. */
export function readRootRequest(line: unknown): (RootRequest & { readonly id: number }) | null {
  const fields: Record<string, unknown> = typeof line === 'object' && line !== null ? { ...line } : {};
  const { id, ask } = fields;
  if (typeof id !== 'number' || !Number.isSafeInteger(id)) return null;
  switch (ask) {
    case 'users':
      return { id, ask, request: fields['request'] };
    case 'consoleUser': {
      const { name } = fields;
      return typeof name === 'string' && name.length <= MAX_NAME ? { id, ask, name } : null;
    }
    case 'consoleToken': {
      const { hash } = fields;
      return typeof hash === 'string' && SHA256.test(hash) ? { id, ask, hash } : null;
    }
    case 'doctor':
      return { id, ask };
    default:
      return null;
  }
}
