/**
 * Failures of the builtin engine on this machine: the server with its monitor and a client of the tests' own, whose login
 * fails. The causes of the negotiation: test/unit/ctrl/engine-failures.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { CALL, Client } from './support/client.js';
import { enterNamespace } from './support/netns.js';
import { CLIENT_ADDRESSES, endWith, type LogLine, SERVER_ADDRESS, Server } from './support/server.js';
import { Tunnel } from './support/tunnel.js';
import { until } from './support/wait.js';

enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES);

const CHAP = 0xc223;
const [CHALLENGE, RESPONSE, FAILURE] = [1, 2, 4];
const skip = existsSync('/dev/net/tun') ? false : 'this machine has no /dev/net/tun';

/** In a mount namespace of its own, where the device can be hidden from the server and its monitor. */
const OWN_MOUNTS = ['unshare', '--mount'];
const hideDevice = ({ pid }: Server): void => {
  const hide = ['--target', String(pid), '--mount', 'mount', '-t', 'tmpfs', 'none', '/dev/net'];
  assert.equal(spawnSync('nsenter', hide).status, 0);
};

/** A server with the builtin engine, whose secrets are alice's. */
async function start(t: TestContext, ...prefix: readonly string[]): Promise<Server> {
  const server = new Server(false);
  endWith(t, server);
  // The server runs as another user, who has to read its configuration.
  chmodSync(server.directory, 0o755);
  const secrets = join(server.directory, 'chap-secrets');
  writeFileSync(secrets, 'alice pptpd secret *\n', { mode: 0o600 });
  server.configure({ ppp: { engine: 'builtin', dataPath: 'tun', secrets } });
  server.start(...prefix);
  await server.ready();
  return server;
}

/** The one warning of the session, when it is over. */
async function failure(server: Server): Promise<LogLine> {
  const { session } = await server.waitForLog('the end', ({ msg }) => msg.startsWith('session ended'));
  const [line, ...more] = server.log.all.filter((each) => each.session === session && each.level === 'warn');
  assert.deepEqual(more, []);
  assert(line !== undefined);
  return line;
}

/** Answers the challenge by octets that are no response to it. */
async function respond(tunnel: Tunnel, name: string): Promise<void> {
  let challenge = await tunnel.nextFrame(CHAP);
  while (challenge[0] !== CHALLENGE) challenge = await tunnel.nextFrame(CHAP);
  const data = Buffer.concat([Buffer.of(49), Buffer.alloc(49, 7), Buffer.from(name)]);
  await tunnel.sendFrame(CHAP, Buffer.concat([Buffer.of(RESPONSE, challenge[1] ?? 0, 0, 4 + data.length), data]));
}

/** Logs in by a wrong password, and returns the server's answer. */
async function guess(tunnel: Tunnel, name: string): Promise<Buffer> {
  await respond(tunnel, name);
  for (;;) {
    const answer = await tunnel.nextFrame(CHAP);
    if (answer[0] !== CHALLENGE) return answer;
  }
}

describe('with the builtin engine', { skip }, () => {
  for (const name of ['alice', 'nobody'])
    test(`a wrong password for ${name} is authenticationFailed, whether there is such a user or not`, async (t) => {
      const server = await start(t);
      const tunnel = await Tunnel.open(t);
      await tunnel.openLcp();
      const answer = await guess(tunnel, name);
      assert.equal(answer[0], FAILURE);
      assert.match(answer.toString('latin1', 4), /^E=691 /);
      tunnel.client.end();
      const { cause, msg } = await failure(server);
      assert.equal(cause, 'authenticationFailed');
      assert.match(
        msg,
        new RegExp(`E=691\\) for user "${name}".* get the same answer; remedy: .*chap-secrets \\(ppp\\.secrets\\)`),
      );
    });

  test('a call after /dev/net/tun has gone is refused: deviceFailed', async (t) => {
    const server = await start(t, ...OWN_MOUNTS);
    hideDevice(server);
    const client = await Client.start(CLIENT_ADDRESSES[0]);
    client.send(CALL);
    const reply = await client.next('OutgoingCallReply');
    assert.equal(reply.resultCode, 2);
    const { cause, msg } = await failure(server);
    assert.equal(cause, 'deviceFailed');
    assert.match(
      msg,
      /^login failed: the network interface failed \(cannot open \/dev\/net\/tun: ENOENT\); remedy: modprobe tun; .*--device \/dev\/net\/tun/,
    );
  });

  test('without its secrets file the login cannot be checked: noSecrets', async (t) => {
    const server = await start(t);
    rmSync(join(server.directory, 'chap-secrets'));
    const tunnel = await Tunnel.open(t);
    await tunnel.openLcp();
    await respond(tunnel, 'alice');
    const { cause, msg } = await failure(server);
    assert.equal(cause, 'noSecrets');
    assert.match(msg, /cannot read \S+chap-secrets: ENOENT\); remedy: create \S+chap-secrets \(ppp\.secrets\)/);
  });

  test('the state of a session has the kind of its link and its interface', async (t) => {
    const server = await start(t);
    await Tunnel.open(t);
    const session = await until('the call', async () => (await server.sessions()).find(({ link }) => link !== null));
    assert.deepEqual([session.link, session.interface, session.pppdPid], ['tun', 'ppp0', null]);
  });
});
