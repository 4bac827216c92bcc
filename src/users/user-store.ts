/** The users that `pptpd-ts users` works on: of the accounts file, or of pppd's chap-secrets. */
import type { Hindrance } from './expiry.js';
import type { Quota } from './quota.js';
import type { User } from './user.js';

/** What an administrator sets besides name and password. */
export const FIELDS = [
  'address',
  'expires',
  'expiresAfter',
  'sessions',
  'sessionTime',
  'idleTime',
  'speed',
  'quota',
  'routes',
  'note',
] as const;
export type Field = (typeof FIELDS)[number];

/** A field that is left out stays as it is; null removes it. */
export type FieldChanges = { readonly [Key in Field]?: Exclude<User[Key], undefined> | null };

/** `beginsAnew`: ISO 8601; null: never. */
export interface ShownQuota extends Quota {
  readonly used: number;
  readonly left: number;
  readonly beginsAnew: string | null;
}

/** A user as it is shown: without secrets. Of a user of a secrets file all but the first fields are null. */
export interface ShownUser {
  readonly name: string;
  readonly file: string;
  /** null: it can log in. */
  readonly hindrance: Hindrance | null;
  /** The fourth column of a secrets file may be a list. */
  readonly address: string | null;
  /** ISO 8601; null: never, or not before the first login. */
  readonly expires: string | null;
  readonly expiresAfter: number | null;
  readonly firstLogin: string | null;
  readonly sessions: number | null;
  readonly sessionTime: number | null;
  readonly idleTime: number | null;
  /** Bits per second; what is left out has no limit. */
  readonly speed: NonNullable<User['speed']> | null;
  readonly quota: ShownQuota | null;
  readonly routes: readonly string[] | null;
  readonly note: string | null;
  /** The file has the password itself, not only its hash. */
  readonly hasPassword: boolean;
}

export interface NewUser {
  readonly name: string;
  readonly password: string;
  /** Also keep the password itself, not only its hash. */
  readonly storePassword: boolean;
  readonly fields: FieldChanges;
}

/** Every function rejects with a sentence for the administrator: a UserFault where it is about the user. */
export interface UserStore {
  /** The file that is changed. */
  readonly file: string;
  list(): Promise<readonly ShownUser[]>;
  add(user: NewUser): Promise<void>;
  set(name: string, fields: FieldChanges): Promise<void>;
  setPassword(user: Omit<NewUser, 'fields'>): Promise<void>;
  setDisabled(name: string, isDisabled: boolean): Promise<void>;
  remove(name: string): Promise<void>;
  /** Sentences about a user that was just changed, such as that another file has the same name. */
  remarks(name: string): Promise<readonly string[]>;
  /** The server itself ends the sessions of a user who is disabled or removed. */
  readonly endsSessions: boolean;
  /** It keeps a hash of each password, and the password itself only for `storePassword`. */
  readonly storesHash: boolean;
  /** The fields that the file has a place for. */
  readonly keeps: ReadonlySet<Field>;
}

/** Why a change of a user was refused: there is no such user, there is one already, or it cannot be kept. */
export type UserFaultKind = 'unknown' | 'known' | 'refused';

export class UserFault extends Error {
  readonly kind: UserFaultKind;

  constructor(kind: UserFaultKind, sentence: string) {
    super(sentence);
    this.kind = kind;
  }
}

export const noUser = (name: string, file: string): UserFault =>
  new UserFault(
    'unknown',
    `there is no user ${JSON.stringify(name)} in ${file}; remedy: pptpd-ts users list shows all users`,
  );

export const userExists = (name: string, file: string): UserFault =>
  new UserFault(
    'known',
    `${file} already has a user ${JSON.stringify(name)}; remedy: change it: pptpd-ts users set, or pptpd-ts users passwd`,
  );
