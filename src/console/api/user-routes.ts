/** Routes about the users of the VPN, whose files only root may read and change. */
import { listSessions, SessionClient } from '../../session/client.js';
import type { SessionState } from '../../session/state.js';
import type { UserRequest } from '../../users/user-requests.js';
import { type UserAnswer as Answer, askUsers as ask } from './ask-users.js';
import { ApiFault } from './fault.js';
import { route, type Services } from './route.js';
import * as schemas from './schemas.js';

/** Ids of live sessions by the name of the account. */
function liveByUser(states: readonly SessionState[]): Map<string, string[]> {
  const live = new Map<string, string[]>();
  for (const { session, user, limits } of states) {
    const name = limits?.account ?? user;
    if (name !== null) live.set(name, [...(live.get(name) ?? []), session]);
  }
  return live;
}

async function changed(services: Services, request: UserRequest): Promise<Answer> {
  const answer = await ask(services, request);
  services.model.usersChanged();
  return answer;
}

/** Ends the user's sessions where the server does not (pppd). */
async function endSessions(services: Services, name: string, why: string): Promise<void> {
  const { runDirectory } = services.settings;
  const { sessions } = await listSessions(runDirectory);
  for (const id of liveByUser(sessions).get(name) ?? []) {
    const session = await SessionClient.connect(runDirectory, id);
    const detail = `${JSON.stringify(name)} ${why}`;
    await session.request('disconnect', { reason: 'accountEnded', detail }).finally(() => session.close());
  }
}

const find = async (services: Services, name: string): Promise<Answer['users'][number]> => {
  const { users, file } = await ask(services, { op: 'show', name });
  const [found] = users;
  if (found === undefined) throw new ApiFault(404, `there is no user ${JSON.stringify(name)} in ${file}`);
  return found;
};

const setDisabled = (disabled: boolean) =>
  route({
    method: 'POST',
    path: `/users/{name}/${disabled ? 'disable' : 'enable'}`,
    role: 'admin',
    summary: disabled ? 'keep a user from logging in, and end its sessions' : 'let a user log in again',
    command: `users ${disabled ? 'disable' : 'enable'}`,
    view: 'users',
    parameters: schemas.userParameters,
    answer: schemas.userChanged,
    handle: async (call) => {
      const { name } = call.parameters;
      const { remarks, endsSessions } = await changed(call, { op: 'setDisabled', name, disabled });
      if (disabled && !endsSessions) await endSessions(call, name, 'is disabled');
      return { remarks };
    },
  });

export const USER_ROUTES = [
  route({
    method: 'GET',
    path: '/users',
    role: 'view',
    summary: 'list the users',
    command: 'users list',
    view: 'users',
    answer: schemas.users,
    handle: async (call) => {
      const { users, file, keeps, storesHash } = await ask(call, { op: 'list' });
      const live = liveByUser(call.model.sessions.states);
      return { users: users.map((user) => withSessions(user, live)), file, keeps, storesHash };
    },
  }),
  route({
    method: 'POST',
    path: '/users',
    role: 'admin',
    summary: 'add a user',
    command: 'users add',
    view: 'users',
    body: schemas.newUser,
    answer: schemas.userChanged,
    handle: async (call) => {
      const { name, fields } = call.body;
      const { remarks } = await changed(call, { op: 'add', ...call.body });
      call.changed({ user: name, fields: Object.keys(fields) });
      return { remarks };
    },
  }),
  route({
    method: 'GET',
    path: '/users/{name}',
    role: 'view',
    summary: 'show one user',
    command: 'users show',
    view: 'users',
    parameters: schemas.userParameters,
    answer: schemas.user,
    handle: async (call) =>
      withSessions(await find(call, call.parameters.name), liveByUser(call.model.sessions.states)),
  }),
  route({
    method: 'PATCH',
    path: '/users/{name}',
    role: 'admin',
    summary: "change a user's address, limits or note; null removes a field",
    command: 'users set',
    view: 'users',
    parameters: schemas.userParameters,
    body: schemas.userChanges,
    answer: schemas.userChanged,
    handle: async (call) => {
      const fields = call.body;
      if (Object.keys(fields).length === 0) throw new ApiFault(400, 'nothing to change', 'name a field');
      const { remarks } = await changed(call, { op: 'set', name: call.parameters.name, fields });
      call.changed(fields);
      return { remarks };
    },
  }),
  route({
    method: 'DELETE',
    path: '/users/{name}',
    role: 'admin',
    summary: 'remove a user, and end its sessions',
    command: 'users remove',
    view: 'users',
    parameters: schemas.userParameters,
    answer: schemas.userChanged,
    handle: async (call) => {
      const { name } = call.parameters;
      const { remarks, endsSessions } = await changed(call, { op: 'remove', name });
      if (!endsSessions) await endSessions(call, name, 'was removed');
      return { remarks };
    },
  }),
  route({
    method: 'PUT',
    path: '/users/{name}/password',
    role: 'admin',
    summary: "change a user's password",
    command: 'users passwd',
    view: 'users',
    parameters: schemas.userParameters,
    body: schemas.newPassword,
    answer: schemas.userChanged,
    handle: async (call) => {
      const { remarks } = await changed(call, { op: 'setPassword', name: call.parameters.name, ...call.body });
      return { remarks };
    },
  }),
  setDisabled(true),
  setDisabled(false),
];

const withSessions = (user: Answer['users'][number], live: ReadonlyMap<string, string[]>): schemas.ApiUser => ({
  ...user,
  live: live.get(user.name) ?? [],
});
