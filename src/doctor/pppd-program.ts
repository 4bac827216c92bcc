/** Runs pppd for its version, and to check its options. */
import { pppdArgumentsOf } from '../config/ppp-settings.js';
import type { Configuration } from '../config/schema.js';
import { optionsArguments } from '../accounts/pppd-options-file.js';
import type { CommandResult, Machine } from './machine.js';

/** Exit codes (pppd(8), EXIT STATUS). */
export const EXIT = {
  /** An immediately fatal error, for example: no secret would let anybody log in. */
  fatal: 1,
  /** An error in its options. */
  optionError: 2,
  /** It is not root. */
  notRoot: 3,
} as const;

/** The version of `pppd.path`; null if that is another program, which may not need the kernel's PPP. */
export async function pppdVersion({ pppd: { path } }: Configuration, machine: Machine): Promise<string | null> {
  const { output } = await machine.run(path, ['--version']);
  return /pppd version (\S+)/.exec(output)?.[1] ?? null;
}

/** Has pppd read all its options as this configuration gives them, and exit. */
export async function trial(
  { ppp, pppd: { path, options, args } }: Configuration,
  machine: Machine,
): Promise<CommandResult> {
  return machine.run(path, [
    'dryrun',
    'notty',
    'nodetach',
    ...optionsArguments(options),
    ...pppdArgumentsOf(ppp),
    ...args,
  ]);
}

/** The output of the trial in one line, without pppd's name. */
export const wordsOfTrial = ({ output }: CommandResult): string =>
  output
    .split('\n')
    .map((line) => line.replace(/^\S*pppd: /, '').trim())
    .join(' ');
