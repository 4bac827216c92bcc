/**
 * The effective options of pppd: the words of all its options files and arguments, parsed into options and values. See
 * pppd(8) for the files; of contradicting options the last one wins.
 */
import { has, optionsIn, type PppdOption, valueOf } from '../accounts/pppd-option-table.js';
import { includedBy, optionsOfFile, SYSTEM_OPTIONS } from '../accounts/pppd-options-file.js';
import { pppdArgumentsOf } from '../config/ppp-settings.js';
import type { Configuration } from '../config/schema.js';
import type { Machine } from './machine.js';
import { identityOf } from './privilege-checks.js';

/** pppd reads it next, from its user's home folder. */
const USER_OPTIONS = '.ppprc';

/** The home folder of the user that starts pppd; null if /etc/passwd has none. */
function homeFolder(machine: Machine): string | null {
  const uid = String(identityOf(machine).uid);
  const fields = (machine.read('/etc/passwd') ?? '').split('\n').map((line) => line.split(':'));
  return fields.find((each) => each[2] === uid)?.[5] ?? null;
}

/** All options of pppd in their order: from the system's file, the user's, `pppd.options`, `ppp` and `pppd.args`. */
export function effectiveOptions({ ppp, pppd: { options, args } }: Configuration, machine: Machine): PppdOption[] {
  const home = homeFolder(machine);
  const files = [SYSTEM_OPTIONS, home === null ? null : `${home}/${USER_OPTIONS}`, options];
  const ofFile = (path: string): readonly PppdOption[] => optionsOfFile(path, (each) => machine.read(each));
  const ofFiles = files.flatMap((path) => (path == null ? [] : ofFile(path)));
  const ofArguments = optionsIn([...pppdArgumentsOf(ppp), ...args]).flatMap((option) => {
    const included = includedBy(option);
    return included === null ? option : ofFile(included);
  });
  return [...ofFiles, ...ofArguments];
}

/** pppd's own name, which it looks for in the second column of its secrets. */
export function serverName(options: readonly PppdOption[], machine: Machine): string {
  const host = machine.read('/proc/sys/kernel/hostname')?.trim() ?? '*';
  const domain = valueOf(options, 'domain') ?? '';
  const whole = domain === '' ? host : `${host}${domain.startsWith('.') ? '' : '.'}${domain}`;
  const named = has(options, 'usehostname') ? null : valueOf(options, 'name');
  return named === null || named === '' ? whole : named;
}
