/**
 * The file of the configuration's `pidFile`, for others who look for the process id there. Without it the server works
 * as well: manager.pid in the run directory is what its own programs read. So what goes wrong here is only said.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Logger } from '../log/logger.js';

const own = `${process.pid}\n`;

/** Where the folder is root's alone, root has written it before it became the server's user (prepare.ts). */
const isWritten = (path: string): boolean => {
  try {
    return readFileSync(path, 'latin1') === own;
  } catch {
    return false;
  }
};

export function writePidFile(path: string, log: Logger): void {
  try {
    if (!isWritten(path)) writeFileSync(path, own);
  } catch (error) {
    log.warn(
      `the process id cannot be written to ${path} (pidFile): ${(error as Error).message}. Name a file in a folder that the server may write to, or leave pidFile out.`,
    );
  }
}

/** One that root has written stays, as pptpd's does. */
export function removePidFile(path: string): void {
  try {
    if (isWritten(path)) rmSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EACCES' && code !== 'EPERM') throw error;
  }
}
