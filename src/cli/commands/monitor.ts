/** `pptpd-ts monitor DIRECTORY`: hidden, the monitor in the foreground, which `serve` otherwise starts itself. */
import { Argument, Command, Option } from 'commander';
import { LOG_LEVELS } from '../../log/level.js';

export const monitorCommand = (): Command =>
  new Command('monitor')
    .addArgument(new Argument('<run-directory>', 'the run directory of the server'))
    .addOption(new Option('--level <level>', 'the log level').choices(LOG_LEVELS).default('info'))
    .action(async (directory: string, { level }: { readonly level: string }) => {
      const { supervise } = await import('../../monitor/monitor-process.js');
      supervise(directory, level);
    });
