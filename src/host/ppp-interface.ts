/** Finds the network interface of a pppd, which writes its process id to /run/pppN.pid (pppd(8), FILES). */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The interface of the pppd with this process id, such as `ppp0`; null if it has none, or if pppd writes no such file.
 */
export function interfaceOfPppd(pid: number, directory = '/run'): string | null {
  try {
    for (const name of readdirSync(directory)) {
      if (!/^ppp\d+\.pid$/.test(name)) continue;
      if (Number.parseInt(readFileSync(join(directory, name), 'utf8'), 10) === pid)
        return name.slice(0, -'.pid'.length);
    }
  } catch {
    return null; // the file was removed, or cannot be read by this user
  }
  return null;
}
