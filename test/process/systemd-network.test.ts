/**
 * The package's systemd unit, run by systemd, with the builtin engine and the section `network`: its restrictions permit
 * what both need, and a client's packets go through the machine.
 *
 *     client ══ tunnel ══ server, unit of systemd ── lan0 .129 ── .130 station, in a namespace of its own
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { tableName } from '../../src/network/ruleset.js';
import { managerStatus } from '../../src/session/manager-status.js';
import { askManager } from '../../src/admin/ask-manager.js';
import { namespaceProcesses } from './support/netns.js';
import { CLIENT_ADDRESSES, SERVER_ADDRESS, TUNNEL_LOCAL, TUNNEL_REMOTE } from './support/server.js';
import { enterSystemd, installUnit, property, systemctl } from './support/systemd.js';
import { PASSWORD, USER, VpnClient } from './support/vpn-client.js';
import { until } from './support/wait.js';

const missing = enterSystemd();

const LOG = '/run/server.log';
const RUN_DIRECTORY = '/run/pptpd-ts';
const STATION = '192.0.2.130';
const TABLE = tableName(RUN_DIRECTORY);

function run(program: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  assert.equal(status, 0, `${program} ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** The command succeeds; if not, the log says why. */
function done(...command: readonly string[]): void {
  const { code, output } = systemctl(...command, 'pptpd-ts');
  assert.equal(code, 0, `${output}\n${existsSync(LOG) ? readFileSync(LOG, 'utf8') : ''}`);
}

const rules = (): string => spawnSync('nft', ['list', 'table', 'inet', TABLE], { encoding: 'utf8' }).stdout;
const forwarding = (): string => readFileSync('/proc/sys/net/ipv4/ip_forward', 'latin1').trim();

function prepareMachine(): void {
  for (const address of [SERVER_ADDRESS, ...CLIENT_ADDRESSES])
    run('ip', 'address', 'add', `${address}/32`, 'dev', 'lo');
  run('ip', 'link', 'set', 'lo', 'up');
  // A namespace of `ip netns` would need a shared /run/netns; this one goes with the process.
  run('ip', 'link', 'add', 'lan0', 'type', 'veth', 'peer', 'name', 'lan1');
  run('ip', 'address', 'add', '192.0.2.129/25', 'dev', 'lan0');
  run('ip', 'link', 'set', 'lan0', 'up');
  run('ip', 'netns', 'add', 'station');
  run('ip', 'link', 'set', 'lan1', 'netns', 'station');
  run('ip', '-n', 'station', 'address', 'add', `${STATION}/25`, 'dev', 'lan1');
  run('ip', '-n', 'station', 'link', 'set', 'lan1', 'up');
  run('ip', 'route', 'add', 'default', 'via', STATION);
  mkdirSync('/etc/ppp', { recursive: true });
  writeFileSync('/etc/ppp/chap-secrets', `${USER} * ${PASSWORD} *\n`, { mode: 0o600 });
  const configuration = {
    listen: { address: SERVER_ADDRESS },
    addresses: { local: TUNNEL_LOCAL, remote: TUNNEL_REMOTE },
    ppp: { engine: 'builtin', dataPath: 'tun' },
    network: { masquerade: 'auto', isolateClients: true },
  };
  writeFileSync('/etc/pptpd-ts.json', JSON.stringify(configuration));
  installUnit(LOG);
}

test('the section network under the unit', { skip: missing ?? false }, async (t) => {
  prepareMachine();
  await until('systemd', () => existsSync('/run/systemd/private'));
  assert.equal(forwarding(), '0');

  await t.test('start: forwarding is on and the table is there; packets of a client leave with NAT', async () => {
    done('start');
    assert.equal(forwarding(), '1');
    assert.match(rules(), /iifname "ppp\*" oifname "lan0" masquerade/);
  });
  // The station knows no route to the tunnels: without NAT it could not answer.
  const vpn = await VpnClient.loggedIn(t);
  await vpn.echo(STATION);
  const inForce = rules();

  await t.test('what the unit forbids stays forbidden', () => {
    const { pid: monitor } =
      namespaceProcesses().find(({ command }) => command.startsWith(`pptpd-ts monitor ${RUN_DIRECTORY}`)) ??
      assert.fail('no monitor runs');
    for (const path of ['/proc/sys/net/ipv4/conf/all/proxy_arp', '/usr/forbidden'])
      assert.throws(() => writeFileSync(`/proc/${monitor}/root${path}`, '1\n'), { code: 'EROFS' }, path);
  });

  await t.test('reload', () => {
    const before = property('MainPID');
    done('reload');
    assert.equal(property('MainPID'), before);
  });

  await t.test('restart: another manager, the same rules, and the session goes on', async () => {
    const before = property('MainPID');
    done('restart');
    assert.notEqual(property('MainPID'), before);
    assert.equal(rules(), inForce);
    await vpn.echoOnce(STATION);
    await until('status to say that they are in force', async () => {
      const { network } = managerStatus.parse(await askManager(RUN_DIRECTORY, 'status'));
      return network?.state === 'inForce';
    });
  });

  // That the table goes ten seconds later is network.test.ts's matter.
  await t.test('stop', async () => {
    await vpn.leave();
    done('stop');
    assert.equal(property('ActiveState'), 'inactive');
  });
});
