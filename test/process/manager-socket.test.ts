/** `pptpd-ts status` and `reload`, with and without a manager; nonsense on the manager's socket. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { Client } from './support/client.js';
import { enterNamespace } from './support/netns.js';
import { Running } from './support/running.js';
import { CLIENT_ADDRESSES, SERVER_ADDRESS, type Server, startServer } from './support/server.js';

enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES);

async function status(server: Server): Promise<Record<string, unknown>> {
  const command = new Running(server, 'status', '--json');
  assert.equal(await command.ended(), 0, command.words);
  return JSON.parse(command.output) as Record<string, unknown>;
}

test('status shows sessions, leases and refused clients', async (t) => {
  const server = await startServer(t, { limits: { connections: 2 } });
  await Client.call(CLIENT_ADDRESSES[0]);
  await Client.start(CLIENT_ADDRESSES[1]);
  const nonsense = await Client.connect(CLIENT_ADDRESSES[2]);
  nonsense.sendBytes(Buffer.alloc(12));
  await nonsense.closed;
  const told = await status(server);
  assert.equal(told['pid'], server.pid);
  assert.equal(told['listening'], `${SERVER_ADDRESS}:1723`);
  assert.deepEqual(told['leases'], { lent: 2, most: 2 });
  assert.deepEqual(told['turnedAway'], { notPptp: 1 });
  const sessions = Object.values(told['sessions'] as Record<string, number>);
  assert.equal(
    sessions.reduce((sum, count) => sum + count, 0),
    2,
  );
  const table = new Running(server, 'status');
  assert.equal(await table.ended(), 0);
  assert.match(table.output, /^addresses +2 of 2 leased$/m);
  assert.match(table.output, /^turned away +1 notPptp$/m);
});

test('without a manager status reports that, counts the sessions and exits with 3; the next manager has its socket again', async (t) => {
  const server = await startServer(t);
  const client = await Client.start();
  server.signal('SIGKILL');
  await server.exited();
  const command = new Running(server, 'status');
  assert.equal(await command.ended(), 3);
  assert.match(command.words, /no manager is running/);
  assert.match(command.words, /sessions that continue without a manager: 1$/m);
  const reload = new Running(server, 'reload');
  assert.equal(await reload.ended(), 3);
  server.start();
  await server.ready();
  assert.deepEqual(((await status(server))['leases'] as { lent: number }).lent, 1);
  await client.echo();
});

test('reload accepts a correct configuration; a wrong one changes nothing, and every error is reported', async (t) => {
  const server = await startServer(t, { limits: { connections: 5 } });
  server.configure({ limits: { connections: 7 } });
  const good = new Running(server, 'reload');
  assert.equal(await good.ended(), 0, good.words);
  assert.deepEqual((await status(server))['leases'], { lent: 0, most: 7 });
  server.configure({ limits: { connections: -1 }, timeouts: { echoReply: -2 } });
  const bad = new Running(server, 'reload', '--run-directory', server.runDirectory);
  assert.equal(await bad.ended(), 2);
  assert.match(bad.words, /limits\.connections/);
  assert.match(bad.words, /timeouts\.echoReply/);
  server.configure();
  assert.deepEqual((await status(server))['leases'], { lent: 0, most: 7 });
});

test('nonsense on the socket gets an error or ends its sender’s connection, and affects nothing else', async (t) => {
  const server = await startServer(t);
  const path = join(server.runDirectory, 'manager.sock');
  assert.equal(statSync(path).mode & 0o777, 0o660);
  const hung = connect(path);
  hung.write('{"id":1,');
  const liar = connect(path);
  liar.write('no JSON\n');
  await once(liar.resume(), 'close');
  const stranger = connect(path).setEncoding('utf8');
  stranger.write('{"id":7,"op":"format"}\n');
  const [answer] = (await once(stranger, 'data')) as [string];
  assert.deepEqual(JSON.parse(answer), {
    id: 7,
    ok: false,
    error: 'unknown operation; known operations: status, reload, blocks, unblock',
  });
  assert.equal((await status(server))['pid'], server.pid);
  for (const socket of [hung, stranger]) socket.destroy();
});
