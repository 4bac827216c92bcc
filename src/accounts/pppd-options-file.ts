/** pppd's options file: how pppd is told its name, and the options in it and in the files that it includes. Pure. */
import { optionsIn, type PppdOption } from './pppd-option-table.js';
import { textOf, wordsOf } from './pppd-words.js';

/**
 * Only root can write there, so pppd accepts privileged options (name, plugin, noauth ...) from its files, whoever starts
 * pppd.
 */
export const PEERS = '/etc/ppp/peers/';

/** pppd always reads it first. */
export const SYSTEM_OPTIONS = '/etc/ppp/options';

/**
 * A file below /etc/ppp/peers is passed with `call`, any other with `file`. Privileged options in the latter require a
 * server that runs as root.
 */
export function optionsArguments(path: string | undefined): string[] {
  if (path === undefined) return [];
  return path.startsWith(PEERS) ? ['call', path.slice(PEERS.length)] : ['file', path];
}

/** The file that `file` or `call` includes; null for any other option. */
export function includedBy({ name, value }: PppdOption): string | null {
  if (value === null) return null;
  return name === 'file' ? value : name === 'call' ? PEERS + value : null;
}

export interface FileOption extends PppdOption {
  readonly path: string;
  /** From 1. */
  readonly line: number;
}

/** The file's options in their order; files that it includes stand in place. `read`: a file's text, null without one. */
export function optionsOfFile(
  path: string,
  read: (path: string) => string | null,
  within: readonly string[] = [],
): FileOption[] {
  if (within.includes(path)) return [];
  const words = wordsOf(read(path) ?? '');
  return optionsIn(words.map(({ bytes }) => textOf(bytes))).flatMap(({ name, value, at }) => {
    const included = includedBy({ name, value });
    return included === null
      ? { name, value, path, line: words[at]?.line ?? 1 }
      : optionsOfFile(included, read, [...within, path]);
  });
}
