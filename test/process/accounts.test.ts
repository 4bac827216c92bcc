/** `pptpd-ts users` with real logins: accounts of the builtin engine, and pppd's chap-secrets. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { spawn as spawnTerminal } from 'node-pty';
import type { SessionState } from '../../src/session/state.js';
import type { Quota } from '../../src/users/quota.js';
import { hashOf } from '../../src/users/user.js';
import { writeUsers } from '../../src/users/users-text.js';
import { ClientLogins } from './support/client-logins.js';
import { accountsOf, secretsOf, startBuiltin } from './support/engines.js';
import { prepareMachine } from './support/monitor.js';
import { enterNamespace } from './support/netns.js';
import { echoRequest } from './support/icmp.js';
import { linkNames, missingForSpeeds, queuesOf, shown } from './support/speed-limits.js';
import {
  CLIENT_ADDRESSES,
  type LogLine,
  type Server,
  SERVER_ADDRESS,
  startServer,
  TUNNEL_LOCAL,
} from './support/server.js';
import { VpnClient } from './support/vpn-client.js';
import { until } from './support/wait.js';

enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES);
before(prepareMachine);

const [FIRST, SECOND] = CLIENT_ADDRESSES;
const SECRETS = '/etc/ppp/chap-secrets';
const BEHIND = '203.0.113.128/25';
const logins = new ClientLogins();
after(() => logins.close());

interface Outcome {
  readonly code: number;
  readonly output: string;
  readonly words: string;
}

/** `input`: what is typed; null: nothing. */
async function users(server: Server, input: string | null, ...words: readonly string[]): Promise<Outcome> {
  const command = ['users', ...words, '-c', server.configurationFile];
  const child = spawn(resolve('bin/pptpd-ts'), command, { stdio: ['pipe', 'pipe', 'pipe'] });
  let [output, said] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  child.stdin.on('error', () => undefined).end(input ?? '');
  const [code] = (await once(child, 'close')) as [number];
  return { code, output, words: said };
}

async function done(server: Server, input: string | null, ...words: readonly string[]): Promise<string> {
  const { code, output, words: said } = await users(server, input, ...words);
  assert.deepEqual([code, said], [0, ''], words.join(' '));
  return output;
}

/** What a command prints that has succeeded. */
function told(server: Server, command: string, ...words: readonly string[]): string {
  const args = [command, ...words, '-c', server.configurationFile];
  const { status, stdout, stderr } = spawnSync(resolve('bin/pptpd-ts'), args, { encoding: 'utf8' });
  assert.deepEqual([status, stderr], [0, ''], args.join(' '));
  return stdout;
}

/** No user but those of the accounts file. */
async function startWithAccounts(t: TestContext): Promise<Server> {
  const server = await startBuiltin(t);
  rmSync(secretsOf(server));
  return server;
}

const endOf = async (server: Server, { client }: VpnClient): Promise<LogLine> =>
  server.waitForLog('the end', ({ msg, peer }) => peer === client.name && msg.startsWith('session ended'));

async function refused(t: TestContext, server: Server, from: string, password?: string): Promise<LogLine> {
  const vpn = await VpnClient.call(t, {
    from,
    ...(password === undefined ? {} : { password }),
    callId: (lastCallId += 1),
  });
  vpn.negotiate();
  await vpn.gone();
  return server.waitForLog('why', ({ peer, cause }) => peer === vpn.client.name && cause !== undefined);
}
let lastCallId = 100;
const loggedIn = async (t: TestContext, from: string): Promise<VpnClient> =>
  VpnClient.loggedIn(t, { from, callId: (lastCallId += 1) });

describe('the builtin engine', () => {
  test('added, connected, disabled, enabled, another password, removed', async (t) => {
    const server = await startWithAccounts(t);
    assert.match(
      await done(server, 'wonderland\n', 'add', 'alice', '--address', '203.0.113.77'),
      /^"alice" was added to/,
    );
    assert.equal(statSync(accountsOf(server)).mode & 0o777, 0o600);
    assert(!readFileSync(accountsOf(server), 'utf8').includes('wonderland'));
    const vpn = await loggedIn(t, FIRST);
    assert.equal(vpn.address, '203.0.113.77');
    await vpn.echoOnce();
    const { live } = JSON.parse(await done(server, null, 'show', 'alice', '--json')) as { live: string[] };
    assert.equal(live.length, 1);

    await done(server, null, 'disable', 'alice');
    const end = await endOf(server, vpn);
    assert.deepEqual([end['reason'], end['detail']], ['accountEnded', '"alice" is disabled']);
    assert.equal((await refused(t, server, FIRST))['cause'], 'accountDisabled');
    await done(server, null, 'enable', 'alice');
    await done(server, 'wonderland', 'passwd', 'alice');
    const again = await loggedIn(t, SECOND);
    await done(server, 'looking glass\n', 'passwd', 'alice');
    await again.echoOnce();
    assert.equal((await refused(t, server, FIRST))['cause'], 'authenticationFailed');
    await done(server, null, 'remove', 'alice');
    assert.equal((await endOf(server, again))['detail'], '"alice" was removed');
    const log = JSON.stringify(server.log.all);
    for (const secret of ['looking glass', hashOf('wonderland'), hashOf('looking glass')])
      assert(!log.includes(secret));
  });

  test('an account that expires ends its session; one with a mistake ends none', async (t) => {
    const server = await startWithAccounts(t);
    const alice = { name: 'alice', ntHash: hashOf('wonderland') };
    writeFileSync(accountsOf(server), writeUsers([alice]), { mode: 0o600 });
    const vpn = await loggedIn(t, FIRST);
    writeFileSync(accountsOf(server), writeUsers([{ ...alice, disabled: true, sessions: -1 }]));
    await server.waitForLog('the mistake', ({ msg }) => msg.includes('accounts.json:7: accounts[0].sessions: -1'));
    await vpn.echoOnce();
    await (await loggedIn(t, SECOND)).echoOnce();
    const failed = await users(server, null, 'list');
    assert.deepEqual([failed.code, failed.words.includes('accounts[0].sessions: -1')], [1, true]);
    const expires = new Date(Date.now() + 100).toISOString();
    writeFileSync(accountsOf(server), writeUsers([{ ...alice, expires }]));
    assert.equal((await endOf(server, vpn))['detail'], '"alice" has expired');
    assert.equal((await refused(t, server, FIRST))['cause'], 'accountDisabled');
  });

  test('sessions, times and routes of the account; a new manager knows them too', async (t) => {
    const server = await startWithAccounts(t);
    await done(server, 'wonderland', 'add', 'alice', '--sessions', '1', '--session-time', '7d', '--routes', BEHIND);
    const vpn = await loggedIn(t, FIRST);
    await until('the route', () => shown('ip', 'route', 'show', BEHIND).startsWith(`${BEHIND} dev ppp0`));
    const [session] = await server.sessions();
    const limits = { account: 'alice', sessions: 1, sessionTime: 604_800, idleTime: null, filter: null };
    assert.deepEqual(session?.limits, limits);
    assert.equal((await refused(t, server, SECOND))['cause'], 'userLimit');
    server.signal('SIGKILL');
    await server.exited();
    server.start();
    await server.ready();
    await done(server, null, 'disable', 'alice');
    assert.equal((await endOf(server, vpn))['reason'], 'accountEnded');
    await until('no route', () => shown('ip', 'route', 'show', BEHIND) === '');
  });

  test('a speed: the kernel limits the interface, at once after a change, and nothing is left at the end', async (t) => {
    const missing = missingForSpeeds();
    if (missing !== null) {
      t.skip(missing);
      return;
    }
    const server = await startWithAccounts(t);
    await done(server, 'wonderland', 'add', 'alice', '--speed', 'up=5M,down=20M');
    const vpn = await loggedIn(t, FIRST);
    await until('ppp0 to be up', () => linkNames().includes('ppp0'));
    const helper = linkNames().find((name) => name.startsWith('ifb-')) ?? assert.fail(linkNames().join());
    assert.match(queuesOf('ppp0'), /tbf .* rate 20Mbit/);
    assert.match(queuesOf('ppp0'), /ingress/);
    assert.match(queuesOf(helper), /tbf .* rate 5Mbit/);
    for (let count = 0; count < 5; count += 1) await vpn.echoOnce();
    const inForce = async (): Promise<SessionState['speed'] | undefined> => (await server.sessions())[0]?.speed;
    assert.deepEqual(await inForce(), { up: 5_000_000, down: 20_000_000 });
    assert.match(told(server, 'sessions'), /SPEED LIMIT\n.* up 5\.0 Mbit\/s, down 20\.0 Mbit\/s$/m);
    await done(server, null, 'set', 'alice', '--speed', 'down=30M');
    await until('the new speed', () => queuesOf('ppp0').includes('rate 30Mbit') && !linkNames().includes(helper));
    await vpn.echoOnce();
    await done(server, null, 'set', 'alice', '--speed', 'up=8M');
    await until('the other way', () => !queuesOf('ppp0').includes('tbf') && linkNames().includes(helper));
    await until('the session to know it', async () =>
      isDeepStrictEqual(await inForce(), { up: 8_000_000, down: null }),
    );
    await vpn.echoOnce();
    await done(server, null, 'set', 'alice', '--speed', 'none');
    await until('no limit', async () => (await inForce()) === null);
    assert.doesNotMatch(told(server, 'sessions'), /SPEED/);
    await vpn.leave();
    await until('nothing to be left', () => !linkNames().some((name) => /^(?:ppp|ifb-)/.test(name)));
  });

  test('a quota is used up: the session ends, logins are refused, a higher one lets the user in', async (t) => {
    const server = await startWithAccounts(t);
    await done(server, 'wonderland', 'add', 'alice', '--quota', '1k/month');
    const vpn = await loggedIn(t, FIRST);
    await vpn.echo();
    const packet = echoRequest(vpn.address, TUNNEL_LOCAL, Buffer.alloc(56));
    for (let sent = 0; sent < 1024; sent += packet.length) vpn.sendPacket(packet);
    const end = await endOf(server, vpn);
    assert.deepEqual([end['reason'], end['detail']], ['accountEnded', '"alice" has used up its quota']);
    assert.equal((await refused(t, server, FIRST))['cause'], 'quotaReached');

    // Another server knows it too.
    server.signal('SIGTERM');
    await server.exited();
    server.start();
    await server.ready();
    assert.equal((await refused(t, server, FIRST))['cause'], 'quotaReached');
    await done(server, null, 'set', 'alice', '--quota', '1M/month');
    await (await loggedIn(t, SECOND)).echoOnce();
    const [live] = (await server.sessions()).filter(({ phase }) => phase === 'up');
    const session = live?.session ?? assert.fail('no session is up');
    assert.match(told(server, 'show', session), /^ {2}quota +1\.0 MiB per month: .* used, .* left; begins anew /m);
    assert.equal((JSON.parse(told(server, 'show', session, '--json')) as { quota: Quota }).quota.octets, 2 ** 20);
    const { quota } = JSON.parse(await done(server, null, 'show', 'alice', '--json')) as {
      quota: { used: number; left: number; beginsAnew: string };
    };
    assert(quota.used >= 1024 && quota.left === 2 ** 20 - quota.used, JSON.stringify(quota));
    const next = new Date(quota.beginsAnew);
    assert.deepEqual([next.getDate(), next.getHours()], [1, 0]);
    assert.match(await done(server, null, 'list'), /alice +active .* of 1\.0 MiB/);
  });

  test('the users of chap-secrets stay, and are imported', async (t) => {
    const server = await startBuiltin(t);
    assert.match(await done(server, null, 'import'), /^2 users were copied/);
    await (await loggedIn(t, FIRST)).leave();
    writeFileSync(secretsOf(server), '');
    await (await loggedIn(t, SECOND)).leave();
    assert.equal((await users(server, null, 'import')).code, 0);
    const names = (JSON.parse(await done(server, null, 'list', '--json')) as { users: { name: string }[] }).users;
    assert.deepEqual(
      names.map(({ name }) => name),
      ['alice', 'bob'],
    );
  });

  test('a password that is typed is asked for twice, and not shown', async (t) => {
    const server = await startBuiltin(t);
    const words = ['users', 'add', 'carol', '-c', server.configurationFile];
    const terminal = spawnTerminal(resolve('bin/pptpd-ts'), words, { cols: 200 });
    let screen = '';
    terminal.onData((text) => (screen += text));
    const ended = new Promise<number>((settle) => terminal.onExit(({ exitCode }) => settle(exitCode)));
    for (const question of ['Password of "carol": ', 'The same again: ']) {
      await until(question, () => screen.endsWith(question));
      terminal.write('looking glasz\u007fs\r');
    }
    assert.equal(await ended, 0, screen);
    assert(!screen.includes('look'), screen);
    assert(readFileSync(accountsOf(server), 'utf8').includes(hashOf('looking glass')));
  });

  test('what cannot be done says why', async (t) => {
    const server = await startBuiltin(t);
    const outcomes: [words: string[], input: string | null, code: number, said: RegExp][] = [
      [['add', 'carol'], '', 1, /this password is not allowed; allowed: 1 to 256 characters/],
      [['add', 'ca\nrol'], 'x', 1, /this name is not allowed; allowed: 1 to 255 octets/],
      [['set', 'alice', '--sessions', '2'], null, 1, /"alice" is only in .*chap-secrets, .*users import/],
      [['set', 'carol'], null, 1, /nothing to change/],
      [['add', 'carol', '--password', 'x'], null, 1, /unknown option/],
    ];
    for (const [words, input, code, said] of outcomes) {
      const outcome = await users(server, input, ...words);
      assert.match(outcome.words, said);
      assert(outcome.code === code || outcome.code === 2, `${words.join(' ')}: ${outcome.code}`);
    }
  });
});

test('with pppd: lines of chap-secrets, and sessions that end', async (t) => {
  const server = await startServer(t, {}, 'login');
  const written = '# office\nbob\t*  "b b"  *  # since 2019\n';
  writeFileSync(SECRETS, written, { mode: 0o600 });
  await done(server, 'wonder land\n', 'add', 'alice', '--address', '203.0.113.10');
  const [, added = ''] = /\n(alice .*)\n$/.exec(readFileSync(SECRETS, 'utf8')) ?? [];
  assert.match(added, /^alice \S+ "wonder land" 203\.0\.113\.10$/);
  const { client } = await logins.loggedIn(t, 'alice', FIRST);
  await done(server, null, 'disable', 'alice');
  const end = await server.waitForLog(
    'the end',
    ({ msg, peer }) => peer === client.name && msg.startsWith('session ended'),
  );
  assert.equal(end['reason'], 'accountEnded');
  assert.equal(readFileSync(SECRETS, 'utf8'), `${written}#pptpd-ts-disabled ${added}\n`);
  await done(server, null, 'enable', 'alice');
  await done(server, 'new', 'passwd', 'bob');
  assert.equal(readFileSync(SECRETS, 'utf8'), `${written.replace('"b b"', 'new')}${added}\n`);
  const refusal = await users(server, null, 'set', 'alice', '--expires', '30d', '--quota', '5G', '--note', 'x');
  assert.equal(refusal.code, 1);
  assert.match(refusal.words, /pppd cannot keep expires, quota, note of a user: \/etc\/ppp\/chap-secrets/);
  await done(server, null, 'remove', 'alice');
  assert.equal(readFileSync(SECRETS, 'utf8'), written.replace('"b b"', 'new'));
  await until('the file alone', () => statSync(SECRETS).mode % 0o1000 === 0o600);
});

test('with RADIUS every command says that the accounts are not used', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pptpd-ts-users-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [file, accounts] = [join(folder, 'pptpd-ts.json'), join(folder, 'accounts.json')];
  const radius = { servers: [{ address: '192.0.2.53', secretFile: join(folder, 'secret') }] };
  const configuration = {
    ppp: { engine: 'builtin', secrets: join(folder, 'none') },
    accounts: { file: accounts },
    radius,
  };
  writeFileSync(file, JSON.stringify(configuration));
  const { status, stderr } = spawnSync(resolve('bin/pptpd-ts'), ['users', 'list', '-c', file], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  assert.equal(
    stderr,
    `pptpd-ts: ${accounts} is not used: RADIUS judges the logins; remedy: change users there, or remove the section "radius"\n`,
  );
});
