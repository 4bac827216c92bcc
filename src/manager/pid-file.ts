/**
 * The configuration's `pidFile`, for other programs. The server's own programs read manager.pid in the run directory, so a
 * failure here is only logged.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Logger } from '../log/logger.js';
import { messageOf } from '../sys/thrown.js';

const own = `${process.pid}\n`;

/** In a folder that only root can write to, prepare.ts has written the file as root. */
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
      `cannot write the process id to ${path} (pidFile): ${messageOf(error)}; remedy: name a file in a folder that the server may write to, or remove pidFile`,
    );
  }
}

/** A file that root has written stays, as pptpd's does. */
export function removePidFile(path: string): void {
  try {
    if (isWritten(path)) rmSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EACCES' && code !== 'EPERM') throw error;
  }
}
