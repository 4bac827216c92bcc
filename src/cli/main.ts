/** The command line's entry: one file a command in src/cli/commands. */
import { Command, CommanderError } from 'commander';
import { version } from '../host/version.js';
import { blocksCommand } from './commands/blocks.js';
import { captureCommand } from './commands/capture.js';
import { checkCommand } from './commands/check.js';
import { completionCommand, completionWordsCommand } from './commands/completion.js';
import { debugCommand } from './commands/debug.js';
import { doctorCommand } from './commands/doctor.js';
import { importCommand } from './commands/import.js';
import { kickCommand } from './commands/kick.js';
import { referenceCommand } from './commands/reference.js';
import { reloadCommand } from './commands/reload.js';
import { sessionsCommand } from './commands/sessions.js';
import { showCommand } from './commands/show.js';
import { statusCommand } from './commands/status.js';
import { topCommand } from './commands/top.js';
import { watchCommand } from './commands/watch.js';
import { configurationOption, EXIT } from './configuration.js';

/** `serve` itself is the manager, which bin/pptpd-ts starts; here it stands for the help alone. */
const serveHelp = new Command('serve')
  .description('run the server in the foreground')
  .addOption(configurationOption())
  .addHelpText(
    'after',
    '\nExample:\n  pptpd-ts serve -c /etc/pptpd-ts.json\n\nSignals: TERM ends every session and the server; QUIT leaves the sessions; HUP reloads.\n\nExit code 0 after TERM, INT or QUIT; 1: the server cannot work here; 2: a mistake in the configuration.',
  );

const program = new Command('pptpd-ts')
  .description('a PPTP server for Linux')
  .version(version)
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
  .addCommand(reloadCommand())
  .addCommand(captureCommand())
  .addCommand(debugCommand())
  .addCommand(completionCommand())
  .addCommand(completionWordsCommand(), { hidden: true })
  .addCommand(referenceCommand(), { hidden: true });

// Whoever reads (`| head`) has had enough: no fault of ours, and no more to do.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(EXIT.ok);
});
program.exitOverride().showHelpAfterError();
for (const command of program.commands) command.exitOverride().showHelpAfterError('(--help shows all options)');
try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // Help and version are no errors; everything else was a wrong call, which commander has explained.
  process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.wrongCall;
}
