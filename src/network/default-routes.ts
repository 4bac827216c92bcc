/** Finds the interfaces of the IPv4 default routes. */
import { readFileSync } from 'node:fs';
import { isUplinkName } from '../config/network.js';

/** Of the kernel's main routing table (proc(5)). */
const ROUTES = '/proc/net/route';
// linux/route.h
const RTF_UP = 0x0001;
const RTF_REJECT = 0x0200;

/** In the order of the table, each once; `text` is that of /proc/net/route. */
export function defaultRoutesIn(text: string): string[] {
  const names = text.split('\n').flatMap((line) => {
    const [name = '', destination, , flags = '0', , , , mask] = line.split('\t');
    const isDefault = Number(`0x${destination}`) === 0 && Number(`0x${mask?.trim()}`) === 0;
    const isUsable = (Number.parseInt(flags, 16) & (RTF_UP | RTF_REJECT)) === RTF_UP;
    return isDefault && isUsable && isUplinkName(name) ? [name] : [];
  });
  return [...new Set(names)];
}

/** None if the kernel's table cannot be read. */
export function defaultRoutes(): string[] {
  try {
    return defaultRoutesIn(readFileSync(ROUTES, 'utf8'));
  } catch {
    return [];
  }
}
