/** Where the users are, as data that one process can tell another, and the store that changes them. */
import { AccountsStore } from './accounts-store.js';
import { SecretsStore } from './secrets-store.js';
import type { UserStore } from './user-store.js';

export type UserPlace =
  /** Of the builtin engine; `secrets` and `server`: `ppp.secrets`, and the server's name in its second column. */
  | { readonly kind: 'accounts'; readonly file: string; readonly secrets: string; readonly server: string }
  /** Of pppd; `server`: pppd's own name, the second column. */
  | { readonly kind: 'secrets'; readonly file: string; readonly server: string };

export const openUserStore = (place: UserPlace): UserStore =>
  place.kind === 'accounts' ? new AccountsStore(place) : new SecretsStore(place.file, place.server);
