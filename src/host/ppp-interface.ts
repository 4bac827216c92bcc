/** Which network interface a pppd has made: it writes its process id to /run/pppN.pid (pppd(8), FILES). */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The interface of the pppd with this process id, `ppp0` or so; null while it has none, or when pppd keeps no such file. */
export function interfaceOfPppd(pid: number, directory = '/run'): string | null {
  try {
    for (const name of readdirSync(directory)) {
      if (!/^ppp\d+\.pid$/.test(name)) continue;
      if (Number.parseInt(readFileSync(join(directory, name), 'utf8'), 10) === pid)
        return name.slice(0, -'.pid'.length);
    }
  } catch {
    return null; // the file went away, or is not ours to read: no interface to be known
  }
  return null;
}
