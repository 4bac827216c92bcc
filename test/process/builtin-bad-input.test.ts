/**
 * What can go wrong with the builtin engine: the machine, the secrets, the client. Each ends in one sentence or in one counter,
 * no memory grows, and a session beside it goes on.
 */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import { before, describe, test, type TestContext } from 'node:test';
import type { ClientSettings } from '../unit/ppp/engine/peer.js';
import { memoryOf, MEMORY_SLACK } from './support/bystanders.js';
import { builtinServer, secretsOf, startBuiltin } from './support/engines.js';
import { prepareMachine } from './support/monitor.js';
import { enterNamespace } from './support/netns.js';
import { CLIENT_ADDRESSES, type LogLine, type Server, SERVER_ADDRESS, type Settings } from './support/server.js';
import { VpnClient } from './support/vpn-client.js';
import { until } from './support/wait.js';

enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES);
before(prepareMachine);

const [FIRST, SECOND] = CLIENT_ADDRESSES;
const LCP = 0xc021;
const CCP = 0x80fd;
const IPV4 = 0x0021;
const MPPE = 0x00fd;
const [REQUEST, NAK, TERMINATE, RESET] = [1, 3, 5, 14];

/** A PPP packet in its frame. */
function frame(protocol: number, code: number, identifier: number, data: readonly number[] = []): Buffer {
  const length = 4 + data.length;
  return Buffer.from([
    0xff,
    0x03,
    protocol >> 8,
    protocol & 255,
    code,
    identifier & 255,
    length >> 8,
    length & 255,
    ...data,
  ]);
}

const dataFrame = (protocol: number, data: Uint8Array): Buffer =>
  Buffer.from([0xff, 0x03, protocol >> 8, protocol & 255, ...data]);

/** The one line that says why the client's session has failed. */
async function whyFailed(server: Server, name: string): Promise<LogLine> {
  const isOne = ({ peer, cause }: LogLine): boolean => peer === name && cause !== undefined;
  const line = await server.waitForLog('why', isOne);
  await server.waitForLog('its end', ({ peer, msg }) => peer === name && msg.startsWith('session ended'));
  assert.equal(server.log.all.filter(isOne).length, 1);
  return line;
}

const counterOf = async (server: Server, user: string | null, name: string): Promise<number> =>
  (await server.sessions()).find((session) => session.user === user)?.counters?.[name] ?? 0;

describe('the machine', () => {
  const inMounts = ['unshare', '--mount', 'sh', '-c'];
  /** In `$1` is the configuration. */
  const readOnly = (prepare: string): string[] => [
    ...inMounts,
    `prepared() { ${prepare} && mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"; }; prepared "\${4%/*}" && exec "$@"`,
    'sh',
  ];
  const machines: readonly [what: string, prefix: readonly string[], sentence: RegExp][] = [
    [
      'without /dev/net/tun',
      [...inMounts, 'mount -t tmpfs none /dev/net && exec "$@"', 'sh'],
      /pptpd-ts: \/dev\/net\/tun is missing; remedy: modprobe tun/,
    ],
    [
      'without permission',
      ['setpriv', '--bounding-set', '-net_admin', '--inh-caps', '-net_admin'],
      /pptpd-ts: the monitor cannot create a network interface without CAP_NET_ADMIN; remedy: /,
    ],
    [
      'without GRE',
      ['setpriv', '--bounding-set', '-net_raw', '--inh-caps', '-net_raw'],
      /pptpd-ts: root without CAP_NET_RAW cannot start the server as user 61723; remedy: .*--cap-add NET_RAW$/m,
    ],
    [
      'without a change of the user',
      ['setpriv', '--bounding-set', '-setuid,-setgid', '--inh-caps', '-setuid,-setgid'],
      /pptpd-ts: root without CAP_SETGID and CAP_SETUID cannot start the server as user 61723; remedy: /,
    ],
    [
      'with a read-only run directory',
      readOnly('mkdir "$1/run"'),
      /pptpd-ts: cannot write to \/.*\/run: its file system is read-only; remedy: mount a writable one there/,
    ],
    [
      'with a read-only folder of an earlier monitor',
      readOnly('mkdir "$1/run" "$1/run.monitor" && chown 61723:61723 "$1/run"'),
      /pptpd-ts: cannot write to \/.*\/run\.monitor: its file system is read-only; remedy: mount a writable one there/,
    ],
  ];
  for (const [what, prefix, sentence] of machines)
    test(what, async (t) => {
      const server = builtinServer();
      t.after(() => server.cleanUp());
      server.start(...prefix);
      const { code } = await server.exited();
      assert.equal(code, 1);
      await until('the sentence', () => sentence.test(server.words));
      server.endMonitor();
      await server.nothingLeft();
    });
});

describe('the secrets', () => {
  const states: readonly [what: string, change: (path: string) => void, code: string][] = [
    ['are missing', (path) => rmSync(path), 'ENOENT'],
    [
      'are a folder',
      (path) => {
        rmSync(path);
        mkdirSync(path);
      },
      'EISDIR',
    ],
  ];
  for (const [what, change, code] of states)
    test(what, async (t) => {
      const server = await startBuiltin(t);
      const stays = await VpnClient.loggedIn(t, { from: SECOND, callId: 2 });
      change(secretsOf(server));
      const vpn = await VpnClient.call(t, { from: FIRST });
      vpn.negotiate();
      await vpn.gone();
      const { cause, msg } = await whyFailed(server, vpn.client.name);
      assert.equal(cause, 'noSecrets');
      assert(msg.includes(`cannot read ${secretsOf(server)}: ${code}`), msg);
      await stays.echoOnce();
    });
});

describe('a client that does not agree', () => {
  const clients: readonly [what: string, ppp: Partial<ClientSettings>, settings: Settings, cause: string][] = [
    ['wants another login', { authentication: ['EAP'] }, {}, 'authProtocolRefused'],
    ['rejects CCP', { noCcp: true }, {}, 'encryptionRefusedByClient'],
    ['wants 40 bits', { mppe: { keys: [40], stateless: true, mppc: false } }, {}, 'encryptionModesDiffer'],
    ['insists on an address', { address: '203.0.113.99', insists: true }, {}, 'addressRefused'],
  ];
  for (const [what, ppp, settings, expected] of clients)
    test(what, async (t) => {
      const server = await startBuiltin(t, settings);
      const stays = await VpnClient.loggedIn(t, { from: SECOND, callId: 2, user: 'bob' });
      const vpn = await VpnClient.call(t, { from: FIRST, ppp });
      vpn.negotiate();
      await vpn.gone();
      const { cause, msg } = await whyFailed(server, vpn.client.name);
      assert.equal(cause, expected, msg);
      await stays.echoOnce();
    });

  test('naks for ever', async (t) => {
    const server = await startBuiltin(t);
    const stays = await VpnClient.loggedIn(t, { from: SECOND, callId: 2, user: 'bob' });
    const vpn = await VpnClient.call(t, { from: FIRST });
    let answered = 0;
    const timer = setInterval(() => {
      for (const packet of vpn.controls.slice(answered)) {
        answered += 1;
        if (packet.readUInt16BE(2) === LCP && packet[4] === REQUEST)
          vpn.sendFrame(frame(LCP, NAK, packet[5] ?? 0, [1, 4, 1, answered]));
      }
    }, 1);
    t.after(() => clearInterval(timer));
    await vpn.gone();
    const { cause } = await whyFailed(server, vpn.client.name);
    assert.equal(cause, 'noAgreement');
    assert(answered < 40, `${answered} frames from the server`);
    await stays.echoOnce();
  });

  test('says nothing', async (t) => {
    const server = await startBuiltin(t);
    const stays = await VpnClient.loggedIn(t, { from: SECOND, callId: 2, user: 'bob' });
    const vpn = await VpnClient.call(t, { from: FIRST });
    await vpn.gone();
    const { cause } = await whyFailed(server, vpn.client.name);
    assert.equal(cause, 'greNotReceived');
    await stays.echoOnce();
  });
});

/** Sends so much of it that anything that is kept would show. */
const FLOOD = 20_000;
const BURST = 200;

async function flood(vpn: VpnClient, make: (index: number) => Uint8Array): Promise<void> {
  for (let index = 0; index < FLOOD; index += 1) {
    vpn.sendFrame(make(index));
    if (index % BURST === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Asserts that a flood of these frames costs no memory, and that the session and another one go on. */
async function endures(
  t: TestContext,
  make: (vpn: VpnClient, index: number) => Uint8Array,
): Promise<{ server: Server; vpn: VpnClient }> {
  const server = await startBuiltin(t);
  const stays = await VpnClient.loggedIn(t, { from: SECOND, callId: 2, user: 'bob' });
  const vpn = await VpnClient.loggedIn(t, { from: FIRST });
  const pid = (await server.sessions()).find(({ user }) => user === 'alice')?.pid ?? 0;
  const atFirst = memoryOf(pid);
  await flood(vpn, (index) => make(vpn, index));
  await vpn.echo();
  await stays.echoOnce();
  const memory = memoryOf(pid);
  t.diagnostic(`worker: ${atFirst.toFixed(0)} MiB before, ${memory.toFixed(0)} MiB after`);
  assert(memory < atFirst + MEMORY_SLACK, `${atFirst} MiB became ${memory} MiB`);
  return { server, vpn };
}

describe('a client that floods', () => {
  test('data that is not encrypted', async (t) => {
    const { server } = await endures(t, () => dataFrame(IPV4, Buffer.alloc(40, 0x45)));
    assert((await counterOf(server, 'alice', 'rxUnencrypted')) > 1000);
  });

  const nonsense: readonly [what: string, make: (vpn: VpnClient) => () => Buffer][] = [
    ['that are too short', () => () => dataFrame(MPPE, Buffer.alloc(1))],
    [
      'of a count that is over',
      (vpn) => {
        const old = vpn.frameOf(IPV4, Buffer.alloc(40, 0x45));
        return () => old;
      },
    ],
  ];
  for (const [what, make] of nonsense)
    test(`MPPE packets ${what}: some are counted, so many end the session`, async (t) => {
      const server = await startBuiltin(t);
      const stays = await VpnClient.loggedIn(t, { from: SECOND, callId: 2, user: 'bob' });
      const vpn = await VpnClient.loggedIn(t, { from: FIRST });
      const next = make(vpn);
      for (let count = 0; count < 10; count += 1) vpn.sendFrame(next());
      await vpn.echo();
      assert((await counterOf(server, 'alice', 'rxUndecryptable')) >= 9);
      await flood(vpn, next);
      await vpn.gone();
      const { cause } = await whyFailed(server, vpn.client.name);
      assert.equal(cause, 'mppeKeysDiffer');
      await stays.echoOnce();
    });

  test('CCP Reset-Requests', async (t) => {
    await endures(t, (_, index) => frame(CCP, RESET, index));
  });

  test('control frames of unknown protocols', async (t) => {
    const { vpn } = await endures(t, (_, index) => frame(0x9001 + 2 * (index % 1000), REQUEST, index));
    assert(vpn.controls.length < 2000, `${vpn.controls.length} answers`);
  });

  test('data before its login', async (t) => {
    const server = await startBuiltin(t);
    const vpn = await VpnClient.call(t, { from: FIRST });
    for (let index = 0; index < 500; index += 1) vpn.sendFrame(dataFrame(IPV4, Buffer.alloc(40, 0x45)));
    await until('it to be counted', async () => (await counterOf(server, null, 'rxUnencrypted')) > 100);
    await vpn.logIn();
  });

  test('Terminate-Requests', async (t) => {
    const server = await startBuiltin(t);
    const stays = await VpnClient.loggedIn(t, { from: SECOND, callId: 2, user: 'bob' });
    const vpn = await VpnClient.loggedIn(t, { from: FIRST });
    await flood(vpn, (index) => frame(LCP, TERMINATE, index));
    await vpn.gone();
    const end = await server.waitForLog(
      'its end',
      ({ peer, msg }) => peer === vpn.client.name && msg.startsWith('session ended'),
    );
    assert.equal(end['reason'], 'pppEnded');
    assert.equal(
      server.log.all.filter(({ peer, msg }) => peer === vpn.client.name && msg.startsWith('session ended')).length,
      1,
    );
    await stays.echoOnce();
  });
});

test('a monitor that does not answer: the login fails by a sentence, sessions go on', async (t) => {
  const server = await startBuiltin(t);
  const stays = await VpnClient.loggedIn(t, { from: SECOND, callId: 2, user: 'bob' });
  const vpn = await VpnClient.call(t, { from: FIRST });
  const { monitor = 0 } = server.monitorProcesses();
  process.kill(monitor, 'SIGSTOP');
  vpn.negotiate();
  await vpn.gone();
  const { cause, msg } = await whyFailed(server, vpn.client.name);
  assert.equal(cause, 'loginNotChecked');
  assert.match(msg, /the monitor does not answer: ETIMEDOUT\); remedy: kill -KILL/);
  await stays.echoOnce();
  process.kill(monitor, 'SIGCONT');
  await (await VpnClient.loggedIn(t, { from: FIRST, callId: 3 })).leave();
});
