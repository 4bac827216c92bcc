/** The configuration's `hooks`: programs and a web server of this test, for real logins, also while hooks hang and fail. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { deliverer } from '../../src/manager/hooks/delivery.js';
import { blockOf, type HookEvent } from '../../src/manager/hooks/hook-event.js';
import { ClientLogins } from './support/client-logins.js';
import { enterNamespace, namespaceProcesses } from './support/netns.js';
import { CLIENT_ADDRESSES, endWith, Server, SERVER_ADDRESS, type Settings } from './support/server.js';
import { until } from './support/wait.js';

enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES);

const [FIRST, SECOND] = CLIENT_ADDRESSES;
const logins = new ClientLogins();
after(() => logins.close());

interface Post {
  readonly path: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly event: HookEvent;
}

/** A web server that is overloaded at first, and never answers requests for /silent. */
async function webServer(
  t: TestContext,
): Promise<{ readonly port: number; readonly posts: Post[]; readonly silent: { readonly count: number } }> {
  const posts: Post[] = [];
  const silent = { count: 0 };
  const server = createServer((request, response) => {
    if (request.url === '/silent') {
      silent.count += 1;
      return;
    }
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    request.on('end', () => {
      posts.push({ path: request.url, headers: request.headers, event: JSON.parse(text) as HookEvent });
      response.writeHead(posts.length === 1 ? 503 : 204).end();
    });
  }).listen(0, SERVER_ADDRESS);
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, posts, silent };
}

const eventsOf = (posts: readonly { readonly event: HookEvent }[]): string[] =>
  posts.map(({ event }) => `${event.event} ${event.user ?? '-'} ${event.client}`);

test('programs and web servers are told; those that hang are given up, and nobody waits for them', async (t) => {
  const { port, posts, silent } = await webServer(t);
  const server = new Server();
  endWith(t, server);
  const record = join(server.directory, 'record');
  const program = join(server.directory, 'program');
  const url = `http://boss:swordfish@${SERVER_ADDRESS}:${port}/hook/token`;
  // Its child hangs, too, and is killed with it.
  writeFileSync(
    program,
    `#!/bin/sh\n[ "$1" = record ] || { sleep 1000 & wait; }\n` +
      `{ cat; env | grep ^PPTPD_TS_ | sort | tr '\\n' ' '; echo; } >> ${record}\n`,
    { mode: 0o755 },
  );
  const hooks: NonNullable<Settings['hooks']> = [
    { on: ['connect', 'up', 'fail', 'end', 'blocked'], run: [program, 'hang'], timeout: 0.2 },
    { on: ['up', 'end'], run: [program, 'record'], timeout: 10 },
    { on: ['connect', 'up', 'fail', 'end', 'blocked'], post: url, timeout: 10 },
    { on: ['up'], post: `http://boss:swordfish@${SERVER_ADDRESS}:1/token`, timeout: 10 },
    { on: ['up', 'end'], post: `http://${SERVER_ADDRESS}:${port}/silent`, timeout: 0.2 },
  ];
  server.configure({ hooks, policy: { failedLogins: 1 } }, ['login']);
  server.start();
  await server.ready();

  const alice = await logins.loggedIn(t, 'alice', FIRST);
  await logins.losesItsLogin(t, 'wrong', SECOND);
  await alice.echo();
  for (const expected of [
    `connect - ${FIRST}`,
    `up alice ${FIRST}`,
    `fail wrong ${SECOND}`,
    `blocked - ${SECOND}`,
    `end wrong ${SECOND}`,
  ])
    await until(`"${expected}" to be posted`, () => eventsOf(posts.slice(1)).includes(expected));
  assert.equal(posts[0]?.event.event, posts[1]?.event.event);
  const { path, headers } = posts[0] ?? assert.fail();
  assert.deepEqual(
    [path, headers['content-type'], headers.authorization],
    ['/hook/token', 'application/json', `Basic ${Buffer.from('boss:swordfish').toString('base64')}`],
  );
  await server.waitForLog('the hook that hangs', ({ msg }) => /ran for more than 0\.2 s and was killed/.test(msg));
  await until('another attempt after one without an answer', () => silent.count > 1);

  alice.close();
  await until('the end of alice', () => eventsOf(posts).includes(`end alice ${FIRST}`));
  const lines = await until('the program to have recorded', () => {
    const found = existsSync(record) ? readFileSync(record, 'utf8').trimEnd().split('\n') : [];
    return found.length >= 4 && found;
  });
  const up: HookEvent = JSON.parse(lines[0] ?? '');
  assert.deepEqual([up.event, up.user, up.client, up.address], ['up', 'alice', FIRST, '203.0.113.10']);
  assert.equal(
    lines[1]?.trim(),
    `PPTPD_TS_ADDRESS=203.0.113.10 PPTPD_TS_CLIENT=${FIRST} PPTPD_TS_EVENT=up PPTPD_TS_SESSION=${up.session} PPTPD_TS_USER=alice`,
  );

  assert.deepEqual(await server.stop(), { code: 0, signal: null });
  const said = server.log.all.map((line) => JSON.stringify(line)).join('\n') + server.words;
  assert.doesNotMatch(said, /swordfish|token/);
  await until('no process of a hook to be left', () =>
    namespaceProcesses().every(({ command }) => !command.includes('sleep') && !command.includes(program)),
  );
});

test('a user name with a NUL is told without it', async () => {
  const program = ['/bin/sh', '-c', 'test "$PPTPD_TS_USER" = alice'] as [string, ...string[]];
  const event: HookEvent = { ...blockOf({ address: FIRST, failedLogins: 1, remaining: 60 }), user: 'al\0ice' };
  const deliver = deliverer({ on: ['up'], run: program, timeout: 10 });
  assert.deepEqual(await deliver(event, new AbortController().signal), { ok: true });
});

test('HTTPS: a certificate must be one that the machine trusts', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pptpd-ts-hooks-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [key, cert] = [join(folder, 'key'), join(folder, 'cert')];
  run(
    'openssl',
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '1',
    '-subj',
    '/CN=hooks',
    '-keyout',
    key,
    '-out',
    cert,
    '-addext',
    `subjectAltName=IP:${SERVER_ADDRESS}`,
  );
  const secure = createSecureServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
    request.resume();
    response.writeHead(200).end();
  }).listen(0, SERVER_ADDRESS);
  t.after(() => secure.close());
  await once(secure, 'listening');
  const post = `https://${SERVER_ADDRESS}:${(secure.address() as AddressInfo).port}/`;
  const deliver = async () => {
    const event = blockOf({ address: FIRST, failedLogins: 1, remaining: 60 });
    return deliverer({ on: ['blocked'], post, timeout: 10 })(event, new AbortController().signal);
  };
  assert.deepEqual(await deliver(), { ok: false, why: 'DEPTH_ZERO_SELF_SIGNED_CERT', again: true });
  // In this file's own mount namespace.
  run('mount', '--bind', cert, '/etc/ssl/certs/ca-certificates.crt');
  assert.deepEqual(await deliver(), { ok: true });
});

function run(program: string, ...args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (error !== undefined) throw error;
  assert.equal(status, 0, stderr);
}
