/**
 * The blocked addresses in the run directory, so that the next manager goes on with them. By the machine's clock, since
 * the managers have no other in common; whoever reads it trusts no block to last longer than the configuration says.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Block } from '../../session/manager-status.js';
import { writeWhole } from '../../session/whole-file.js';

const file = z.array(z.object({ address: z.ipv4(), failedLogins: z.number(), until: z.number() }));

/** The blocks that stand; none when there is no file. Throws when it cannot be read or understood. `now`: of the epoch, ms. */
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

/** Writes it whole or not at all; throws what the system says. */
export function writeBlocks(path: string, blocks: readonly Block[], now: number): void {
  const kept: z.infer<typeof file> = blocks.map(({ address, failedLogins, remaining }) => ({
    address,
    failedLogins,
    until: Math.round(now + remaining * 1000),
  }));
  writeWhole(path, kept);
}
