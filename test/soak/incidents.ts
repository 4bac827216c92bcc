/** What happens to the whole server amid a soak, as a table: the manager goes and comes back, or reads its configuration anew. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Server } from '../process/support/server.js';
import { statusOf } from './sampler.js';

const PATIENCE_MS = 60_000;
const POLL_MS = 50;

export interface Incident {
  /** Those who come meanwhile may find nobody. */
  readonly outage: boolean;
  readonly act: (server: Server, configure: () => void) => Promise<void>;
}

/** Resolves when a manager answers. */
export async function untilManaged(server: Server): Promise<void> {
  const limit = performance.now() + PATIENCE_MS;
  while ((await statusOf(server.runDirectory))?.pid !== server.pid) {
    if (!server.isRunning || performance.now() > limit) throw new Error(`no manager answers: ${server.words}`);
    await wait(POLL_MS);
  }
}

async function another(server: Server, signal: NodeJS.Signals): Promise<void> {
  server.signal(signal);
  await server.exited();
  server.start();
  await untilManaged(server);
}

export const INCIDENTS = {
  'manager killed': { outage: true, act: async (server) => another(server, 'SIGKILL') },
  'manager replaced': { outage: true, act: async (server) => another(server, 'SIGQUIT') },
  reload: {
    outage: false,
    act: async (server, configure) => {
      configure();
      server.signal('SIGHUP');
      await untilManaged(server);
    },
  },
} as const satisfies Record<string, Incident>;

export type IncidentName = keyof typeof INCIDENTS;

/**
 * When what happens, seconds since the start: managers come and go in the first third, so that the last one's memory can
 * be watched for long; reloads go on.
 */
export function plan(duration: number): { readonly at: number; readonly name: IncidentName }[] {
  const restarts = Math.max(2, Math.round(duration / 180));
  const every = duration / 3 / restarts;
  const managers = Array.from({ length: restarts }, (_, index) => ({
    at: every * (index + 0.5),
    name: index % 2 === 0 ? ('manager killed' as const) : ('manager replaced' as const),
  }));
  const reloads = Math.max(2, Math.round(duration / 60));
  const others = Array.from({ length: reloads }, (_, index) => ({
    at: (duration / reloads) * (index + 0.75),
    name: 'reload' as const,
  }));
  return [...managers, ...others].toSorted((a, b) => a.at - b.at);
}
