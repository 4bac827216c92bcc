/** The manager's messages to systemd (sd_notify(3)), received on a real unix datagram socket. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Client } from './support/client.js';
import { enterNamespace } from './support/netns.js';
import { NotifySocket } from './support/notify-socket.js';
import { CLIENT_ADDRESSES, endWith, SERVER_ADDRESS, Server } from './support/server.js';
import { until } from './support/wait.js';

enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES);

function temporaryFolder(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'pptpd-ts-notify-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** A server with these variables in its environment. */
function launch(t: TestContext, environment: Record<string, string | number>): Server {
  const server = new Server();
  server.configure();
  endWith(t, server);
  server.start('env', ...Object.entries(environment).map(([name, value]) => `${name}=${value}`));
  return server;
}

const microseconds = (): number => Number(process.hrtime.bigint() / 1000n);

for (const kind of ['path', 'abstract name']) {
  test(`the manager itself reports ready, reloading and stopping to a ${kind}`, async (t) => {
    const name = kind === 'path' ? join(temporaryFolder(t), 'notify') : `@pptpd-ts-test-${process.pid}`;
    const socket = await NotifySocket.open(t, name);
    const server = launch(t, { NOTIFY_SOCKET: name });

    const ready = await socket.next('READY=1');
    // It already listens when it reports that it is ready.
    await Client.start();
    assert.equal(ready.pid, server.pid);
    assert.deepEqual(ready.words, ['READY=1', 'STATUS=listening on 192.0.2.1:1723, 0 sessions']);

    const before = microseconds();
    server.signal('SIGHUP');
    const reloading = await socket.next('RELOADING=1');
    const at = Number(/^MONOTONIC_USEC=(\d+)$/.exec(reloading.words[1] ?? '')?.[1]);
    assert(before <= at && at <= microseconds(), `${before} <= ${at}`);
    assert((await socket.next('READY=1')).words.every((word) => !word.includes('wrong')));

    writeFileSync(server.configurationFile, '{ "limts": {} }');
    server.signal('SIGHUP');
    await socket.next('RELOADING=1');
    const { words } = await socket.next('READY=1');
    assert.match(words.join('\n'), /^STATUS=listening on .*; the new configuration is wrong: .*limts/m);

    server.signal('SIGTERM');
    const stopping = await socket.next('STOPPING=1');
    assert.equal(stopping.pid, server.pid);
    assert.deepEqual(stopping.words, ['STOPPING=1', 'STATUS=ending every session']);
  });
}

test('a manager that leaves its sessions reports that it stops', async (t) => {
  const name = join(temporaryFolder(t), 'notify');
  const socket = await NotifySocket.open(t, name);
  const server = launch(t, { NOTIFY_SOCKET: name });
  await socket.next('READY=1');
  server.signal('SIGQUIT');
  assert.deepEqual((await socket.next('STOPPING=1')).words, ['STOPPING=1', 'STATUS=leaving; the sessions continue']);
});

test('the watchdog is fed, with a status of the manager', async (t) => {
  const name = join(temporaryFolder(t), 'notify');
  const socket = await NotifySocket.open(t, name);
  launch(t, { NOTIFY_SOCKET: name, WATCHDOG_USEC: 100_000 });
  await socket.next('READY=1');
  for (let beat = 0; beat < 3; beat += 1) await socket.next('WATCHDOG=1');
  await Client.start();
  assert((await socket.next(/^STATUS=.* 1 session$/)).words.includes('WATCHDOG=1'));
});

test('the watchdog of another process is not fed, and workers do not get the variables', async (t) => {
  const name = join(temporaryFolder(t), 'notify');
  const socket = await NotifySocket.open(t, name);
  const server = launch(t, { NOTIFY_SOCKET: name, WATCHDOG_USEC: 1000, WATCHDOG_PID: process.pid });
  await socket.next('READY=1');
  const worker = await until('a spare worker', () => server.spareWorkers()[0]);
  assert.doesNotMatch(readFileSync(`/proc/${worker}/environ`, 'latin1'), /NOTIFY_SOCKET|WATCHDOG/);
  server.signal('SIGHUP');
  await socket.next('RELOADING=1');
  assert(socket.said.all.every(({ words }) => !words.includes('WATCHDOG=1')));
});

test('a service manager that has stopped reading does not block the manager', async (t) => {
  const name = join(temporaryFolder(t), 'notify');
  await NotifySocket.open(t, name, { reads: false });
  const server = launch(t, { NOTIFY_SOCKET: name, WATCHDOG_USEC: 2000 });
  const { why } = await server.waitForLog('that it cannot be told', ({ msg }) => msg.includes('NOTIFY_SOCKET'));
  assert.equal(why, 'EAGAIN');
  await Client.start();
});

for (const [what, name, why] of [
  ['where nobody listens', '/nonexistent/notify', 'ENOENT'],
  ['that is none', 'vsock:2:1234', /not a unix socket address/],
] as const) {
  test(`a NOTIFY_SOCKET ${what} is logged once and changes nothing`, async (t) => {
    const server = launch(t, { NOTIFY_SOCKET: name, WATCHDOG_USEC: 2000 });
    await server.ready();
    await Client.start();
    await server.waitForSessions(1);
    await server.waitForLog('the complaint', ({ msg }) => msg.includes('NOTIFY_SOCKET'));
    const complaints = server.log.all.filter(({ msg }) => msg.includes('NOTIFY_SOCKET'));
    assert.equal(complaints.length, 1);
    assert.match(String(complaints[0]?.['why']), typeof why === 'string' ? new RegExp(`^${why}$`) : why);
  });
}
