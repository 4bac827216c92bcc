/**
 * Opens the way to folders for a user that is not root: a checkout in somebody's home may not be reached by any other. In the
 * test's own mount namespace the closed folder is covered by an empty one, in which only those folders stand, where they stood.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';

/** `mayEnter` tells whether the user may pass through a folder. Call it in a namespace (netns.ts). Throws what mount says. */
export function makeReachable(folders: readonly string[], mayEnter: (folder: string) => boolean): void {
  const closed = new Set<string>();
  const hidden: { readonly folder: string; readonly descriptor: number }[] = [];
  for (const folder of folders) {
    const obstacle = ancestors(folder).find((each) => !mayEnter(each));
    if (obstacle === undefined) continue;
    closed.add(obstacle);
    hidden.push({ folder, descriptor: openSync(folder, 'r') });
  }
  for (const obstacle of closed) mount('-t', 'tmpfs', '-o', 'mode=755', 'reachable', obstacle);
  for (const { folder, descriptor } of hidden) {
    mkdirSync(folder, { recursive: true });
    // By the descriptor: the path is the new folder's by now.
    mount('--no-canonicalize', '--bind', `/proc/${process.pid}/fd/${descriptor}`, folder);
  }
}

/** From the root down, the folder itself left out. */
function ancestors(folder: string): string[] {
  const above = dirname(folder);
  return above === folder ? [] : [...ancestors(above), above];
}

function mount(...args: readonly string[]): void {
  const { status, stderr } = spawnSync('mount', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`mount ${args.join(' ')}: ${stderr}`);
}
