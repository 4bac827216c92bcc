/** The users of the builtin engine: the accounts file, and beside it the secrets file, which is only read. */
import { usersIn } from '../accounts/chap-secrets-edit.js';
import { textOf } from '../accounts/pppd-words.js';
import { expiryOf, hindranceOf } from './expiry.js';
import { periodEnd, type Quota, type UsedOctets, usedOf } from './quota.js';
import { forgetUsage, noUsage, readUsage, usageFileOf, usedBy } from './usage-file.js';
import { hashOf, nameFault, type User } from './user.js';
import { changeUsers, textOfFile, usersOf } from './users-file.js';
import {
  type Field,
  type FieldChanges,
  FIELDS,
  type NewUser,
  noUser,
  type ShownQuota,
  type ShownUser,
  userExists,
  UserFault,
  type UserStore,
} from './user-store.js';

export interface AccountsStoreOptions {
  readonly file: string;
  /** Of the builtin engine: `ppp.secrets`, and the server's name in its second column. */
  readonly secrets: string;
  readonly server: string;
}

export class AccountsStore implements UserStore {
  readonly file: string;
  /** The manager asks the monitor every second. */
  readonly endsSessions = true;
  readonly storesHash = true;
  readonly keeps: ReadonlySet<Field> = new Set(FIELDS);
  readonly #options: AccountsStoreOptions;

  constructor(options: AccountsStoreOptions) {
    this.#options = options;
    this.file = options.file;
  }

  async list(): Promise<readonly ShownUser[]> {
    const text = textOfFile(this.file, 'utf8');
    const users = text === null ? [] : usersOf(this.file, text);
    const names = new Set(users.map(({ name }) => name));
    const now = Date.now();
    const usage = readUsage(usageFileOf(this.file)) ?? noUsage();
    return [
      ...users.map((user) => shown(user, { file: this.file, now, used: usedBy(usage, user.name) })),
      ...this.#inSecrets().filter(({ name }) => !names.has(name)),
    ];
  }

  async add({ name, password, storePassword, fields }: NewUser): Promise<void> {
    const fault = nameFault(name);
    if (fault !== null) throw new UserFault('refused', fault);
    const added = changed({ name, ...secretsOf(password, storePassword) }, fields);
    await changeUsers(this.file, (users) => {
      if (users.some((user) => user.name === name)) throw userExists(name, this.file);
      return { users: [...users, added], result: null };
    });
  }

  async set(name: string, fields: FieldChanges): Promise<void> {
    await this.#change(name, (user) => changed(user, fields));
  }

  async setPassword({ name, password, storePassword }: Omit<NewUser, 'fields'>): Promise<void> {
    await this.#change(name, ({ password: _old, ntHash: _hash, ...user }) => ({
      ...user,
      ...secretsOf(password, storePassword),
    }));
  }

  async setDisabled(name: string, isDisabled: boolean): Promise<void> {
    await this.#change(name, ({ disabled: _disabled, ...user }) => (isDisabled ? { ...user, disabled: true } : user));
  }

  async remove(name: string): Promise<void> {
    await changeUsers(this.file, (users) => {
      const kept = users.filter((user) => user.name !== name);
      if (kept.length === users.length) throw this.#unknown(name);
      return { users: kept, result: null };
    });
    await forgetUsage(usageFileOf(this.file), name);
  }

  async remarks(name: string): Promise<readonly string[]> {
    const isThere = (await this.list()).find((user) => user.name === name)?.file === this.file;
    if (isThere || !this.#inSecrets().some((user) => user.name === name)) return [];
    return [
      `${JSON.stringify(name)} is also in ${this.#options.secrets}, and can still log in; remedy: remove that line`,
    ];
  }

  async #change(name: string, change: (user: User) => User): Promise<void> {
    await changeUsers(this.file, (users) => {
      if (!users.some((user) => user.name === name)) throw this.#unknown(name);
      return { users: users.map((user) => (user.name === name ? change(user) : user)), result: null };
    });
  }

  #unknown(name: string): Error {
    if (!this.#inSecrets().some((user) => user.name === name)) return noUser(name, this.file);
    return new UserFault(
      'refused',
      `${JSON.stringify(name)} is only in ${this.#options.secrets}, which this command does not change with the builtin ` +
        'engine; remedy: copy its users to the accounts file: pptpd-ts users import',
    );
  }

  #inSecrets(): ShownUser[] {
    const { secrets, server } = this.#options;
    return usersIn(textOfFile(secrets, 'latin1') ?? '', server)
      .filter(({ isDisabled }) => !isDisabled)
      .map((user) => shownSecret(user, secrets));
  }
}

/** A user of a secrets file. */
export const shownSecret = (
  { name, isDisabled, addresses }: ReturnType<typeof usersIn>[number],
  file: string,
): ShownUser => ({
  name: textOf(name),
  file,
  hindrance: isDisabled ? 'disabled' : null,
  address: addresses.join(' ') === '*' ? null : textOf(addresses.join(' ')),
  expires: null,
  expiresAfter: null,
  firstLogin: null,
  sessions: null,
  sessionTime: null,
  idleTime: null,
  speed: null,
  quota: null,
  routes: null,
  note: null,
  hasPassword: true,
});

interface Circumstances {
  readonly file: string;
  readonly now: number;
  readonly used: UsedOctets;
}

function shown(user: User, { file, now, used }: Circumstances): ShownUser {
  const expires = expiryOf(user);
  return {
    name: user.name,
    file,
    hindrance: hindranceOf(user, now, used),
    address: user.address ?? null,
    expires: expires === null ? null : new Date(expires).toISOString(),
    expiresAfter: user.expiresAfter ?? null,
    firstLogin: user.firstLogin ?? null,
    sessions: user.sessions ?? null,
    sessionTime: user.sessionTime ?? null,
    idleTime: user.idleTime ?? null,
    speed: user.speed ?? null,
    quota: user.quota === undefined ? null : shownQuota(user.quota, used, now),
    routes: user.routes ?? null,
    note: user.note ?? null,
    hasPassword: user.password !== undefined,
  };
}

function shownQuota(quota: Quota, octets: UsedOctets, now: number): ShownQuota {
  const [used, end] = [usedOf(quota, octets, now), periodEnd(quota.per, now)];
  return {
    ...quota,
    used,
    left: Math.max(0, quota.octets - used),
    beginsAnew: end === null ? null : new Date(end).toISOString(),
  };
}

export const secretsOf = (password: string, store: boolean): Pick<User, 'ntHash' | 'password'> => ({
  ntHash: hashOf(password),
  ...(store ? { password } : {}),
});

/** `expires` and `expiresAfter` replace each other, and a new duration begins with the next login. */
export function changed(user: User, fields: FieldChanges): User {
  const isNewEnd = fields.expires !== undefined || fields.expiresAfter !== undefined;
  const { expires: _expires, expiresAfter: _after, firstLogin: _firstLogin, ...others } = user;
  const base = isNewEnd ? others : user;
  const removed = new Set<string>(FIELDS.filter((field: Field) => fields[field] === null));
  const set = Object.fromEntries(FIELDS.flatMap((field) => (fields[field] == null ? [] : [[field, fields[field]]])));
  return { ...(Object.fromEntries(Object.entries(base).filter(([key]) => !removed.has(key))) as User), ...set };
}
