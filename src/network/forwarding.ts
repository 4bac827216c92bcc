/**
 * The kernel's switch for IPv4 forwarding. The server turns it on and never off, because other programs may rely on it by
 * then.
 */
import { accessSync, constants, readFileSync, writeFileSync } from 'node:fs';
import { SystemCallFailed } from '../sys/libc.js';

const SWITCH = '/proc/sys/net/ipv4/ip_forward';

const isOn = (): boolean => readFileSync(SWITCH, 'latin1').trim() === '1';

/** Whether the kernel forwards IPv4 packets. */
export function isForwarding(): boolean {
  try {
    return isOn();
  } catch {
    return false;
  }
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error);

/** Why it cannot be turned on (errno(3)); null: it can, or is on. */
export function forwardingFailure(): string | null {
  try {
    if (!isOn()) accessSync(SWITCH, constants.W_OK);
    return null;
  } catch (error) {
    return codeOf(error);
  }
}

/** Returns whether it was off. Throws SystemCallFailed. */
export function turnForwardingOn(): boolean {
  try {
    if (isOn()) return false;
    writeFileSync(SWITCH, '1\n');
    return true;
  } catch (error) {
    throw new SystemCallFailed('set net.ipv4.ip_forward to 1', codeOf(error));
  }
}
