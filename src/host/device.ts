/** Whether a device can be opened, by this process or by root. */
import { closeSync, constants, openSync } from 'node:fs';

/** It opens for CAP_NET_ADMIN only, whatever its mode. */
const FOR_NET_ADMIN = '/dev/ppp';

/**
 * null when the device opens, otherwise the error name of errno(3); EACCES: only root may open it. Opening it makes the kernel
 * load the module.
 */
export function openFailure(device: string): string | null {
  try {
    closeSync(openSync(device, constants.O_RDWR));
    return null;
  } catch (error) {
    return asNamed(device, (error as NodeJS.ErrnoException).code ?? 'unknown', process.geteuid?.() === 0);
  }
}

/** For root EPERM means that the container may not use the device. Other users get EACCES in either case. */
export const asNamed = (device: string, code: string, isRoot: boolean): string =>
  device === FOR_NET_ADMIN && code === 'EPERM' && !isRoot ? 'EACCES' : code;
