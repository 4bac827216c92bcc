/** pppd's users: chap-secrets, of which single entries are changed and nothing else. */
import {
  addUser,
  disableUser,
  type Edited,
  type EditFault,
  enableUser,
  removeUser,
  setAddress,
  setPassword,
  usersIn,
} from '../accounts/chap-secrets-edit.js';
import { changeFile } from './locked-file.js';
import { textOfFile } from './users-file.js';
import { shownSecret } from './accounts-store.js';
import {
  type Field,
  type FieldChanges,
  FIELDS,
  type NewUser,
  noUser,
  type ShownUser,
  userExists,
  UserFault,
  type UserStore,
} from './user-store.js';

/** The secrets file has a column for it. */
const KEPT: ReadonlySet<Field> = new Set(['address']);

export class SecretsStore implements UserStore {
  readonly file: string;
  readonly endsSessions = false;
  readonly storesHash = false;
  readonly keeps = KEPT;
  readonly #server: string;

  /** `server`: pppd's own name, the second column. */
  constructor(file: string, server: string) {
    this.file = file;
    this.#server = server;
  }

  async list(): Promise<readonly ShownUser[]> {
    return usersIn(textOfFile(this.file, 'latin1') ?? '', this.#server).map((user) => shownSecret(user, this.file));
  }

  async add({ name, password, fields }: NewUser): Promise<void> {
    refuseFields(fields, this.file);
    const server = this.#server;
    await this.#edit(name, (bytes) => addUser(bytes, { name, server, password, address: fields.address ?? null }));
  }

  async set(name: string, fields: FieldChanges): Promise<void> {
    refuseFields(fields, this.file);
    const { address } = fields;
    if (address === undefined) return;
    await this.#edit(name, (bytes) => setAddress(bytes, name, this.#server, address));
  }

  async setPassword({ name, password }: Omit<NewUser, 'fields'>): Promise<void> {
    await this.#edit(name, (bytes) => setPassword(bytes, name, this.#server, password));
  }

  async setDisabled(name: string, isDisabled: boolean): Promise<void> {
    const edit = isDisabled ? disableUser : enableUser;
    await this.#edit(name, (bytes) => edit(bytes, name, this.#server));
  }

  async remove(name: string): Promise<void> {
    await this.#edit(name, (bytes) => removeUser(bytes, name, this.#server));
  }

  async remarks(): Promise<readonly string[]> {
    return [];
  }

  async #edit(name: string, edit: (bytes: string) => Edited): Promise<void> {
    await changeFile({
      path: this.file,
      initial: Buffer.alloc(0),
      change: (content) => {
        const edited = edit(content.toString('latin1'));
        if (!edited.ok) throw sentenceOf(edited.fault, name, this.file);
        return { content: Buffer.from(edited.bytes, 'latin1'), result: null };
      },
    });
  }
}

function refuseFields(fields: FieldChanges, file: string): void {
  const refused = FIELDS.filter((field) => fields[field] !== undefined && !KEPT.has(field));
  if (refused.length === 0) return;
  throw new UserFault(
    'refused',
    `pppd cannot keep ${refused.join(', ')} of a user: ${file} has no column for it; ` +
      'remedy: use the builtin engine, whose accounts have limits ("ppp": { "engine": "builtin" })',
  );
}

function sentenceOf(fault: EditFault, name: string, file: string): Error {
  switch (fault.kind) {
    case 'unknown':
      return noUser(name, file);
    case 'known':
      return userExists(name, file);
    case 'value':
      return new UserFault(
        'refused',
        `pppd cannot read this ${fault.field}: ${fault.reason}; remedy: choose another one`,
      );
    case 'lines':
      return new UserFault(
        'refused',
        `${file}:${fault.line}: this entry cannot be changed alone: it spans several lines, or a quote is open; ` +
          'remedy: change it in an editor',
      );
  }
}
