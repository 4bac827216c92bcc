/** What is known of the rules of the section `network`, for `pptpd-ts status`. Pure. */

/** Why the table was restored. */
export const RESTORATIONS = {
  deleted: 'another program has deleted it',
  changed: 'another program has changed it',
  defaultRoute: 'the default route has changed',
} as const;
export type Restoration = keyof typeof RESTORATIONS;

/** How the kernel's table compares with the one that was put into force. */
export const TABLE_STATES = ['inForce', 'changed', 'missing'] as const;
export type TableState = (typeof TABLE_STATES)[number];

/** Times are milliseconds since the epoch, and begin with the monitor's process. */
export interface NetworkReport {
  /** Name of the nftables table; null: the section needs none. */
  readonly table: string | null;
  readonly state: TableState;
  /** Whether the kernel forwards IPv4 packets. */
  readonly forwarding: boolean;
  /** The interfaces through which packets of clients leave with this server's address. */
  readonly masquerade: readonly string[];
  /** When the rules were last put into force. */
  readonly since: number;
  /** How often the table was restored, and the last time; null: never. */
  readonly restored: { readonly count: number; readonly at: number; readonly why: Restoration } | null;
}
