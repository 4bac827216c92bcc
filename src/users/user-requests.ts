/**
 * What may be asked about the users over a socket or by HTTP, checked: an operation and its fields. The answers have no
 * secrets.
 */
import * as z from 'zod';
import { passwordFault, userSchema } from './user.js';
import type { Field, FieldChanges, ShownUser, UserStore } from './user-store.js';

const { shape } = userSchema;

/** A field that is left out stays as it is; null removes it. */
export const userFields = z.strictObject({
  address: shape.address.nullable(),
  expires: shape.expires.nullable(),
  expiresAfter: shape.expiresAfter.nullable(),
  sessions: shape.sessions.nullable(),
  sessionTime: shape.sessionTime.nullable(),
  idleTime: shape.idleTime.nullable(),
  speed: shape.speed.nullable(),
  quota: shape.quota.nullable(),
  routes: shape.routes.nullable(),
  note: shape.note.nullable(),
});

export const userName = shape.name;
export const userPassword = z
  .string()
  .refine((text) => passwordFault(text) === null)
  .meta({ title: '1 to 256 characters without control characters' });
/** Also keep the password itself, which CHAP-MD5 needs. */
const storePassword = z.boolean().default(false);

export const userRequest = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('list') }),
  z.strictObject({ op: z.literal('show'), name: userName }),
  z.strictObject({ op: z.literal('add'), name: userName, password: userPassword, storePassword, fields: userFields }),
  z.strictObject({ op: z.literal('set'), name: userName, fields: userFields }),
  z.strictObject({ op: z.literal('setPassword'), name: userName, password: userPassword, storePassword }),
  z.strictObject({ op: z.literal('setDisabled'), name: userName, disabled: z.boolean() }),
  z.strictObject({ op: z.literal('remove'), name: userName }),
]);
export type UserRequest = z.input<typeof userRequest>;

export interface UserAnswer {
  /** Of `list`; of `show` the one, if there is one; otherwise none. */
  readonly users: readonly ShownUser[];
  /** Of a change: sentences about the user that was changed. */
  readonly remarks: readonly string[];
  readonly file: string;
  readonly keeps: readonly Field[];
  readonly endsSessions: boolean;
  readonly storesHash: boolean;
}

/** Does what a request says. Rejects with a sentence for the administrator, a UserFault where it is about the user. */
export async function answerUserRequest(store: UserStore, asked: UserRequest): Promise<UserAnswer> {
  const request = userRequest.parse(asked);
  const { file, keeps, endsSessions, storesHash } = store;
  const about = { file, keeps: [...keeps], endsSessions, storesHash };
  switch (request.op) {
    case 'list':
      return { ...about, users: await store.list(), remarks: [] };
    case 'show': {
      const { name } = request;
      return { ...about, users: (await store.list()).filter((user) => user.name === name), remarks: [] };
    }
    case 'add':
      await store.add({ ...request, fields: changes(request.fields) });
      break;
    case 'set':
      await store.set(request.name, changes(request.fields));
      break;
    case 'setPassword':
      await store.setPassword(request);
      break;
    case 'setDisabled':
      await store.setDisabled(request.name, request.disabled);
      break;
    case 'remove':
      await store.remove(request.name);
      break;
  }
  return { ...about, users: [], remarks: await store.remarks(request.name) };
}

/** Without keys that are undefined. */
const changes = (fields: z.output<typeof userFields>): FieldChanges =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
