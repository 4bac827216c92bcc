/** How a command ends that cannot change a file. */
import { messageOf } from '../sys/thrown.js';
import { EXIT } from './configuration.js';

/** Prints one line for each mistake, and sets the exit code. */
export function fail(error: unknown): void {
  const { code, path } = error as NodeJS.ErrnoException;
  const isDenied = code === 'EACCES' || code === 'EPERM';
  const text = messageOf(error);
  const sentence = isDenied ? `${path}: this user may not read or change it; remedy: run the command as root` : text;
  for (const line of sentence.split('\n')) console.error(`pptpd-ts: ${line}`);
  process.exitCode = EXIT.failed;
}
