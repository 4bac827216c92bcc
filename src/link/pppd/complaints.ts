/**
 * Lines that pppd prints before it ends with exit code 1, which stands for many things (auth.c of pppd 2.4 and 2.5). They
 * are compared whole.
 */
import type { PppdComplaint } from '../end-cause.js';

const COMPLAINTS: ReadonlyMap<string, PppdComplaint> = new Map([
  ["but I couldn't find any suitable secret (password) for it to use to do so.", 'noSecret'],
  ['(None of the available passwords would let it use an IP address.)', 'noAddressInSecrets'],
]);

/**
 * The last known complaint in what the pppd at `path` has printed, null if there is none. pppd puts its own path before some
 * lines, and the more precise line last.
 */
export function complaintIn(words: string, path: string): PppdComplaint | null {
  const name = `${path}: `;
  const known = words.split(/[\r\n]+/).flatMap((line) => {
    const text = line.trim();
    return COMPLAINTS.get(text.startsWith(name) ? text.slice(name.length) : text) ?? [];
  });
  return known.at(-1) ?? null;
}
