/** Puts the console together: access, API, the page's files, the server. */
import { Hono } from 'hono';
import { isLoopback } from '../config/addresses.js';
import type { Logger } from '../log/logger.js';
import { Access, API, type ConsoleEnv, type ConsoleUsers } from './access/access.js';
import { createApi } from './api/app.js';
import { ConsoleServer } from './listen.js';
import { LiveModel } from './live/live-model.js';
import type { ConsoleSettings } from './protocol.js';
import type { Root } from './root-requests.js';

export interface ConsoleOptions {
  readonly settings: ConsoleSettings;
  readonly root: Root;
  readonly log: Logger;
  /** Milliseconds, not set back. */
  readonly now: () => number;
  readonly random: (octets: number) => Buffer;
}

/** The console's own users, which root reads. */
const usersOf = (root: Root): ConsoleUsers => ({
  find: async (name) => (await root.ask({ ask: 'consoleUser', name })) as Awaited<ReturnType<ConsoleUsers['find']>>,
  findToken: async (hash) =>
    (await root.ask({ ask: 'consoleToken', hash })) as Awaited<ReturnType<ConsoleUsers['findToken']>>,
});

/** Resolves when it listens; rejects with a sentence. */
export async function startConsole({ settings, root, log, now, random }: ConsoleOptions): Promise<void> {
  const { address, port, socket = null, tls, names, proxies, runDirectory, accounting } = settings;
  const access = new Access({
    users: usersOf(root),
    log,
    now,
    random,
    // A proxy has the name that the administrator gave it; on loopback no other site's name may point here.
    origin: { names, isStrict: names.length > 0 || (socket === null && isLoopback(address)) },
    isUnixSocket: socket !== null,
    proxies,
  });
  const model = new LiveModel({ runDirectory, hasHistory: accounting !== null });
  const app = new Hono<ConsoleEnv>();
  app.use('*', access.guard);
  app.route(API, createApi({ access, log, model, root, settings }));
  const server = new ConsoleServer({ address, port, socket, tls }, app.fetch);
  await server.listen();
  log.info({ where: server.where }, `the console listens at ${server.where}`);
}
