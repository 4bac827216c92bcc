/**
 * The console's HTTP server: on an address, with TLS or without, or on a unix socket. It disconnects slow clients, and no
 * client can take all connections.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { lstatSync, rmSync } from 'node:fs';
import { createServer as createHttpServer, type Server as HttpServer, type ServerOptions } from 'node:http';
import { createServer as createHttpsServer, Server as HttpsServer } from 'node:https';
import { connect, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { getRequestListener } from '@hono/node-server';
import { listenFailure } from '../host/listen-failures.js';
import { messageOf } from '../sys/thrown.js';
import type { Certificate } from './protocol.js';

export interface ListenSettings {
  readonly address: string;
  readonly port: number;
  /** In place of address and port; null: none. */
  readonly socket: string | null;
  readonly tls: Certificate | null;
}

type Fetch = Parameters<typeof getRequestListener>[0];

/** Times in milliseconds. */
export interface Limits {
  /** For a client to send its headers, or to finish its TLS handshake. */
  readonly headers: number;
  /** For a client to send its whole request. */
  readonly request: number;
  /** A connection without traffic for this long is closed; event streams send something more often. */
  readonly silence: number;
  readonly connections: number;
  /** From one address. A proxy's address has the connections of all its clients. */
  readonly connectionsPerAddress: number;
}

const LIMITS: Limits = {
  headers: 10_000,
  request: 20_000,
  silence: 120_000,
  connections: 1024,
  connectionsPerAddress: 512,
};

const KEEP_ALIVE_MS = 15_000;
const CHECK_MS = 1000;
const MAX_HEADER = 16_384;

const SOCKET_UMASK = 0o117;

const optionsOf = ({ headers, request }: Limits): ServerOptions => ({
  headersTimeout: headers,
  requestTimeout: request,
  keepAliveTimeout: KEEP_ALIVE_MS,
  connectionsCheckingInterval: Math.min(CHECK_MS, headers),
  maxHeaderSize: MAX_HEADER,
});

export class ConsoleServer {
  readonly #server: HttpServer | HttpsServer;
  readonly #settings: ListenSettings;
  readonly #limits: Limits;
  readonly #connections = new Map<string, number>();

  /** Throws a sentence if the certificate or its key is invalid. */
  constructor(settings: ListenSettings, fetch: Fetch, limits: Limits = LIMITS) {
    this.#settings = settings;
    this.#limits = limits;
    const options = optionsOf(limits);
    const { tls } = settings;
    const listener = getRequestListener(fetch, { overrideGlobalObjects: false });
    this.#server =
      tls === null
        ? createHttpServer(options, (request, response) => void listener(request, response))
        : createHttpsServer(
            { ...options, ...secureContext(tls), handshakeTimeout: limits.headers },
            (request, response) => void listener(request, response),
          );
    this.#server.maxConnections = limits.connections;
    // Any number: Node.js would drop the last ones, which a proxy may have added. `maxHeaderSize` limits their octets.
    this.#server.maxHeadersCount = 0;
    this.#server.setTimeout(limits.silence);
    this.#server.on('connection', (socket: Socket) => this.#admit(socket));
    // A failed handshake is the client's mistake and not logged.
    this.#server.on('tlsClientError', (_error, socket: Socket) => socket.destroy());
  }

  /** Rejects with a sentence. */
  async listen(): Promise<void> {
    const { address, port, socket } = this.#settings;
    if (socket !== null) await removeStale(socket);
    // The socket is never open to others, not even for a moment.
    const umask = process.umask(SOCKET_UMASK);
    try {
      this.#server.listen(socket === null ? { host: address, port } : { path: socket });
      process.umask(umask);
      await once(this.#server, 'listening');
    } catch (error) {
      const where = socket === null ? `on ${address}:${port}` : `on the unix socket ${socket}`;
      throw new Error(socketFailure(socket, error) ?? listenFailure(`for the console ${where}`, error), {
        cause: error,
      });
    } finally {
      process.umask(umask);
    }
  }

  /** For new connections; without effect on a server without TLS. Throws a sentence, and keeps the earlier one. */
  useCertificate(renewed: Certificate): void {
    if (this.#server instanceof HttpsServer) this.#server.setSecureContext(secureContext(renewed));
  }

  /** The address for people. */
  get where(): string {
    const { address, port, socket, tls } = this.#settings;
    return socket ?? `${tls === null ? 'http' : 'https'}://${address}:${port}`;
  }

  /** Also closes every connection; idempotent. */
  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #admit(socket: Socket): void {
    // Read now: a closed connection has none.
    const address = socket.remoteAddress;
    if (address === undefined) return;
    const count = (this.#connections.get(address) ?? 0) + 1;
    if (count > this.#limits.connectionsPerAddress) {
      socket.destroy();
      return;
    }
    this.#connections.set(address, count);
    socket.once('close', () => {
      const left = (this.#connections.get(address) ?? 1) - 1;
      if (left === 0) this.#connections.delete(address);
      else this.#connections.set(address, left);
    });
  }
}

/** Throws a sentence. */
function secureContext({ certificate, key }: Certificate): SecureContextOptions {
  const options = { cert: certificate, key, minVersion: 'TLSv1.2' } as const;
  try {
    // createSecureContext accepts empty files.
    if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key)))
      throw new Error('the key belongs to another certificate');
    createSecureContext(options);
  } catch (error) {
    const why = messageOf(error);
    throw new Error(
      `the certificate of the console cannot be used: ${why}; remedy: correct console.tls, see pptpd-ts doctor`,
      { cause: error },
    );
  }
  return options;
}

/** null: the error has no sentence of its own for unix sockets. */
function socketFailure(socket: string | null, error: unknown): string | null {
  if (socket === null) return null;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EACCES' || code === 'ENOENT')
    return `cannot listen for the console on ${socket}: its folder does not exist or belongs to another user; remedy: install -d -m 2750 -o ${process.getuid?.()} -g GROUP ${dirname(socket)}, with the proxy's group`;
  return null;
}

/** Removes the socket of a console that died. Rejects if another program listens on it, or if it is not a socket. */
async function removeStale(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket())
    throw new Error(
      `cannot listen for the console on ${path}: it exists and is not a socket; remedy: name another console.socket`,
    );
  const isAlive = await new Promise<boolean>((resolve) => {
    const probe = connect(path);
    probe
      .once('error', () => resolve(false))
      .once('connect', () => {
        probe.destroy();
        resolve(true);
      });
  });
  if (isAlive)
    throw new Error(`cannot listen for the console on ${path}: another program listens there; remedy: stop it`);
  rmSync(path, { force: true });
}
