/** The command line's entry: runs the program (program.ts), and says by its exit code what came of it. */
import { CommanderError } from 'commander';
import { EXIT } from './configuration.js';
import { newProgram } from './program.js';

const program = newProgram();

// Whoever reads (`| head`) has had enough: no fault of ours, and no more to do.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(EXIT.ok);
});
program.exitOverride().showHelpAfterError('(--help shows all commands)');
for (const command of program.commands) command.exitOverride().showHelpAfterError('(--help shows all options)');
try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // Help and version are no errors; everything else was a wrong call, which commander has explained.
  process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.wrongCall;
}
