/**
 * A whole server on a run directory in which others have been, and with a clock that jumps. What the registry makes of each kind
 * of garbage and lie is in test/unit/manager/registry.test.ts.
 */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { identify } from '../../src/host/process.js';
import { sessionRecordPath } from '../../src/session/paths.js';
import type { SessionRecord } from '../../src/session/record.js';
import { Client } from './support/client.js';
import { enterNamespace } from './support/netns.js';
import { CLIENT_ADDRESSES, endWith, SERVER_ADDRESS, Server, TUNNEL_LOCAL } from './support/server.js';

enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES);

const LEASE = { local: TUNNEL_LOCAL, remote: '203.0.113.10', callId: 4711 } as const;
const NOBODY = { pid: 4_000_000, startTime: '1' } as const;

/** A server that is not started, with its folder of sessions. */
function prepared(t: TestContext, mode = 0o750): Server {
  const server = new Server();
  server.configure();
  endWith(t, server);
  mkdirSync(join(server.runDirectory, 'sessions'), { recursive: true });
  chmodSync(join(server.runDirectory, 'sessions'), mode);
  return server;
}

async function begin(server: Server): Promise<void> {
  server.start();
  await server.ready();
}

function record(server: Server, id: string, parts: Partial<SessionRecord>): void {
  const whole: SessionRecord = { session: id, lease: LEASE, worker: NOBODY, pppd: null, ...parts };
  writeFileSync(sessionRecordPath(server.runDirectory, id), JSON.stringify(whole));
}

test('what is no session’s is passed over, and what is stale goes', async (t) => {
  const server = prepared(t);
  const path = (name: string): string => join(server.runDirectory, 'sessions', name);
  writeFileSync(path('README'), 'not a session');
  writeFileSync(path('stale1.sock'), 'a file');
  writeFileSync(path('junk11.json'), '{"session":"junk11","lea');
  writeFileSync(path('null11.json'), 'null');
  symlinkSync('/nowhere', path('link11.sock'));
  mkdirSync(path('folder.sock'));
  mkdirSync(path('record.json'));
  record(server, 'dead11', {});
  mkdirSync(path('dead11.sock'));
  await begin(server);
  await (await Client.start()).echo();
  for (const gone of ['stale1.sock', 'junk11.json', 'null11.json', 'link11.sock'])
    assert(!existsSync(path(gone)), gone);
  for (const kept of ['README', 'folder.sock', 'record.json']) assert(existsSync(path(kept)), kept);
  rmSync(join(server.runDirectory, 'sessions', 'README'));
  for (const each of ['folder.sock', 'record.json', 'dead11.sock', 'dead11.json'])
    rmSync(path(each), { recursive: true, force: true });
});

test('a record that names the first process, or who started the manager, gets neither killed', async (t) => {
  const server = prepared(t);
  for (const [id, pid] of [
    ['first1', 1],
    ['parent', process.pid],
  ] as const) {
    const identity = identify(pid);
    assert(identity !== null);
    record(server, id, { worker: identity, pppd: identity });
  }
  await begin(server);
  assert.deepEqual(server.sessionFiles(), []);
  assert.notEqual(identify(1), null);
});

test('folders of sessions that others may write to are theirs no longer', async (t) => {
  const server = prepared(t, 0o777);
  await begin(server);
  assert.equal(statSync(join(server.runDirectory, 'sessions')).mode & 0o777, 0o750);
});

for (const [direction, days] of [
  ['forward', 30],
  ['back', -30],
] as const) {
  test(`the clock jumps ${direction} a month: the session goes on, and lasted as long as it did`, async (t) => {
    const server = prepared(t);
    const jump = join(server.directory, 'jump');
    const shim = join(server.directory, 'clock.cjs');
    writeFileSync(
      shim,
      `const { existsSync } = require('node:fs'); const now = Date.now;
       Date.now = () => now() + (existsSync(${JSON.stringify(jump)}) ? ${days} * 86_400_000 : 0);`,
    );
    const before = process.env['NODE_OPTIONS'];
    process.env['NODE_OPTIONS'] = `--require ${shim}`;
    t.after(() => {
      if (before === undefined) delete process.env['NODE_OPTIONS'];
      else process.env['NODE_OPTIONS'] = before;
    });
    await begin(server);
    const { client } = await Client.call();
    writeFileSync(jump, '');
    await client.echo();
    client.end();
    const line = await server.waitForLog('its end', ({ msg }) => msg.startsWith('session ended'));
    const seconds = Number(line['seconds']);
    assert(seconds >= 0 && seconds < 3600, `${seconds} s`);
  });
}
