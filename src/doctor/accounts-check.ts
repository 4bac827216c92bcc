/** The check of the accounts file, and the number of its accounts. */
import type { Configuration } from '../config/schema.js';
import { readUsers } from '../users/users-text.js';
import { bad, type Check, good } from './check.js';
import type { Machine } from './machine.js';
import { identityOf } from './privilege-checks.js';

/** The number of accounts; null: there is no file that can be used. */
export function accountsIn({ accounts: { file } }: Configuration, machine: Machine): number | null {
  const text = machine.read(file);
  const read = text === null ? null : readUsers(text);
  return read?.ok === true ? read.users.length : null;
}

export const builtinAccounts: Check = {
  name: 'accounts',
  fatal: false,
  engine: 'builtin',
  run({ accounts: { file }, radius }, machine) {
    if (radius !== undefined) return good(`${file} is not used: RADIUS judges the logins`);
    const mode = machine.mode(file);
    const text = machine.read(file);
    if (text === null && identityOf(machine).uid !== 0) return good(`${file}: only root can read it`);
    if (mode === null) return good(`no ${file}: pptpd-ts users add creates it`);
    if (text === null) return bad(`${file} cannot be read: nobody can log in`, `chmod 600 ${file}`);
    const read = readUsers(text);
    if (!read.ok)
      return read.problems.map((problem) =>
        bad(
          `${file}:${problem.line}: ${problem.text}`,
          'correct it; until then a running server uses the last valid version, and one that starts lets nobody log in',
        ),
      );
    if ((mode & 0o077) !== 0) return bad(`${file} can be read by others`, `chmod 600 ${file}`);
    return good(`${file}, ${read.users.length} ${read.users.length === 1 ? 'account' : 'accounts'}`);
  },
};
