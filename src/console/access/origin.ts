/**
 * Whether a request is meant for this console and comes from its own page. A page of another site can make browsers send
 * requests to any address, and can let its own name point to this machine (DNS rebinding). Pure.
 */
import { isIP } from 'node:net';

export interface OriginSettings {
  /** In lower case. */
  readonly names: readonly string[];
  /** No other name than these and `localhost`. */
  readonly isStrict: boolean;
}

const HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]{1,253})(?::\d{1,5})?$/;

/** The name in a Host header, without the port; null: nonsense. */
function nameOf(host: string): string | null {
  const [, name] = HOST.exec(host.toLowerCase()) ?? [];
  return name?.replace(/^\[|\]$/g, '') ?? null;
}

/** Addresses need no permission: another site's name can be pointed here, an address cannot. */
export function isOwnHost(host: string | undefined, { names, isStrict }: OriginSettings): boolean {
  const name = nameOf(host ?? '');
  if (name === null) return false;
  return !isStrict || name === 'localhost' || isIP(name) !== 0 || names.includes(name);
}

export interface Origins {
  readonly host: string | undefined;
  /** The headers Origin and Sec-Fetch-Site; programs other than browsers send neither. */
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
}

/** Whether the request was made by the console's own page, by its user, or by no browser. */
export function isOwnOrigin({ host, origin, fetchSite }: Origins, { names }: OriginSettings): boolean {
  if (fetchSite === 'same-origin') return true;
  if (fetchSite !== undefined && fetchSite !== 'none') return false;
  if (origin === undefined) return true;
  if (!URL.canParse(origin)) return false;
  const { host: from, hostname } = new URL(origin);
  return from === host?.toLowerCase() || names.includes(hostname);
}
