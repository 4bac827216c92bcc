/** What pppd says of itself: its version, and what it makes of its options. */
import { pppdArgumentsOf } from '../config/ppp-settings.js';
import type { Configuration } from '../config/schema.js';
import { optionsArguments } from '../host/pppd-options.js';
import type { CommandResult, Machine } from './machine.js';

/** Exit codes (pppd(8), EXIT STATUS). */
export const EXIT = {
  /** An immediately fatal error: no secret would let anybody in. */
  fatal: 1,
  /** Options that it does not take. */
  optionError: 2,
  /** It is not root. */
  notRoot: 3,
} as const;

/** The version of `pppd.path`, or null when that is no pppd: another program on the pty may not need the kernel's PPP. */
export async function pppdVersion({ pppd: { path } }: Configuration, machine: Machine): Promise<string | null> {
  const { output } = await machine.run(path, ['--version']);
  return /pppd version (\S+)/.exec(output)?.[1] ?? null;
}

/** pppd reads all its options as a server of this configuration gives them, and ends; each check asks for the same. */
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

/** What pppd said on the trial, without its own name. */
export const wordsOfTrial = ({ output }: CommandResult): string =>
  output
    .split('\n')
    .map((line) => line.replace(/^\S*pppd: /, '').trim())
    .join(' ');
