/** The configuration file as the commands take it, `-c FILE` or FILE alone, and the exit code where it is wrong. */
import { accessSync, constants, existsSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { loadConfiguration } from '../config/load.js';
import type { Configuration } from '../config/schema.js';
import { runPaths } from '../session/paths.js';

export const DEFAULT_CONFIGURATION = '/etc/pptpd-ts.json';

/** Exit codes of every command. */
export const EXIT = { ok: 0, failed: 1, wrongCall: 2, notRunning: 3 } as const;

export const configurationOption = (): Option =>
  new Option('-c, --config <file>', 'the configuration file').default(DEFAULT_CONFIGURATION);

/**
 * For commands without arguments of their own: FILE alone means -c FILE. `otherwise`: what the user of a word that is no file
 * may have looked for, where that is not the file.
 */
export const addConfigurationArgument = (command: Command, otherwise?: string): Command =>
  command.argument('[file]', 'the configuration file, as -c names it').hook('preAction', ({ args: [file] }) => {
    if (file === undefined) return;
    if (command.getOptionValueSource('config') === 'cli')
      command.error('error: FILE and -c FILE are the same: give one');
    if (otherwise !== undefined && !existsSync(file)) command.error(`error: there is no file '${file}': ${otherwise}`);
    command.setOptionValueWithSource('config', file, 'cli');
  });

/** The effective configuration; ends the program with every problem named when the file is wrong. */
export function configurationOf(path: string): Configuration {
  const loaded = loadConfiguration(path);
  if (loaded.ok) return loaded.configuration;
  for (const problem of loaded.problems) console.error(`pptpd-ts: ${problem}`);
  process.exit(EXIT.wrongCall);
}

export interface RunDirectoryOptions {
  readonly config: string;
  readonly runDirectory?: string;
}

/** For commands that talk to the sessions: all that they need of the configuration is its run directory. */
export const addRunDirectoryOptions = (command: Command): Command =>
  command
    .addOption(configurationOption())
    .addOption(new Option('--run-directory <directory>', 'where the sessions are, instead of the configuration'));

/**
 * The run directory; ends the program with a sentence when this user may not look into it. That it does not exist is
 * no error: no server has run since this machine was started, and nobody is on.
 */
export function runDirectoryOf(options: RunDirectoryOptions): string {
  const directory = options.runDirectory ?? configurationOf(options.config).runDirectory;
  try {
    accessSync(runPaths(directory).sessions, constants.R_OK | constants.X_OK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      console.error(`pptpd-ts: ${directory}: this user may not look into it; run it as root, for example with sudo`);
      process.exit(EXIT.failed);
    }
  }
  return directory;
}
