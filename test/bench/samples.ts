/** What sampler.ts leaves in its file: the octets that a worker has allocated, by function. */
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';

const PATIENCE_MS = 10_000;
const MAX_SITES = 8;

/** Of the Chrome DevTools protocol's HeapProfiler.SamplingHeapProfileNode, what is read here. */
interface ProfileNode {
  readonly callFrame: { readonly functionName: string; readonly lineNumber: number };
  readonly selfSize: number;
  readonly children: readonly ProfileNode[];
}

/** What a server is started with, so that its workers leave their profile in `file`. */
export const samplerEnvironment = (file: string): Record<string, string> => ({
  NODE_OPTIONS: `--import=${new URL('sampler.js', import.meta.url).href}`,
  SAMPLES: file,
});

const sitesOf = (node: ProfileNode): (readonly [site: string, octets: number])[] => [
  [`${node.callFrame.functionName || '(anonymous)'}:${node.callFrame.lineNumber + 1}`, node.selfSize],
  ...node.children.flatMap(sitesOf),
];

/** Waits for the profile; says on standard error which functions have allocated most, and returns all octets. */
export async function allocatedBy(file: string): Promise<number> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!existsSync(file)) {
    if (performance.now() > deadline) throw new Error('the worker has left no samples');
    await wait(50);
  }
  const profile: { readonly head: ProfileNode } = JSON.parse(readFileSync(file, 'utf8'));
  const sites = new Map<string, number>();
  for (const [site, octets] of sitesOf(profile.head)) sites.set(site, (sites.get(site) ?? 0) + octets);
  const most = [...sites].toSorted(([, a], [, b]) => b - a).slice(0, MAX_SITES);
  console.error(`allocated: ${most.map(([site, octets]) => `${site} ${Math.round(octets / 1024)} KiB`).join(', ')}`);
  return [...sites.values()].reduce((sum, octets) => sum + octets, 0);
}
