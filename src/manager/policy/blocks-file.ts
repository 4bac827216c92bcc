/**
 * The blocked addresses in the run directory, for the next manager. Times are on the machine's clock, the only one that managers
 * share; a reader limits each block to the duration in the configuration, in case the clock was changed.
 */
import { readFileSync } from 'node:fs';
import * as z from 'zod';
import type { Block } from '../../session/manager-status.js';
import { writeWhole } from '../../session/whole-file.js';

const file = z.array(z.object({ address: z.ipv4(), failedLogins: z.number(), until: z.number() }));

/** The current blocks; none if there is no file. Throws if it cannot be read or parsed. `now`: ms since the epoch. */
export function readBlocks(path: string, now: number): Block[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  const blocks = file.parse(JSON.parse(text));
  return blocks.flatMap(({ address, failedLogins, until }) =>
    until > now ? { address, failedLogins, remaining: (until - now) / 1000 } : [],
  );
}

/** Writes the file as a whole or not at all; throws the system's error. */
export function writeBlocks(path: string, blocks: readonly Block[], now: number): void {
  const kept: z.infer<typeof file> = blocks.map(({ address, failedLogins, remaining }) => ({
    address,
    failedLogins,
    until: Math.round(now + remaining * 1000),
  }));
  writeWhole(path, kept);
}
