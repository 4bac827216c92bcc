/** The commands that watch live sessions: capture, debug, watch and top, with the server, a client, and a stand-in pppd. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { spawn as spawnOnTerminal } from 'node-pty';
import { Client } from './support/client.js';
import { forBothEngines } from './support/engines.js';
import { enterNamespace } from './support/netns.js';
import { Running } from './support/running.js';
import { CLIENT_ADDRESSES, type Server, SERVER_ADDRESS, startServer } from './support/server.js';
import { Tunnel } from './support/tunnel.js';
import { until } from './support/wait.js';

enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES);

const [ADDRESS] = CLIENT_ADDRESSES;

const onlySession = async (server: Server): Promise<string> => {
  const [session] = await server.sessions();
  assert(session !== undefined);
  return session.session;
};

/** What tshark makes of a capture: a line a packet, protocol and information. Nothing may be malformed. */
function dissect(file: string): string[] {
  const { stdout, stderr, status, error } = spawnSync(
    'tshark',
    ['-r', file, '-T', 'fields', '-e', '_ws.col.Protocol', '-e', '_ws.col.Info', '-e', '_ws.malformed'],
    { encoding: 'utf8' },
  );
  if (error !== undefined) throw error;
  assert.equal(status, 0, stderr);
  assert.doesNotMatch(stdout, /Malformed/i);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.trimEnd().replace('\t', ': '));
}

const noTshark = spawnSync('tshark', ['--version']).error === undefined ? false : 'tshark is not installed';

test('capture writes both ways of control connection and PPP, until the session ends', {
  skip: noTshark,
}, async (t) => {
  const server = await startServer(t);
  const client = await Client.start(ADDRESS);
  const file = join(server.directory, 'session.pcapng');
  const capture = new Running(server, 'capture', await onlySession(server), '-w', file);
  await capture.says(/^capturing session/);
  const tunnel = await Tunnel.call(t, client, ADDRESS, 4711);
  await tunnel.openLcp();
  await tunnel.assertRelays('E'.repeat(100));
  await client.echo();
  client.send({ type: 'StopControlConnectionRequest', reason: 1 });
  assert.equal(await capture.ended(), 0, capture.words);
  const packets = dissect(file);
  for (const seen of [
    'PPTP: Outgoing-Call-Request',
    'PPTP: Outgoing-Call-Reply',
    'PPTP: Echo-Request',
    'PPTP: Echo-Reply',
    'PPTP: Stop-Control-Connection-Request',
    'PPTP: Stop-Control-Connection-Reply',
  ]) {
    assert.equal(packets.filter((packet) => packet === seen).length, 1, `${seen} in\n${packets.join('\n')}`);
  }
  for (const seen of ['PPP LCP: Configuration Request', 'PPP LCP: Configuration Ack']) {
    assert.equal(packets.filter((packet) => packet === seen).length, 2, `${seen} in\n${packets.join('\n')}`);
  }
  assert.match(capture.words, / 0 lost\n$/);
  assert.equal(statSync(file).mode & 0o777, 0o600, 'it holds logins');
});

test('capture --next has a session from its beginning; a pipe gets it at once; Ctrl-C leaves the session', async (t) => {
  const server = await startServer(t);
  const capture = new Running(server, 'capture', '--next', ADDRESS, '-w', '-');
  await capture.says(/^waiting/);
  await Client.start(CLIENT_ADDRESSES[1]); // another's
  const client = await Client.start(ADDRESS);
  await capture.says(new RegExp(`capturing session ......? of ${ADDRESS}`));
  const tunnel = await Tunnel.call(t, client, ADDRESS, 4711);
  await tunnel.openLcp();
  await tunnel.assertRelays('a frame that comes at once');
  await capture.prints(/a frame that comes at once/);
  assert.equal(await capture.interrupted(), 0);
  await tunnel.assertRelays('the tunnel goes on');
});

test('a reader that has had enough ends capture without a complaint', async (t) => {
  const server = await startServer(t);
  const tunnel = await Tunnel.open(t);
  await tunnel.openLcp();
  const capture = new Running(server, 'capture', await onlySession(server), '-w', '-');
  await capture.says(/^capturing session/);
  capture.process.stdout?.destroy();
  await tunnel.assertRelays('nobody reads this');
  assert.equal(await capture.ended(), 0);
  assert.match(capture.words, /^capturing session [^\n]*\n$/);
});

test('debug changes the level of one session alone, and back', async (t) => {
  const server = await startServer(t, { log: { level: 'info' } });
  const client = await Client.start(ADDRESS);
  const id = await onlySession(server);
  const other = await Client.start(CLIENT_ADDRESSES[1]);
  const echoes = (): number =>
    server.log.all.filter(({ session, message }) => session === id && message === 'EchoRequest').length;
  await client.echo();
  const on = new Running(server, 'debug', id, 'on');
  assert.equal(await on.ended(), 0);
  assert.equal(on.output, `session ${id} logs at level debug\n`);
  await client.echo();
  await until('the echo to be logged', () => echoes() === 1);
  await other.echo();
  const off = new Running(server, 'debug', id, 'off', '--json');
  assert.equal(await off.ended(), 0);
  assert.deepEqual(JSON.parse(off.output), { session: id, level: 'info' });
  await client.echo();
  client.send({ type: 'StopControlConnectionRequest', reason: 1 });
  await server.waitForLog('its end', ({ session, msg }) => session === id && msg.startsWith('session ended'));
  assert.equal(echoes(), 1);
  assert.equal(server.log.all.filter(({ message }) => message === 'EchoRequest').length, 1);
});

forBothEngines((engine) => {
  test('watch tells the steps of sessions that were there and of those that come, and follows none after Ctrl-C', async (t) => {
    const server = await engine.startServer(t);
    const first = await engine.loggedIn(t, 'alice', ADDRESS);
    const watch = new Running(server, 'watch', '--json');
    await watch.prints(/"event":"connected".*"198\.51\.100\.1"/);
    const second = await engine.loggedIn(t, 'bob', CLIENT_ADDRESSES[1]);
    await watch.prints(/"event":"up".*"198\.51\.100\.2"/);
    second.client.send({ type: 'StopControlConnectionRequest', reason: 1 });
    await watch.prints(/"event":"ended"/);
    const told = watch.output
      .trimEnd()
      .split('\n')
      .map((line): Record<string, unknown> => JSON.parse(line))
      .filter(({ client }) => client === CLIENT_ADDRESSES[1]);
    assert.deepEqual(
      [told[0]?.['event'], told.at(-1)?.['event'], told.at(-1)?.['reason']],
      ['connected', 'ended', 'clientStopped'],
    );
    assert(
      told.some(({ event, user }) => event === 'up' && user === 'bob'),
      watch.output,
    );
    assert.equal(await watch.interrupted(), 0);
    await first.echo();
  });

  test('top --once is one table without a terminal, and JSON on demand', async (t) => {
    const server = await engine.startServer(t);
    await engine.loggedIn(t, 'alice', ADDRESS);
    const top = new Running(server, 'top', '--interval', '0.2');
    assert.equal(await top.ended(), 0, top.words);
    const [headings, row, end] = top.output.split('\n');
    assert.match(headings ?? '', /^ID +USER +CLIENT/);
    assert.match(row ?? '', new RegExp(`^${await onlySession(server)} +alice +${ADDRESS} .* bit/s`));
    assert.equal(end, '');
    const json = new Running(server, 'top', '--json', '--interval', '0.2', '--client', '192.0.2.99');
    assert.equal(await json.ended(), 0, json.words);
    assert.deepEqual(JSON.parse(json.output), { interval: 0.2, sessions: [] });
  });
});

test('top draws on a terminal, again and again, and q leaves the terminal as it was', async (t) => {
  const server = await startServer(t);
  const tunnel = await Tunnel.open(t);
  await tunnel.openLcp();
  const args = ['top', '--interval', '0.1', '-c', server.configurationFile];
  const terminal = spawnOnTerminal(resolve('bin/pptpd-ts'), args, { cols: 120, rows: 24 });
  let screen = '';
  terminal.onData((chunk) => (screen += chunk));
  const exit = new Promise<number>((done) => terminal.onExit(({ exitCode }) => done(exitCode)));
  const id = await onlySession(server);
  await until('three pictures', () => screen.split(`\n${id}`).length > 3);
  terminal.write('q');
  assert.equal(await exit, 0);
  assert.ok(screen.startsWith('\u001B[?1049h'), 'another screen');
  assert.ok(screen.endsWith('\u001B[?1049l'), 'and back');
});
