/** Makes the volume of the run directory ready. */
import { accessSync, chmodSync, constants, lstatSync, mkdirSync } from 'node:fs';

const WRITABLE_BY_OTHERS = 0o022;
const FOLDER_MODE = 0o755;

/**
 * The folder of the run directory must be writable, and root alone may write there, because the monitor trusts what it finds.
 * Kubernetes makes volumes that everybody may write to: root may change that.
 */
export function lackOfVolume(folder: string): string[] {
  try {
    mkdirSync(folder, { recursive: true, mode: FOLDER_MODE });
    const { uid, mode } = lstatSync(folder);
    if (uid !== 0)
      return [
        `the volume at ${folder} belongs to user ${uid}, and only root may own it; remedy: chown 0:0 its folder, or use a new volume or --tmpfs ${folder}`,
      ];
    if ((mode & WRITABLE_BY_OTHERS) !== 0) chmodSync(folder, FOLDER_MODE);
    // No file is made to try it: another container with this volume could have put a link in its place.
    accessSync(folder, constants.W_OK);
    return [];
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException;
    return [
      `${folder} cannot be written to (${code}); remedy: mount a writable volume there: --volume pptpd-ts:${folder}, or --tmpfs ${folder}`,
    ];
  }
}

/** The same for the folder of the accounts, if there is one. It may be mounted read-only: then nobody changes it. */
export function closeFolder(folder: string): void {
  try {
    const { uid, mode } = lstatSync(folder);
    if (uid === 0 && (mode & WRITABLE_BY_OTHERS) !== 0) chmodSync(folder, mode & ~WRITABLE_BY_OTHERS & 0o7777);
  } catch {
    // A change of the accounts says what is wrong.
  }
}
