/** The log directory: a full disk, reload and rotation, and removal of old files. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { Client } from './support/client.js';
import { fill, smallDisk } from './support/disk.js';
import { enterNamespace } from './support/netns.js';
import { CLIENT_ADDRESSES, endWith, Server, SERVER_ADDRESS } from './support/server.js';
import { until } from './support/wait.js';

enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES);

const contentOf = (file: string): string => (existsSync(file) ? readFileSync(file, 'utf8') : '');

test('with a full disk sessions continue and new ones start; one warning is logged, and lines resume when there is space', async (t) => {
  const directory = smallDisk(t);
  const server = new Server();
  server.configure({ log: { directory, level: 'debug' } });
  endWith(t, server);
  server.start();
  await until('the server to listen', () => contentOf(join(directory, 'manager.log')).includes('listening on'));
  const { client } = await Client.call();
  const [session] = await server.sessions();
  const log = join(directory, `session-${session?.session}.log`);
  const before = contentOf(log);
  assert.match(before, /OutgoingCallReply/);

  fill(join(directory, 'ballast'));
  // More lines than fit into the last block, but fewer than the number from which the log only counts them.
  for (let count = 0; count < 20; count += 1) await client.echo(count);
  const second = await Client.call(CLIENT_ADDRESSES[1]);
  await second.client.echo();
  const third = await Client.call(CLIENT_ADDRESSES[2]);
  third.client.end();
  await third.client.closed;
  await server.waitForSessions(2);
  await until('the warning', () => server.words.includes('cannot write the log'));
  assert.deepEqual(server.words.match(/cannot write the log/g), ['cannot write the log']);

  writeFileSync(join(directory, 'ballast'), '');
  await client.echo(1000);
  const later = contentOf(log);
  assert.match(later.slice(before.length), /lines lost: \d+/);
  const lines = later.slice(before.length).trimEnd().split('\n');
  const last: { message?: string } = JSON.parse(lines.at(-1) ?? '');
  assert.equal(last.message, 'EchoReply');
  await second.client.echo();
  for (const each of [client, second.client]) each.end();
  await server.waitForSessions(0);
});

test('after a reload with another log.directory the manager and new sessions write there', async (t) => {
  const server = new Server();
  const [first, second] = ['first', 'second'].map((name) => join(server.directory, name)) as [string, string];
  server.configure({ log: { directory: first, level: 'info' } });
  endWith(t, server);
  server.start();
  await until('the server to listen', () => contentOf(join(first, 'manager.log')).includes('listening on'));
  server.configure({ log: { directory: second, level: 'info' } });
  server.signal('SIGHUP');
  await until('the reload', () => contentOf(join(second, 'manager.log')).includes('configuration reloaded'));
  const { client } = await Client.call();
  const [session] = await server.sessions();
  assert(existsSync(join(second, `session-${session?.session}.log`)));
  // Its worker answers the client and tells the manager.
  await until('the handoff in the log', () =>
    contentOf(join(second, 'manager.log')).includes('client handed to a ctrl worker'),
  );
  client.end();
  await server.waitForSessions(0);
});

const hasLogrotate = spawnSync('logrotate', ['--version']).error === undefined;
test('logrotate has the log files reopened, also while the configuration is wrong', {
  skip: hasLogrotate ? false : 'logrotate is not installed',
}, async (t) => {
  const server = new Server();
  const directory = join(server.directory, 'log');
  server.configure({ log: { directory, level: 'info' } });
  endWith(t, server);
  server.start();
  const log = join(directory, 'manager.log');
  await until('the server to listen', () => contentOf(log).includes('listening on'));
  const rules = join(server.directory, 'logrotate');
  const text = readFileSync('scripts/etc/logrotate', 'utf8')
    .replaceAll('/var/log/pptpd-ts/', `${directory}/`)
    .replaceAll('/var/log/', `${server.directory}/`)
    .replaceAll('/usr/local/sbin/pptpd-ts', resolve('bin/pptpd-ts'))
    .replaceAll('/run/pptpd-ts', server.runDirectory);
  writeFileSync(rules, text, { mode: 0o644 });
  server.configure({ limits: { connections: -1 } });
  spawnSync('logrotate', ['--force', '--state', join(server.directory, 'state'), rules]);
  assert.match(contentOf(`${log}.1`), /listening on/);
  assert.doesNotMatch(contentOf(log), /listening on/);
  assert.match(contentOf(log), /the new configuration is wrong; keeping the old one/);
});

test('old files of ended sessions are removed at the start and by HUP, but never that of a live session', async (t) => {
  const server = new Server();
  const directory = join(server.directory, 'log');
  mkdirSync(directory);
  const old = join(directory, 'session-aaaaaa.log');
  const foreign = join(directory, 'notes.txt');
  const makeOld = (path: string): void => {
    writeFileSync(path, '', { flag: 'a' });
    utimesSync(path, 0, 0);
  };
  for (const path of [old, foreign]) makeOld(path);
  server.configure({ log: { directory, level: 'info', keepDays: 1 } });
  endWith(t, server);
  server.start();
  await until('the old file to be removed', () => !existsSync(old));
  const { client } = await Client.call();
  const [session] = await server.sessions();
  const living = join(directory, `session-${session?.session}.log`);
  for (const path of [old, living]) makeOld(path);
  server.signal('SIGHUP');
  await until('the old file to be removed again', () => !existsSync(old));
  assert(existsSync(living) && existsSync(foreign));
  client.end();
  await server.waitForSessions(0);
});
