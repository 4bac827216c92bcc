/** The console's HTTP server alone: TLS, unix sockets, garbage, slow clients, many connections. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { Hono } from 'hono';
import { ConsoleServer, type Limits, type ListenSettings } from '../../src/console/listen.js';
import type { Certificate } from '../../src/console/protocol.js';
import { makeCertificate } from './support/certificate.js';
import { enterNamespace } from './support/netns.js';
import { SERVER_ADDRESS } from './support/server.js';
import { until } from './support/wait.js';

enterNamespace(SERVER_ADDRESS);

const PORT = 8723;
const HTTP: ListenSettings = { address: SERVER_ADDRESS, port: PORT, socket: null, tls: null };
const LIMITS: Limits = {
  headers: 10_000,
  request: 20_000,
  silence: 120_000,
  connections: 1024,
  connectionsPerAddress: 512,
};
const folder = mkdtempSync(join(tmpdir(), 'pptpd-ts-console-'));
after(() => rmSync(folder, { recursive: true }));

let [first, second]: Certificate[] = [];
before(() => {
  first = makeCertificate(folder, 'first', SERVER_ADDRESS);
  second = makeCertificate(folder, 'second', SERVER_ADDRESS);
});

const app = new Hono();
app.get('/', (c) => c.text(c.req.header('x-last') ?? 'here'));
app.onError((_error, c) => c.text('', 500));
app.post('/', async (c) => c.text(String((await c.req.text()).length)));

async function start(t: TestContext, settings: ListenSettings, limits = LIMITS): Promise<ConsoleServer> {
  const server = new ConsoleServer(settings, app.fetch, limits);
  t.after(() => server.close());
  await server.listen();
  return server;
}

/** The answer's text; rejects with the connection's error. */
async function ask(options: { readonly ca?: string; readonly socketPath?: string } = {}): Promise<string> {
  const { ca, socketPath } = options;
  const where = socketPath === undefined ? { host: SERVER_ADDRESS, port: PORT } : { socketPath };
  return new Promise((resolve, reject) => {
    const send = ca === undefined ? httpRequest : httpsRequest;
    const asked = send({ ...where, path: '/', agent: false, ...(ca === undefined ? {} : { ca }) }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve(text));
    });
    asked.on('error', reject).end();
  });
}

/** A raw connection, and everything that came back when it was closed. */
function open(t: TestContext, from = SERVER_ADDRESS): { socket: Socket; closed: Promise<string> } {
  const socket = connect({ host: SERVER_ADDRESS, port: PORT, localAddress: from });
  t.after(() => socket.destroy());
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
  socket.on('error', () => undefined);
  return { socket, closed: once(socket, 'close').then(() => text) };
}

test('HTTPS with its certificate, and no TLS 1.1', async (t) => {
  assert(first !== undefined && second !== undefined);
  const server = await start(t, { ...HTTP, tls: first });
  assert.equal(server.where, `https://${SERVER_ADDRESS}:${PORT}`);
  assert.equal(await ask({ ca: first.certificate }), 'here');
  await assert.rejects(ask({ ca: second.certificate }), /self-signed certificate/);
  const old = connectTls({
    host: SERVER_ADDRESS,
    port: PORT,
    maxVersion: 'TLSv1.1',
    minVersion: 'TLSv1',
    ca: first.certificate,
  });
  await assert.rejects(once(old, 'secureConnect'));
  // HTTP on the port of HTTPS.
  const { socket, closed } = open(t);
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await closed;
  assert.equal(await ask({ ca: first.certificate }), 'here');
});

test('a renewed certificate is for new connections, and one that is invalid changes nothing', async (t) => {
  assert(first !== undefined && second !== undefined);
  const server = await start(t, { ...HTTP, tls: first });
  const kept = connectTls({ host: SERVER_ADDRESS, port: PORT, ca: first.certificate });
  t.after(() => kept.destroy());
  await once(kept, 'secureConnect');
  const crossed = { certificate: second.certificate, key: first.key };
  assert.throws(
    () => server.useCertificate(crossed),
    /the key belongs to another certificate; remedy: correct console\.tls/,
  );
  for (const empty of ['certificate', 'key'])
    assert.throws(() => server.useCertificate({ ...second, [empty]: '' } as Certificate), /cannot be used/, empty);
  assert.equal(await ask({ ca: first.certificate }), 'here');
  server.useCertificate(second);
  assert.equal(await ask({ ca: second.certificate }), 'here');
  await assert.rejects(ask({ ca: first.certificate }), /self-signed certificate/);
  kept.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  assert.match(String((await once(kept, 'data'))[0]), /^HTTP\/1\.1 200 /);
});

test('a key of another certificate is refused before anything listens', () => {
  assert(first !== undefined && second !== undefined);
  const tls = { certificate: first.certificate, key: second.key };
  assert.throws(
    () => new ConsoleServer({ ...HTTP, tls }, app.fetch),
    /^Error: the certificate of the console cannot be used: .*the key belongs to another certificate; remedy: correct console\.tls/,
  );
});

test('a port that is taken and an address that is not there: sentences with a remedy', async (t) => {
  const other = createServer().listen({ host: SERVER_ADDRESS, port: PORT });
  t.after(() => other.close());
  await once(other, 'listening');
  await assert.rejects(start(t, HTTP), {
    message: `cannot listen for the console on ${SERVER_ADDRESS}:${PORT}: another program already listens there; remedy: find it with \`ss -ltnp\` and stop it`,
  });
  await assert.rejects(start(t, { ...HTTP, address: '203.0.113.9' }), /this machine has no such address; remedy/);
});

test('a unix socket for its user and group; one left over is replaced, and nothing else is', async (t) => {
  const socket = join(folder, 'socket');
  const settings = { ...HTTP, socket };
  const umask = process.umask();
  const server = await start(t, settings);
  assert.equal(statSync(socket).mode & 0o777, 0o660);
  assert.equal(process.umask(), umask);
  assert.equal(await ask({ socketPath: socket }), 'here');
  await assert.rejects(start(t, settings), /another program listens there/);
  assert.equal(await ask({ socketPath: socket }), 'here');
  server.close();
  await until('the socket to be gone', () => !existsSync(socket));
  // As a console that was killed leaves it.
  const killed = `require('net').createServer().listen(${JSON.stringify(socket)}, () => process.kill(process.pid, 9))`;
  spawnSync(process.execPath, ['-e', killed]);
  assert(existsSync(socket));
  await start(t, settings);
  assert.equal(await ask({ socketPath: socket }), 'here');
  const file = join(folder, 'file');
  writeFileSync(file, 'mine');
  await assert.rejects(start(t, { ...HTTP, socket: file }), /exists and is not a socket/);
  assert.equal(readFileSync(file, 'utf8'), 'mine');
  await assert.rejects(
    start(t, { ...HTTP, socket: join(folder, 'none', 'socket') }),
    /its folder does not exist.*remedy: install -d/,
  );
});

test('garbage is refused and its connection closed, and others are served', async (t) => {
  await start(t, HTTP);
  const garbage: readonly (readonly [text: string, answer: RegExp])[] = [
    ['\0\u00ff\u0080garbage\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['GET / HTTP/1.1\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['GET http:// HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['GET \\evil HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', /^HTTP\/1\.1 400 /],
    [`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
    [
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      /^HTTP\/1\.1 400 /,
    ],
    ['POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n', /^HTTP\/1\.1 (400|500) /],
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', /^HTTP\/1\.1 400 /],
  ];
  for (const [text, answer] of garbage) {
    const { socket, closed } = open(t);
    socket.end(text, 'latin1');
    assert.match(await closed, answer, JSON.stringify(text.slice(0, 60)));
  }
  assert.equal(await ask(), 'here');
});

test('no header is dropped because there are many before it', async (t) => {
  await start(t, HTTP);
  const { socket, closed } = open(t);
  socket.end(`GET / HTTP/1.1\r\nHost: a\r\n${'A: b\r\n'.repeat(2000)}X-Last: seen\r\nConnection: close\r\n\r\n`);
  assert.match(await closed, /^HTTP\/1\.1 200 [^]*seen/);
});

test('who sends headers or a body slowly is closed', async (t) => {
  await start(t, HTTP, { ...LIMITS, headers: 200, request: 400 });
  const slow = ['', 'GET / HTTP/1.1\r\nHost: a\r\nX-', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n1'];
  const all = slow.map((text) => {
    const { socket, closed } = open(t);
    socket.write(text);
    return closed;
  });
  for (const text of await Promise.all(all)) assert.match(text, /^(HTTP\/1\.1 408 [^]*)?$/);
  assert.equal(await ask(), 'here');
});

test('a silent connection is closed', async (t) => {
  await start(t, HTTP, { ...LIMITS, silence: 200 });
  assert.equal(await open(t).closed, '');
});

test('one address cannot take all connections', async (t) => {
  await start(t, HTTP, { ...LIMITS, connectionsPerAddress: 3 });
  const held = [open(t), open(t), open(t)];
  await Promise.all(held.map(async ({ socket }) => once(socket, 'connect')));
  assert.equal(await open(t).closed, '');
  const other = open(t, '127.0.0.1');
  other.socket.end('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  assert.match(await other.closed, /^HTTP\/1\.1 200 /);
  for (const { socket } of held) socket.destroy();
  await until('the places to be free', async () =>
    ask().then(
      (text) => text === 'here',
      () => false,
    ),
  );
});
