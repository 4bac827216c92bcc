/** Sessions selected by user, client and tunnel address in a query. */
import type * as z from 'zod';
import { addressesIn, type Selection } from '../../admin/selection.js';
import type { sessionQuery } from './schemas.js';

type Query = { readonly [Key in keyof z.output<typeof sessionQuery>]?: string | undefined };

export function selectionOf({ user, client, address }: Query): Selection {
  const [clients, addresses] = [client, address].map((text) => (text === undefined ? null : addressesIn(text)));
  return {
    ...(user === undefined ? {} : { user }),
    ...(clients == null ? {} : { client: clients }),
    ...(addresses == null ? {} : { address: addresses }),
  };
}
