/** Who gets into the console of a running server: its users, HTTPS, a unix socket, and a process without privileges. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { CONSOLE_UID } from '../../src/host/unix-user.js';
import { makeCertificate } from './support/certificate.js';
import { builtinServer, configureBuiltin } from './support/engines.js';
import { prepareMachine } from './support/monitor.js';
import { enterNamespace, namespaceProcesses } from './support/netns.js';
import { CLIENT_ADDRESSES, endWith, PROGRAM, SERVER_ADDRESS, type Server } from './support/server.js';
import { until } from './support/wait.js';

enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES);
before(prepareMachine);
const folder = mkdtempSync(join(tmpdir(), 'pptpd-ts-console-'));
after(() => rmSync(folder, { recursive: true }));

const PORT = 8723;
/** www-data on Debian. */
const PROXY_GID = 33;
const [PASSWORD, OTHER] = ['correct horse', 'battery staple'];

function command(server: Server, input: string, ...words: readonly string[]): void {
  const args = ['console', ...words, '-c', server.configurationFile];
  const { status, stderr } = spawnSync(PROGRAM, args, { input, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
}

async function start(t: TestContext, section: Readonly<Record<string, unknown>>): Promise<Server> {
  const server = builtinServer();
  configureBuiltin(server, { console: { users: `${server.directory}/console.json`, ...section } });
  endWith(t, server);
  command(server, `${PASSWORD}\n`, 'user', 'add', 'alice', '--role', 'admin');
  server.start();
  await server.ready();
  await server.waitForLog('the console to listen', ({ msg }) => msg.startsWith('the console listens at'));
  return server;
}

interface Answer {
  readonly status: number;
  readonly cookie: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A browser without a page. */
class Browser {
  readonly #where: Readonly<Record<string, unknown>>;
  #cookie = '';
  #csrf = '';

  constructor(where: Readonly<Record<string, unknown>>) {
    this.#where = where;
  }

  async ask(
    method: string,
    path: string,
    body?: unknown,
    more: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const text = body === undefined ? '' : JSON.stringify(body);
    const headers = {
      'content-length': String(Buffer.byteLength(text)),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(this.#cookie === '' ? {} : { cookie: this.#cookie, 'x-csrf-token': this.#csrf }),
      ...more,
    };
    const send = 'ca' in this.#where ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      const asked = send({ ...this.#where, method, path: `/api/v1${path}`, headers, agent: false }, (response) => {
        let answer = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            cookie: response.headers['set-cookie']?.[0] ?? '',
            body: JSON.parse(answer) as Answer['body'],
          }),
        );
      });
      asked.on('error', reject).end(text);
    });
  }

  async logIn(password: string, more: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const answer = await this.ask('POST', '/login', { name: 'alice', password }, more);
    this.#cookie = answer.cookie.split(';')[0] ?? '';
    this.#csrf = String(answer.body['csrf']);
    return answer;
  }
}

const consoleProcess = () => namespaceProcesses().find(({ command: name }) => name.startsWith('pptpd-ts console'));

test('over HTTPS: login, changes with their author in the log, another password, lock-out, and a console that died', async (t) => {
  const { files, certificate } = makeCertificate(folder, 'console', SERVER_ADDRESS);
  const server = await start(t, { address: SERVER_ADDRESS, port: PORT, tls: files });
  const browser = new Browser({ host: SERVER_ADDRESS, port: PORT, ca: certificate });
  assert.equal((await browser.ask('GET', '/status')).status, 401);
  const { status, cookie } = await browser.logIn(PASSWORD);
  assert.equal(status, 200);
  assert.match(
    cookie,
    /^__Host-pptpd-ts-console=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
  );
  assert.equal((await browser.ask('GET', '/status')).status, 200);
  assert.equal((await browser.ask('POST', '/reload')).status, 200);
  assert.equal((await browser.ask('POST', '/reload', undefined, { 'x-csrf-token': 'none' })).status, 403);
  assert.equal((await browser.ask('POST', '/reload', undefined, { origin: 'https://evil.example' })).status, 403);
  await server.waitForLog(
    'who it was',
    ({ who, path, status: is }) => who === 'alice' && path === '/api/v1/reload' && is === 200,
  );

  // No privileges, and nothing that another process of the server could read.
  const { pid = 0 } = consoleProcess() ?? {};
  const facts = readFileSync(`/proc/${pid}/status`, 'utf8');
  assert.match(facts, new RegExp(`^Uid:\t${CONSOLE_UID}\t${CONSOLE_UID}\t${CONSOLE_UID}\t${CONSOLE_UID}$`, 'm'));
  assert.match(facts, /^Groups:\t ?$/m);
  for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
    assert.match(facts, new RegExp(`^${set}:\t0{16}$`, 'm'));
  assert.match(facts, /^NoNewPrivs:\t1$/m);
  // Not dumpable: its files in /proc belong to root.
  assert.equal(statSync(`/proc/${pid}/environ`).uid, 0);

  command(server, `${OTHER}\n`, 'user', 'passwd', 'alice');
  await until('the login to be over', async () => (await browser.ask('GET', '/me')).status === 401);
  const [from] = CLIENT_ADDRESSES;
  const stranger = new Browser({ host: SERVER_ADDRESS, port: PORT, ca: certificate, localAddress: from });
  for (let index = 0; index < 5; index += 1) assert.equal((await stranger.logIn(PASSWORD)).status, 401);
  assert.equal((await stranger.logIn(OTHER)).status, 429);
  // A forged header makes nobody else of a client.
  assert.equal((await stranger.logIn(OTHER, { 'x-forwarded-for': '203.0.113.1' })).status, 429);
  await server.waitForLog('the lock', ({ msg, who }) => msg.startsWith('too many failed logins') && who === 'alice');
  // Where alice has logged in before, nobody's guesses lock her out.
  assert.equal((await browser.logIn(OTHER)).status, 200);

  process.kill(pid, 'SIGKILL');
  await until('another console', () => (consoleProcess()?.pid ?? pid) !== pid);
  await until('it to listen', async () =>
    browser.ask('GET', '/me').then(
      ({ status: is }) => is === 401,
      () => false,
    ),
  );
  assert.equal((await browser.logIn(OTHER)).status, 200);
});

test('behind a proxy on a unix socket', async (t) => {
  const place = join(folder, 'place');
  chmodSync(folder, 0o755);
  mkdirSync(place);
  chownSync(place, CONSOLE_UID, PROXY_GID);
  chmodSync(place, 0o2750);
  const socketPath = join(place, 'socket');
  const server = await start(t, { socket: socketPath, names: ['vpn.example.net'] });
  const { mode, gid } = statSync(socketPath);
  assert.equal(mode & 0o777, 0o660);
  assert.equal(gid, PROXY_GID);
  const proxied = { host: 'vpn.example.net', 'x-forwarded-for': '203.0.113.1', 'x-forwarded-proto': 'https' };
  const browser = new Browser({ socketPath });
  assert.match((await browser.logIn(PASSWORD, proxied)).cookie, /^__Host-.*Secure/);
  assert.equal((await browser.ask('GET', '/status', undefined, proxied)).status, 200);
  assert.equal((await browser.ask('GET', '/status', undefined, { ...proxied, host: 'evil.example' })).status, 403);
  await server.waitForLog('the client', ({ msg, client }) => msg.includes('logged in') && client === '203.0.113.1');
});
