/** `pptpd-ts users`: the users of the accounts file, or with pppd those of chap-secrets. */
import { Command } from 'commander';
import { pppSettings } from '../../config/ppp-settings.js';
import type { Configuration } from '../../config/schema.js';
import { listSessions, SessionClient } from '../../session/client.js';
import { changeUsers, textOfFile } from '../../users/users-file.js';
import { configurationOf, configurationOption, EXIT } from '../configuration.js';
import { quotaText } from '../../admin/account-quota.js';
import { duration, localTime, octets, speedText } from '../../admin/units.js';
import { fail } from '../failure.js';
import { table } from '../table.js';
import { userPlaceOf } from '../../admin/user-place.js';
import { AccountsStore } from '../../users/accounts-store.js';
import { openUserStore } from '../../users/open-user-store.js';
import { importSecrets } from '../../users/import-secrets.js';
import { readPassword } from '../users/password-input.js';
import { addUserOptions, changesOf } from '../users/user-options.js';
import { type Field, noUser, type ShownUser, userExists, type UserStore } from '../../users/user-store.js';

/** Fields that the server also applies to sessions that are up. */
const AT_ONCE: ReadonlySet<string> = new Set<Field>(['speed', 'quota']);
const HEADINGS = ['NAME', 'STATE', 'ADDRESS', 'EXPIRES', 'SESSIONS', 'QUOTA LEFT', 'FILE', 'NOTE'];

const HELP = `
Examples:
  pptpd-ts users add alice
  pptpd-ts users add bob --address 192.0.2.7 --expires 30d < password-file
  pptpd-ts users list --json
  pptpd-ts users set alice --sessions 2 --idle-time 30min
  pptpd-ts users set alice --quota 5G/month
  pptpd-ts users disable alice
  pptpd-ts users import

With the builtin engine, users are in accounts.file. When a user is disabled, is removed, expires, or has used up the
quota, its sessions end within two seconds. With pppd, users are in chap-secrets, and this command changes only the
user's lines. With the section "radius" neither file is used, and each command says so. A new speed or quota takes effect at once, any other change at the next login. On a terminal the command
asks for the password; otherwise it reads the first line of standard input.

Exit code 1: the user does not exist, or exists already, or the file cannot be changed; 2: wrong usage.`;

interface UsersOptions extends Partial<Record<Field, unknown>> {
  readonly config: string;
  readonly json?: true;
  readonly storePassword?: true;
}

export function usersCommand(): Command {
  const command = new Command('users')
    .description('add, list, change, disable and remove users')
    .addHelpText('after', HELP);
  const withStore =
    <A extends readonly unknown[]>(
      work: (store: UserStore, options: UsersOptions, configuration: Configuration, ...args: A) => Promise<void>,
    ) =>
    async (...all: unknown[]): Promise<void> => {
      const options = all.at(-2) as UsersOptions;
      const configuration = configurationOf(options.config);
      try {
        const store = openUserStore(userPlaceOf(configuration));
        await work(store, options, configuration, ...(all.slice(0, -2) as unknown as A));
        if (configuration.radius !== undefined)
          console.error(
            `pptpd-ts: ${store.file} is not used: RADIUS judges the logins; remedy: change users there, or remove the section "radius"`,
          );
      } catch (error) {
        fail(error);
      }
    };
  const sub = (name: string, description: string): Command =>
    command.command(name).description(description).addOption(configurationOption());
  const ofOne = (name: string, description: string): Command =>
    sub(name, description).argument('<name>', "the user's name");
  const store = '--store-password';
  const storing = 'store the password itself, which CHAP-MD5 needs, and not only its hash';

  sub('list', 'list the users').option('--json', 'print JSON').action(withStore(list));
  ofOne('show', 'show one user').option('--json', 'print JSON').action(withStore(show));
  addUserOptions(ofOne('add', 'add a user; asks for the password')).option(store, storing).action(withStore(add));
  addUserOptions(ofOne('set', "change a user's address, limits or note")).action(withStore(set));
  ofOne('passwd', "change a user's password").option(store, storing).action(withStore(passwd));
  ofOne('disable', 'keep a user from logging in, and end its sessions').action(withStore(disable));
  ofOne('enable', 'let a user log in again').action(withStore(enable));
  ofOne('remove', 'remove a user, and end its sessions').action(withStore(remove));
  sub('import', 'copy the users of a chap-secrets file to the accounts file')
    .argument('[file]', 'the secrets file (default: ppp.secrets)')
    .option(store, storing)
    .action(withStore(importUsers));
  return command;
}

async function list(store: UserStore, { json }: UsersOptions): Promise<void> {
  const users = await store.list();
  if (json) console.log(JSON.stringify({ users }, null, 2));
  else console.log(table(HEADINGS, users.map(row)));
}

const stateText = ({ hindrance }: ShownUser): string =>
  hindrance === 'quota' ? 'quota used up' : (hindrance ?? 'active');

const row = (user: ShownUser): string[] => [
  user.name,
  stateText(user),
  user.address ?? '-',
  expiryText(user) ?? '-',
  user.sessions === null ? '-' : numberText(user.sessions),
  user.quota === null ? '-' : `${octets(user.quota.left)} of ${octets(user.quota.octets)}`,
  user.file,
  user.note ?? '',
];

function expiryText({ expires, expiresAfter }: ShownUser): string | null {
  if (expires !== null) return localTime(Date.parse(expires));
  return expiresAfter === null ? null : `${duration(expiresAfter)} after the first login`;
}

const numberText = (limit: number): string => (limit === 0 ? 'no limit' : String(limit));
const timeText = (seconds: number | null): string | null =>
  seconds === null ? null : seconds === 0 ? 'no limit' : duration(seconds);

async function show(
  store: UserStore,
  { json }: UsersOptions,
  { runDirectory }: Configuration,
  name: string,
): Promise<void> {
  const user = (await store.list()).find((each) => each.name === name);
  if (user === undefined) throw noUser(name, store.file);
  const live = await sessionsOf(name, runDirectory);
  if (json) {
    console.log(JSON.stringify({ ...user, live }, null, 2));
    return;
  }
  const rows: [string, string | null][] = [
    ['name', user.name],
    ['state', stateText(user)],
    ['address', user.address],
    ['expires', expiryText(user)],
    ['first login', user.firstLogin === null ? null : localTime(Date.parse(user.firstLogin))],
    ['sessions', user.sessions === null ? null : `at most ${numberText(user.sessions)}`],
    ['session time', timeText(user.sessionTime)],
    ['idle time', timeText(user.idleTime)],
    ['routes', user.routes?.join(', ') ?? null],
    ['speed', speedText(user.speed)],
    ['quota', quotaText(user.quota)],
    ['password', user.hasPassword ? 'stored as it is' : 'stored as its NT hash'],
    ['file', user.file],
    ['note', user.note],
    ['connected', live.length === 0 ? 'no' : `session ${live.join(', ')}`],
  ];
  for (const [label, value] of rows) if (value !== null) console.log(`${label.padEnd(14)}${value}`);
}

/** The ids of the user's live sessions. */
async function sessionsOf(name: string, runDirectory: string): Promise<string[]> {
  const { sessions } = await listSessions(runDirectory);
  return sessions.filter(({ user, limits }) => (limits?.account ?? user) === name).map(({ session }) => session);
}

async function add(store: UserStore, options: UsersOptions, _: Configuration, name: string): Promise<void> {
  if ((await store.list()).some((user) => user.name === name && user.file === store.file))
    throw userExists(name, store.file);
  const password = await readPassword(name);
  await store.add({ name, password, storePassword: options.storePassword === true, fields: changesOf(options) });
  console.log(`${JSON.stringify(name)} was added to ${store.file}`);
}

async function set(store: UserStore, options: UsersOptions, _: Configuration, name: string): Promise<void> {
  const fields = changesOf(options);
  if (Object.keys(fields).length === 0)
    throw new Error('nothing to change; remedy: give an option, see pptpd-ts users set --help');
  await store.set(name, fields);
  console.log(
    `${JSON.stringify(name)} was changed; it counts ${Object.keys(fields).every((each) => AT_ONCE.has(each)) ? 'at once' : 'at the next login'}`,
  );
}

async function passwd(store: UserStore, options: UsersOptions, _: Configuration, name: string): Promise<void> {
  if (!(await store.list()).some((user) => user.name === name)) throw noUser(name, store.file);
  const password = await readPassword(name);
  await store.setPassword({ name, password, storePassword: options.storePassword === true });
  console.log(`the password of ${JSON.stringify(name)} was changed`);
}

async function disable(store: UserStore, _: UsersOptions, configuration: Configuration, name: string): Promise<void> {
  await store.setDisabled(name, true);
  await endSessions(store, name, configuration, 'is disabled');
  console.log(`${JSON.stringify(name)} is disabled`);
}

async function enable(store: UserStore, _: UsersOptions, _configuration: Configuration, name: string): Promise<void> {
  await store.setDisabled(name, false);
  console.log(`${JSON.stringify(name)} can log in again`);
}

async function remove(store: UserStore, _: UsersOptions, configuration: Configuration, name: string): Promise<void> {
  await store.remove(name);
  await endSessions(store, name, configuration, 'was removed');
  console.log(`${JSON.stringify(name)} was removed from ${store.file}`);
  for (const remark of await store.remarks(name)) console.error(`pptpd-ts: ${remark}`);
}

/** Ends the user's sessions, if the server does not. */
async function endSessions(
  store: UserStore,
  name: string,
  { runDirectory }: Configuration,
  why: string,
): Promise<void> {
  if (store.endsSessions) return;
  for (const id of await sessionsOf(name, runDirectory)) {
    const session = await SessionClient.connect(runDirectory, id);
    const detail = `${JSON.stringify(name)} ${why}`;
    await session.request('disconnect', { reason: 'accountEnded', detail }).finally(() => session.close());
  }
}

async function importUsers(
  store: UserStore,
  options: UsersOptions,
  configuration: Configuration,
  file: string | undefined,
): Promise<void> {
  if (!(store instanceof AccountsStore))
    throw new Error(
      `nothing to import: pppd reads its users from ${store.file}; only the builtin engine has an accounts file`,
    );
  const { secrets, name: server } = pppSettings(configuration.ppp);
  const path = file ?? secrets;
  const bytes = textOfFile(path, 'latin1');
  if (bytes === null)
    throw new Error(`${path}: there is no such file; remedy: name another one: pptpd-ts users import FILE`);
  const { users, remarks } = await changeUsers(store.file, (before) => {
    const known = new Set(before.map(({ name }) => name));
    const result = importSecrets({ bytes, server, known, storePassword: options.storePassword === true });
    return { users: [...before, ...result.users], result };
  });
  for (const { line, text } of remarks) console.error(`${path}:${line}: ${text}`);
  console.log(
    `${users.length} ${users.length === 1 ? 'user was' : 'users were'} copied to ${store.file}; ${path} was not changed`,
  );
  if (remarks.length > 0) process.exitCode = EXIT.failed;
}
