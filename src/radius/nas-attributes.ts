/** What every request says about this server and the client's connection to it. Pure. */
import type { Attribute } from './attributes.js';

/** RFC 2865 §5.6, §5.7, §5.41; RFC 2868 §3.1, §3.2. */
export const FRAMED = 2;
export const PPP = 1;
const VIRTUAL = 5;
const PPTP = 1;
const IPV4 = 1;

export interface Connection {
  /** N of the session's interface pppN; null without one. */
  readonly port: number | null;
  /** The client's address. */
  readonly client: string;
}

export function nasAttributes({ port, client }: Connection, nasIdentifier: string): readonly Attribute[] {
  const unit: readonly Attribute[] =
    port === null
      ? []
      : [
          ['NAS-Port', port],
          ['NAS-Port-Id', `ppp${port}`],
        ];
  return [
    ['NAS-Identifier', nasIdentifier],
    ...unit,
    ['NAS-Port-Type', VIRTUAL],
    ['Service-Type', FRAMED],
    ['Framed-Protocol', PPP],
    ['Calling-Station-Id', client],
    ['Tunnel-Type', PPTP],
    ['Tunnel-Medium-Type', IPV4],
  ];
}
