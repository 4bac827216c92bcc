/** Options that name the configuration file or the run directory, and the exit codes of all commands. */
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
 * For commands without other arguments: FILE means -c FILE. `hint` is added to the error if FILE does not exist, for users
 * who meant something else.
 */
export const addConfigurationArgument = (command: Command, hint?: string): Command =>
  command.argument('[file]', 'the configuration file; the same as -c FILE').hook('preAction', ({ args: [file] }) => {
    if (file === undefined) return;
    if (command.getOptionValueSource('config') === 'cli')
      command.error('error: FILE and -c FILE mean the same: give only one');
    if (hint !== undefined && !existsSync(file)) command.error(`error: there is no file '${file}': ${hint}`);
    command.setOptionValueWithSource('config', file, 'cli');
  });

/** The effective configuration. If the file is wrong, prints every problem and exits with code 2. */
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

/** For commands that talk to sessions or the manager: they need only the run directory of the configuration. */
export const addRunDirectoryOptions = (command: Command): Command =>
  command
    .addOption(configurationOption())
    .addOption(new Option('--run-directory <directory>', 'the run directory, instead of that in the configuration'));

/**
 * The run directory. Prints an error and exits with code 1 if this user may not read it. A missing directory is no error:
 * no server has run since the machine was booted.
 */
export function runDirectoryOf(options: RunDirectoryOptions): string {
  const directory = options.runDirectory ?? configurationOf(options.config).runDirectory;
  try {
    accessSync(runPaths(directory).sessions, constants.R_OK | constants.X_OK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      console.error(
        `pptpd-ts: ${directory}: this user may not read it; remedy: run the command as root, for example with sudo`,
      );
      process.exit(EXIT.failed);
    }
  }
  return directory;
}
