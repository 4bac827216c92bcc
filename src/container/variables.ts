/**
 * The configuration that a container's variables ask for: the starter configuration with some keys replaced, and the users
 * in the format of chap-secrets. Pure.
 */
import { visible } from '../accounts/chap-secrets.js';
import { bytesOf } from '../accounts/pppd-words.js';
import { checkConfiguration } from '../config/load.js';
import type { ConfigurationInput } from '../config/schema.js';

const PREFIX = 'PPTPD_TS_';
const USERS = `${PREFIX}USERS`;
const USERS_FILE = `${PREFIX}USERS_FILE`;

/** Folder of `accounts.file`. The image does not have it. */
export const ACCOUNTS = '/var/lib/pptpd-ts';

interface Variable {
  /** The key of the configuration that it replaces. */
  readonly key: string;
  readonly replace: (input: ConfigurationInput, value: string) => ConfigurationInput;
}

const listOf = (value: string): string[] => value.split(/[\s,]+/).filter((word) => word !== '');

/** A wrong value is found by the check of the whole configuration. */
const VARIABLES: Readonly<Record<string, Variable>> = {
  [`${PREFIX}LOCAL`]: {
    key: 'addresses.local',
    replace: (input, value) => ({ ...input, addresses: { ...input.addresses, local: listOf(value) } }),
  },
  [`${PREFIX}POOL`]: {
    key: 'addresses.remote',
    replace: (input, value) => ({ ...input, addresses: { ...input.addresses, remote: listOf(value) } }),
  },
  [`${PREFIX}DNS`]: {
    key: 'ppp.dns',
    replace: (input, value) => ({ ...input, ppp: { ...input.ppp, dns: listOf(value) } }),
  },
  [`${PREFIX}MASQUERADE`]: {
    key: 'network.masquerade',
    replace: (input, value) => ({
      ...input,
      network: { ...input.network, masquerade: value.trim() === 'auto' ? 'auto' : listOf(value) },
    }),
  },
  [`${PREFIX}LOG_LEVEL`]: {
    key: 'log.level',
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- checked with everything else
    replace: (input, value) => ({ ...input, log: { ...input.log, level: value as 'info' } }),
  },
};

/** Every variable, in the order of the documentation. */
export const VARIABLE_NAMES: readonly string[] = [USERS, USERS_FILE, ...Object.keys(VARIABLES)];

/** Kubernetes gives every container these variables of a service that is named pptpd-ts. */
const OF_KUBERNETES = /^PPTPD_TS_(?:SERVICE|PORT)(?:_|$)/;

export type Environment = Readonly<Record<string, string | undefined>>;

/** Our variables that have a value. Compose sets those that it substitutes by nothing to an empty text. */
export const givenVariables = (environment: Environment): string[] =>
  Object.entries(environment).flatMap(([name, value]) =>
    name.startsWith(PREFIX) && !OF_KUBERNETES.test(name) && (value ?? '') !== '' ? [name] : [],
  );

export interface Given {
  readonly environment: Environment;
  readonly starter: ConfigurationInput;
  /** The text of the file that PPTPD_TS_USERS_FILE names, or the error of reading it; null without that variable. */
  readonly usersFile: string | Error | null;
  /** chap-secrets, if one is mounted. */
  readonly mountedSecrets: string | null;
  /** A volume is mounted for the users of `pptpd-ts users`, of which there may be none yet. */
  readonly hasAccounts: boolean;
  /** Where the users of the variables will be written to. */
  readonly secretsPath: string;
}

export type Effective =
  | {
      readonly ok: true;
      readonly input: ConfigurationInput;
      /** The text of chap-secrets; null: the mounted one is used. */
      readonly secrets: string | null;
    }
  | { readonly ok: false; readonly problems: readonly string[] };

/** The effective configuration, or every problem as one sentence with its remedy. No sentence has a password in it. */
export function configurationFrom(given: Given): Effective {
  const names = givenVariables(given.environment);
  const problems = names
    .filter((name) => !VARIABLE_NAMES.includes(name))
    .map((name) => `${name} is not a variable of this image; remedy: use one of ${VARIABLE_NAMES.join(', ')}`);
  let input = given.starter;
  for (const [name, { replace }] of Object.entries(VARIABLES)) {
    const value = given.environment[name] ?? '';
    if (value !== '') input = replace(input, value);
  }
  const checked = checkConfiguration(input);
  if (!checked.ok) for (const { key, text } of checked.problems) problems.push(`${variableOf(key)}: ${text}`);
  const users = usersOf(given);
  problems.push(...users.problems);
  if (problems.length > 0) return { ok: false, problems };
  if (users.secrets !== null) input = { ...input, ppp: { ...input.ppp, secrets: given.secretsPath } };
  return { ok: true, input, secrets: users.secrets };
}

/** The variable behind a key such as `addresses.remote[0]`. */
const variableOf = (key: string): string =>
  Object.entries(VARIABLES).find(([, variable]) => key.replace(/\[.*/, '') === variable.key)?.[0] ?? key;

interface Users {
  readonly secrets: string | null;
  readonly problems: readonly string[];
}

interface User {
  readonly name: string;
  readonly password: string;
}

const HOW = `remedy: set ${USERS}="alice:password bob:password", or ${USERS_FILE}=FILE with one user on each line, or mount chap-secrets at /etc/ppp/chap-secrets, or mount a volume at ${ACCOUNTS} for pptpd-ts users`;

function usersOf({ environment, usersFile, mountedSecrets, hasAccounts }: Given): Users {
  const variable = environment[USERS] ?? '';
  const sources = [
    ...(variable === '' ? [] : [USERS]),
    ...(usersFile === null ? [] : [USERS_FILE]),
    ...(mountedSecrets === null ? [] : [mountedSecrets]),
  ];
  const refuse = (...problems: string[]): Users => ({ secrets: null, problems });
  if (sources.length === 0 && hasAccounts) return { secrets: null, problems: [] };
  if (sources.length === 0) return refuse(`there are no users, so nobody can log in; ${HOW}`);
  if (sources.length > 1) return refuse(`users are given twice, by ${sources.join(' and ')}; remedy: remove one`);
  if (mountedSecrets !== null) return { secrets: null, problems: [] };
  if (usersFile instanceof Error)
    return refuse(
      `${USERS_FILE}: ${environment[USERS_FILE]} cannot be read (${usersFile.message}); remedy: mount it there, readable by root`,
    );
  const [source, entries] =
    usersFile === null ? [USERS, variable.trim().split(/\s+/)] : [USERS_FILE, usersFile.split(/\r?\n/)];
  return secretsOf(
    source,
    entries.filter((entry) => entry.trim() !== ''),
  );
}

/** pppd keeps so many bytes of a word. */
const LONGEST = 1023;

/** What chap-secrets cannot express, or would take for something else. */
const UNWRITABLE: readonly { readonly what: string; readonly isSo: (user: User) => boolean }[] = [
  { what: 'a blank or a control character in the name', isSo: ({ name }) => /[\s\p{Cc}]/u.test(name) },
  { what: 'a control character in the password', isSo: ({ password }) => /\p{Cc}/u.test(password) },
  { what: 'the name "*", which means every user', isSo: ({ name }) => name === '*' },
  { what: 'a password that begins with "@/", which names a file', isSo: ({ password }) => password.startsWith('@/') },
  {
    what: `a name or a password of more than ${LONGEST} bytes`,
    isSo: ({ name, password }) => [visible(bytesOf(name)), bytesOf(password)].some(({ length }) => length > LONGEST),
  },
];

/** Each entry is NAME:PASSWORD; only the first colon separates. */
function secretsOf(source: string, entries: readonly string[]): Users {
  const problems: string[] = [];
  const users: User[] = [];
  for (const [index, entry] of entries.entries()) {
    const colon = entry.indexOf(':');
    const user: User = { name: entry.slice(0, colon), password: entry.slice(colon + 1) };
    const unwritable = UNWRITABLE.find(({ isSo }) => isSo(user));
    // Without a colon the entry may be a password, so it is not shown.
    if (colon < 1 || user.password === '')
      problems.push(`${source}: user ${index + 1} does not have the form NAME:PASSWORD; remedy: write it in this form`);
    else if (unwritable !== undefined)
      problems.push(`${source}: user ${index + 1} has ${unwritable.what}; remedy: change it`);
    else if (users.some(({ name }) => name === user.name))
      problems.push(`${source}: ${JSON.stringify(user.name)} appears twice; remedy: remove one`);
    else users.push(user);
  }
  if (entries.length === 0) problems.push(`${source} has no users; ${HOW}`);
  const lines = users.map(({ name, password }) => `${word(visible(bytesOf(name)))} * ${word(password)} *\n`);
  return { secrets: lines.join(''), problems };
}

/** As a word of chap-secrets, in which a backslash changes the next character and quotes are cut off. */
const word = (text: string): string => `"${text.replace(/["\\]/g, String.raw`\$&`)}"`;
