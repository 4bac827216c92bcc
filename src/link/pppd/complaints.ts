/**
 * Lines that pppd prints before it ends with exit code 1, which stands for many things (auth.c of pppd 2.4 and 2.5). They
 * are compared whole.
 */
import type { PppdComplaint } from '../end-cause.js';

const COMPLAINTS: ReadonlyMap<string, PppdComplaint> = new Map([
  ["but I couldn't find any suitable secret (password) for it to use to do so.", 'noSecret'],
  ['(None of the available passwords would let it use an IP address.)', 'noAddressInSecrets'],
]);

/** The complaint in what the pppd at `path` has printed, which puts its own path before some lines; null: none is known. */
export function complaintIn(words: string, path: string): PppdComplaint | null {
  const name = `${path}: `;
  for (const line of words.split(/[\r\n]+/)) {
    const text = line.trim();
    const complaint = COMPLAINTS.get(text.startsWith(name) ? text.slice(name.length) : text);
    if (complaint !== undefined) return complaint;
  }
  return null;
}
