/** `pptpd-ts reload`: has the manager read its configuration again, and prints what is wrong with it. */
import { Command } from 'commander';
import { reloadResult } from '../../session/manager-status.js';
import { askManager, NoManager } from '../../admin/ask-manager.js';
import { messageOf } from '../../sys/thrown.js';
import {
  addConfigurationArgument,
  addRunDirectoryOptions,
  EXIT,
  runDirectoryOf,
  type RunDirectoryOptions,
} from '../configuration.js';

export const reloadCommand = (): Command =>
  addConfigurationArgument(
    addRunDirectoryOptions(
      new Command('reload').description(
        'have the server read its configuration again; the new one applies to new clients only',
      ),
    ),
  )
    .addHelpText(
      'after',
      '\nExample:\n  pptpd-ts reload\n\nExit code 1: the manager does not answer; 2: the configuration is wrong, and the old one stays in force; 3: no manager is\nrunning.',
    )
    .action(async (_file: unknown, options: RunDirectoryOptions) => {
      try {
        const { problems } = reloadResult.parse(await askManager(runDirectoryOf(options), 'reload'));
        for (const problem of problems) console.error(`pptpd-ts: ${problem}`);
        if (problems.length > 0) process.exitCode = EXIT.wrongCall;
        else console.log('configuration reloaded for new clients');
      } catch (error) {
        console.error(`pptpd-ts: ${messageOf(error)}`);
        process.exitCode = error instanceof NoManager ? EXIT.notRunning : EXIT.failed;
      }
    });
