/** Search, order and the rows of the sessions' table. Pure. */
import type { SessionRow } from '../../api/schemas.js';

export const COLUMNS = ['user', 'address', 'client', 'since', 'down', 'up', 'total', 'encryption'] as const;
export type Column = (typeof COLUMNS)[number];

export interface Order {
  readonly column: Column;
  readonly descending: boolean;
}

/** What a click on a heading means first: names from A, amounts from the greatest. */
export const FIRST_DESCENDING: Readonly<Record<Column, boolean>> = {
  user: false,
  address: false,
  client: false,
  since: true,
  down: true,
  up: true,
  total: true,
  encryption: false,
};

/** The order after a click on this column's heading. */
export const clicked = (order: Order, column: Column): Order =>
  order.column === column
    ? { column, descending: !order.descending }
    : { column, descending: FIRST_DESCENDING[column] };

/** A number in the order of addresses; null last. */
function addressKey(address: string | null): number {
  const parts = address?.split('.').map(Number) ?? [];
  return parts.length === 4 ? parts.reduce((sum, part) => sum * 256 + part, 0) : Number.POSITIVE_INFINITY;
}

const KEYS: Readonly<Record<Column, (row: SessionRow) => string | number>> = {
  // Without a name last.
  user: ({ user }) => user?.toLowerCase() ?? '\uffff',
  address: ({ address }) => addressKey(address),
  client: ({ client }) => addressKey(client),
  // Descending: the newest first.
  since: ({ since }) => since,
  down: ({ txRate }) => txRate ?? -1,
  up: ({ rxRate }) => rxRate ?? -1,
  total: ({ rxBytes, txBytes }) => rxBytes + txBytes,
  encryption: ({ encryption }) => encryption ?? '',
};

export function ordered(rows: readonly SessionRow[], { column, descending }: Order): SessionRow[] {
  const key = KEYS[column];
  const sign = descending ? -1 : 1;
  const compare = (a: string | number, b: string | number): number => (a < b ? -1 : a > b ? 1 : 0);
  return (
    rows
      .map((row) => ({ row, key: key(row) }))
      // Equal ones keep a fixed order, so that rows do not change places at every update.
      .toSorted((a, b) => sign * compare(a.key, b.key) || compare(a.row.id, b.row.id))
      .map(({ row }) => row)
  );
}

/** Rows that contain every word of the search, in user, addresses, id or interface. Case does not matter. */
export function found(rows: readonly SessionRow[], search: string): readonly SessionRow[] {
  const words = search
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  if (words.length === 0) return rows;
  return rows.filter((row) => {
    const text = [row.user, row.client, row.address, row.id, row.interface, row.phase].join(' ').toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
