/** `pptpd-ts console`: the users of the console, and the tokens of programs. */
import { randomBytes } from 'node:crypto';
import { Argument, Command, Option } from 'commander';
import { consoleSchema } from '../../config/schema/console.js';
import { consolePasswordFault, hashConsolePassword } from '../../users/console-password.js';
import {
  changeConsoleFile,
  CONSOLE_ROLES,
  type ConsoleFile,
  consoleNameFault,
  type ConsoleRole,
  readConsoleFile,
  tokenHash,
} from '../../users/console-users.js';
import { configurationOf, configurationOption } from '../configuration.js';
import { fail } from '../failure.js';
import { localTime } from '../../admin/units.js';
import { table } from '../table.js';
import { readPassword } from '../users/password-input.js';

const TOKEN_OCTETS = 32;

const HELP = `
Examples:
  pptpd-ts console user add alice --role admin
  pptpd-ts console user add bob < password-file
  pptpd-ts console user list
  pptpd-ts console user role bob admin
  pptpd-ts console token add monitoring
  pptpd-ts console token remove monitoring

These are the users of the console in the browser (docs/console.md), not those of the tunnels. On a terminal the command
asks for the password; otherwise it reads the first line of standard input. A token is shown only when it is made. Changes
take effect within seconds: a user who was removed or has a new password is logged out.

Exit code 1: the user or token does not exist, or exists already, or the file cannot be changed; 2: wrong usage.`;

interface ConsoleOptions {
  readonly config: string;
  readonly json?: true;
  readonly role: ConsoleRole;
}

type Kind = keyof ConsoleFile;
const WORDS = { users: 'user', tokens: 'token' } as const satisfies Record<Kind, string>;

const missing = (kind: Kind, name: string, file: string): Error =>
  new Error(`${file} has no ${WORDS[kind]} ${JSON.stringify(name)}; remedy: pptpd-ts console ${WORDS[kind]} list`);
const exists = (kind: Kind, name: string, file: string): Error =>
  new Error(`${file} already has the ${WORDS[kind]} ${JSON.stringify(name)}; remedy: choose another name`);

const has = (file: ConsoleFile, kind: Kind, name: string): boolean => file[kind].some((each) => each.name === name);

export function consoleCommand(): Command {
  const command = new Command('console')
    .description('add, list, change and remove the users and tokens of the console in the browser')
    .addHelpText('after', HELP);
  const withFile =
    (work: (file: string, options: ConsoleOptions, ...args: readonly string[]) => Promise<void>) =>
    async (...all: unknown[]): Promise<void> => {
      const options = all.at(-2) as ConsoleOptions;
      const section = configurationOf(options.config).console;
      try {
        await work((section ?? consoleSchema.parse({})).users, options, ...(all.slice(0, -2) as string[]));
      } catch (error) {
        fail(error);
      }
      if (section === undefined)
        console.error(`pptpd-ts: ${options.config} has no section "console": the console is off`);
    };
  const role = (): Option =>
    new Option('--role <role>', '`view` sees everything but captures, `admin` also changes and captures')
      .choices(CONSOLE_ROLES)
      .default('view');
  const group = (name: string, description: string) => {
    const parent = command.command(name).description(description);
    return {
      sub: (sub: string, words: string): Command =>
        parent.command(sub).description(words).addOption(configurationOption()),
      ofOne: (sub: string, words: string): Command =>
        parent
          .command(sub)
          .description(words)
          .argument('<name>', `the ${name}'s name`)
          .addOption(configurationOption()),
    };
  };
  const user = group('user', 'people, who log in with a password');
  user.ofOne('add', 'add a user; asks for the password').addOption(role()).action(withFile(addUser));
  user.sub('list', 'list the users').option('--json', 'print JSON').action(withFile(listUsers));
  user.ofOne('passwd', "change a user's password").action(withFile(passwd));
  user
    .ofOne('role', "change a user's role")
    .addArgument(new Argument('<role>', 'the new role').choices(CONSOLE_ROLES))
    .action(withFile(changeRole));
  user.ofOne('remove', 'remove a user').action(withFile(removerOf('users')));
  const token = group('token', 'programs, which send a token (Authorization: Bearer TOKEN)');
  token.ofOne('add', 'make a token and print it').addOption(role()).action(withFile(addToken));
  token.sub('list', 'list the tokens').option('--json', 'print JSON').action(withFile(listTokens));
  token.ofOne('remove', 'remove a token').action(withFile(removerOf('tokens')));
  return command;
}

function requireName(name: string): void {
  const fault = consoleNameFault(name);
  if (fault !== null) throw new Error(fault);
}

async function addUser(file: string, { role }: ConsoleOptions, name = ''): Promise<void> {
  requireName(name);
  if (has(readConsoleFile(file), 'users', name)) throw exists('users', name, file);
  const password = await hashConsolePassword(await readPassword(name, consolePasswordFault));
  await changeConsoleFile(file, (before) => {
    if (has(before, 'users', name)) throw exists('users', name, file);
    return { ...before, users: [...before.users, { name, role, password }] };
  });
  console.log(`${JSON.stringify(name)} was added to ${file} with the role ${role}`);
}

async function passwd(file: string, _: ConsoleOptions, name = ''): Promise<void> {
  if (!has(readConsoleFile(file), 'users', name)) throw missing('users', name, file);
  const password = await hashConsolePassword(await readPassword(name, consolePasswordFault));
  await changeUser(file, name, { password });
  console.log(`the password of ${JSON.stringify(name)} was changed`);
}

async function changeRole(file: string, _: ConsoleOptions, name = '', role = ''): Promise<void> {
  await changeUser(file, name, { role: role as ConsoleRole });
  console.log(`${JSON.stringify(name)} has the role ${role}`);
}

async function changeUser(file: string, name: string, fields: Partial<ConsoleFile['users'][number]>): Promise<void> {
  await changeConsoleFile(file, (before) => {
    if (!has(before, 'users', name)) throw missing('users', name, file);
    return { ...before, users: before.users.map((each) => (each.name === name ? { ...each, ...fields } : each)) };
  });
}

async function addToken(file: string, { role }: ConsoleOptions, name = ''): Promise<void> {
  requireName(name);
  const token = `pptpd-ts-${randomBytes(TOKEN_OCTETS).toString('base64url')}`;
  const entry = { name, role, sha256: tokenHash(token), created: new Date().toISOString() };
  await changeConsoleFile(file, (before) => {
    if (has(before, 'tokens', name)) throw exists('tokens', name, file);
    return { ...before, tokens: [...before.tokens, entry] };
  });
  console.log(token);
  console.error(`pptpd-ts: the token of ${JSON.stringify(name)} with the role ${role}; it is not shown again`);
}

const removerOf =
  (kind: Kind) =>
  async (file: string, _: ConsoleOptions, name = ''): Promise<void> => {
    await changeConsoleFile(file, (before) => {
      if (!has(before, kind, name)) throw missing(kind, name, file);
      return { ...before, [kind]: before[kind].filter((each) => each.name !== name) };
    });
    console.log(`${JSON.stringify(name)} was removed from ${file}`);
  };

async function listUsers(file: string, { json }: ConsoleOptions): Promise<void> {
  const users = readConsoleFile(file).users.map(({ name, role }) => ({ name, role }));
  if (json) console.log(JSON.stringify({ users }, null, 2));
  else
    console.log(
      table(
        ['NAME', 'ROLE'],
        users.map(({ name, role }) => [name, role]),
      ),
    );
}

async function listTokens(file: string, { json }: ConsoleOptions): Promise<void> {
  const tokens = readConsoleFile(file).tokens.map(({ name, role, created }) => ({ name, role, created }));
  const row = ({ name, role, created }: (typeof tokens)[number]): string[] => [
    name,
    role,
    localTime(Date.parse(created)),
  ];
  if (json) console.log(JSON.stringify({ tokens }, null, 2));
  else console.log(table(['NAME', 'ROLE', 'CREATED'], tokens.map(row)));
}
