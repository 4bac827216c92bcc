/** Puts the console together: access, API, the page's files, the server. */
import { X509Certificate } from 'node:crypto';
import { Hono } from 'hono';
import { isLoopback } from '../config/addresses.js';
import type { Logger } from '../log/logger.js';
import { messageOf } from '../sys/thrown.js';
import { Access, API } from './access/access.js';
import type { ConsoleEnv, ConsoleUsers } from './access/who.js';
import { createApi } from './api/app.js';
import { ConsoleServer } from './listen.js';
import { loadPageFiles } from './page-files.js';
import { LiveModel } from './live/live-model.js';
import type { Certificate, ConsoleSettings } from './protocol.js';
import type { Root, RootConnection } from './root-requests.js';

export interface ConsoleOptions {
  readonly settings: ConsoleSettings;
  readonly root: RootConnection;
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
    // Strict on loopback, because another site's name could point to it (DNS rebinding), and where names are configured.
    origin: { names, isStrict: names.length > 0 || (socket === null && isLoopback(address)) },
    isUnixSocket: socket !== null,
    proxies,
  });
  const model = new LiveModel({ runDirectory, hasHistory: accounting !== null });
  const app = new Hono<ConsoleEnv>();
  app.use('*', access.guard);
  app.route(API, createApi({ access, log, model, root, settings }));
  const page = loadPageFiles();
  app.get('*', (c) => {
    const found = page.respond(c.req.path, {
      acceptEncoding: c.req.header('accept-encoding') ?? '',
      ifNoneMatch: c.req.header('if-none-match') ?? '',
    });
    if (found === null) return c.notFound();
    return found.status === 304 ? c.body(null, 304, found.headers) : c.body(found.body, 200, found.headers);
  });
  app.notFound((c) => c.text('not found\n', 404));
  const server = new ConsoleServer({ address, port, socket, tls }, app.fetch);
  await server.listen();
  log.info({ where: server.where }, `the console listens at ${server.where}`);
  root.onRenewed((certificate) => renew(server, certificate, log));
}

function renew(server: ConsoleServer, renewed: Certificate, log: Logger): void {
  try {
    server.useCertificate(renewed);
    const { validTo } = new X509Certificate(renewed.certificate);
    log.info({ validTo }, `new connections get the renewed certificate, which is valid until ${validTo}`);
  } catch (error) {
    log.error(
      { err: error },
      `the files of console.tls have changed, and the earlier ones stay in use: ${messageOf(error)}`,
    );
  }
}
