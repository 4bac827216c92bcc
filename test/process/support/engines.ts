/**
 * Both PPP engines for tests that concern neither: pppd, for which a stand-in speaks enough PPP for a login of any user
 * whose name does not begin with "wrong"; and the builtin engine with its monitor and TUN devices.
 */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, type TestContext } from 'node:test';
import type { Client } from './client.js';
import { prepareMachine } from './monitor.js';
import { endWith, Server, type Settings, startServer } from './server.js';
import { ClientLogins } from './client-logins.js';
import { PASSWORD, VpnClient } from './vpn-client.js';

/** A client that has logged in. */
export interface Guest {
  readonly client: Client;
  /** One echo, through the tunnel and back. */
  echo(): Promise<void>;
  /** Resolves when the server has closed the connection. */
  gone(): Promise<void>;
}

export interface EngineUnderTest {
  readonly name: string;
  /** `standIn`: more options of the stand-in for pppd. */
  startServer(t: TestContext, settings?: Settings, ...standIn: string[]): Promise<Server>;
  /** A call whose login has not begun. */
  called(t: TestContext, user: string, address: string): Promise<Guest & { logIn(): Promise<void> }>;
  loggedIn(t: TestContext, user: string, address: string): Promise<Guest>;
  /** A login that does not get far: whether refused or ended, its connection closes. */
  losesItsLogin(t: TestContext, user: string, address: string): Promise<Guest>;
  close(): void;
}

const SECRETS = ['alice', 'bob'].map((user) => `${user} * ${PASSWORD} *\n`).join('');

/** A server with the builtin engine, configured but not started. Its machine must be prepared (monitor.ts). */
export function builtinServer(settings: Settings = {}, faulty = false): Server {
  const server = new Server(faulty);
  chmodSync(server.directory, 0o755);
  writeFileSync(secretsOf(server), SECRETS, { mode: 0o600 });
  configureBuiltin(server, settings);
  return server;
}

export const secretsOf = (server: Server): string => join(server.directory, 'chap-secrets');
export const accountsOf = (server: Server): string => join(server.directory, 'accounts.json');

/** `Server.configure` for the builtin engine. */
export function configureBuiltin(server: Server, { ppp, ...settings }: Settings = {}): void {
  server.configure({
    accounts: { file: accountsOf(server) },
    ...settings,
    ppp: { engine: 'builtin', dataPath: 'tun', secrets: secretsOf(server), ...ppp },
  });
}

export async function startBuiltin(t: TestContext, settings: Settings = {}): Promise<Server> {
  const server = builtinServer(settings);
  endWith(t, server);
  server.start();
  await server.ready();
  return server;
}

const BUILTIN: EngineUnderTest = {
  name: 'builtin',
  startServer: async (t, settings) => startBuiltin(t, settings),
  called: async (t, user, from) => VpnClient.call(t, credentials(user, from)),
  loggedIn: async (t, user, from) => VpnClient.loggedIn(t, credentials(user, from)),
  losesItsLogin: async (t, user, from) => {
    const client = await VpnClient.call(t, credentials(user, from));
    client.negotiate();
    await client.gone();
    return client;
  },
  close: () => undefined,
};

/** Clients behind one address have different ones. */
let lastCallId = 0;

const credentials = (user: string, from: string) => ({
  user,
  from,
  callId: ++lastCallId,
  password: user.startsWith('wrong') ? 'looking glass' : PASSWORD,
});

function standInPppd(): EngineUnderTest {
  const logins = new ClientLogins();
  return {
    name: 'pppd',
    startServer: async (t, settings, ...options) => startServer(t, settings, 'login', ...options),
    called: async (...visit) => logins.called(...visit),
    loggedIn: async (...visit) => logins.loggedIn(...visit),
    losesItsLogin: async (...visit) => logins.losesItsLogin(...visit),
    close: () => logins.close(),
  };
}

/** Defines the same tests for both engines. */
export function forBothEngines(define: (engine: EngineUnderTest) => void): void {
  before(prepareMachine);
  for (const engine of [standInPppd(), BUILTIN]) {
    after(() => engine.close());
    describe(engine.name, () => define(engine));
  }
}
