/** The command line as one commander program. Each command is a file in src/cli/commands. */
import { Command, Option } from 'commander';
import { version } from '../host/version.js';
import { blocksCommand } from './commands/blocks.js';
import { captureCommand } from './commands/capture.js';
import { checkCommand } from './commands/check.js';
import { consoleCommand } from './commands/console.js';
import { completionCommand, completionWordsCommand } from './commands/completion.js';
import { debugCommand } from './commands/debug.js';
import { doctorCommand } from './commands/doctor.js';
import { helpCommand } from './commands/help.js';
import { importCommand } from './commands/import.js';
import { kickCommand } from './commands/kick.js';
import { monitorCommand } from './commands/monitor.js';
import { referenceCommand } from './commands/reference.js';
import { reloadCommand } from './commands/reload.js';
import { serviceCommands } from './commands/service.js';
import { sessionsCommand } from './commands/sessions.js';
import { showCommand } from './commands/show.js';
import { statusCommand } from './commands/status.js';
import { topCommand } from './commands/top.js';
import { usersCommand } from './commands/users.js';
import { watchCommand } from './commands/watch.js';
import { versionCommand } from './commands/version.js';
import { addConfigurationArgument, configurationOption, EXIT } from './configuration.js';

/** For the help only: bin/pptpd-ts itself starts the manager for `serve`. */
const serveHelp = addConfigurationArgument(new Command('serve').description('run the server in the foreground'))
  .addOption(configurationOption())
  .addHelpText(
    'after',
    '\nExample:\n  pptpd-ts serve -c /etc/pptpd-ts.json\n\nSignals: TERM and INT end all sessions and the server; QUIT ends the server and leaves the sessions running;\nHUP reloads the configuration.\n\nExit code 0: after TERM, INT or QUIT; 1: the server cannot work on this machine; 2: the configuration is wrong.',
  );

export function newProgram(): Command {
  const program = new Command('pptpd-ts')
    .description('a PPTP server for Linux')
    .version(version, '-v, --version', 'print the version')
    .addCommand(serveHelp)
    .addCommand(checkCommand())
    .addCommand(doctorCommand())
    .addCommand(importCommand())
    .addCommand(statusCommand())
    .addCommand(sessionsCommand())
    .addCommand(showCommand())
    .addCommand(topCommand())
    .addCommand(watchCommand())
    .addCommand(kickCommand())
    .addCommand(blocksCommand())
    .addCommand(usersCommand())
    .addCommand(consoleCommand())
    .addCommand(reloadCommand())
    .addCommand(captureCommand())
    .addCommand(debugCommand())
    .addCommand(completionCommand())
    .addCommand(versionCommand())
    .addCommand(helpCommand())
    .addCommand(completionWordsCommand(), { hidden: true })
    .addCommand(referenceCommand(), { hidden: true })
    .addCommand(monitorCommand(), { hidden: true });
  for (const command of serviceCommands()) program.addCommand(command, { hidden: true });
  // The former name of -v.
  program.addOption(new Option('-V').hideHelp()).on('option:V', () => {
    console.log(version);
    process.exit(EXIT.ok);
  });
  return program;
}
