/**
 * Makes folders reachable for a user that is not root, even if the checkout lies in a closed home directory. In the
 * test's mount namespace the closed folder is covered by an empty one, which contains only those folders, at the same
 * paths.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';

/** `mayEnter` returns whether the user may enter a folder. Call it in a namespace (netns.ts). Throws mount's error. */
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
    // Use the descriptor, because the path now leads to the new folder.
    mount('--no-canonicalize', '--bind', `/proc/${process.pid}/fd/${descriptor}`, folder);
  }
}

/** The parent folders, starting with the root. */
function ancestors(folder: string): string[] {
  const above = dirname(folder);
  return above === folder ? [] : [...ancestors(above), above];
}

function mount(...args: readonly string[]): void {
  const { status, stderr } = spawnSync('mount', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`mount ${args.join(' ')}: ${stderr}`);
}
