/** Finds the network interfaces of pppds, each of which writes its process id to /run/pppN.pid (pppd(8), FILES). */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The interfaces by the process id of their pppd. Files that are removed meanwhile, or not for this user, are left out. */
export function interfacesOfPppds(directory = '/run'): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  for (const name of namesIn(directory)) {
    if (!/^ppp\d+\.pid$/.test(name)) continue;
    try {
      found.set(Number.parseInt(readFileSync(join(directory, name), 'utf8'), 10), name.slice(0, -'.pid'.length));
    } catch {
      continue;
    }
  }
  return found;
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/**
 * The interface of the pppd with this process id, such as `ppp0`; null if it has none, or if pppd writes no such file.
 */
export const interfaceOfPppd = (pid: number, directory?: string): string | null =>
  interfacesOfPppds(directory).get(pid) ?? null;
