/** Entry point of the command line: runs the program (program.ts) and sets the exit code. */
import { type Command, CommanderError } from 'commander';
import { EXIT } from './configuration.js';
import { newProgram } from './program.js';

const program = newProgram();

// The reader has closed the pipe (`| head`): end without an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(EXIT.ok);
});
program.exitOverride().showHelpAfterError('(--help shows all commands)');
function report(commands: readonly Command[]): void {
  for (const command of commands) {
    command.exitOverride().showHelpAfterError('(--help shows all options)');
    report(command.commands);
  }
}
report(program.commands);
try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // Help and version exit with 0. Everything else is a usage error, which commander has printed.
  process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.wrongCall;
}
