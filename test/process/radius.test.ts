/**
 * Logins that a real FreeRADIUS judges: the monitor asks it by the RADIUS process, for workers without privileges. Beside it
 * a server that lies, which knows everything but the secret.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, describe, test, type TestContext } from 'node:test';
import type { LoginVerdict } from '../../src/monitor/monitor-client.js';
import type { RadiusSettings } from '../../src/monitor/protocol.js';
import { authenticatorOf, CODES, decodePacket, encodeReply } from '../../src/radius/packet.js';
import { sessionSocketPath } from '../../src/session/paths.js';
import { FreeRadius, SECRET, withoutFreeRadius } from './support/free-radius.js';
import { LOCAL, MonitorWorker, PEER, prepareMachine, recordScripts, TestMonitor } from './support/monitor.js';
import { enterNamespace, namespaceProcesses } from './support/netns.js';
import { missingForSpeeds, queuesOf, shown } from './support/speed-limits.js';
import { until } from './support/wait.js';

const TRUE = '192.0.2.53';
const LIAR = '192.0.2.54';
enterNamespace(TRUE, LIAR);
before(prepareMachine);

const USERS = `
trent	Cleartext-Password := "trent of RADIUS"
	Framed-IP-Address = 203.0.113.77,
	Session-Timeout = 3600,
	Idle-Timeout = 600,
	Class = "sales",
	Filter-Id = "sales only",
	Framed-Route = "198.51.100.128/25 0.0.0.0 7",
	Framed-Route += "198.51.100.64/28 203.0.113.77 1",
	Framed-Route += "198.51.100.0/29 0.0.0.0 1",
	Framed-Route += "anywhere",
	Mikrotik-Rate-Limit = "512k/2M 1M/4M",
	WISPr-Bandwidth-Max-Up = 64000,
	Reply-Message = "Good morning"
peggy	Cleartext-Password := "peggy of RADIUS"
	Framed-IP-Address = 255.255.255.254,
	Service-Type = Framed-User,
	Framed-Protocol = PPP
victor	Cleartext-Password := "victor of RADIUS"
	Framed-IP-Address = 255.255.255.255,
	Framed-Pool = "others",
	WISPr-Bandwidth-Max-Down = 256000
walter	Cleartext-Password := "walter of RADIUS"
	Service-Type = Administrative-User
mallory	Cleartext-Password := "mallory of RADIUS", Auth-Type := Reject
	Reply-Message = "Your account is closed"
`;

function secretFile(t: TestContext, secret = SECRET): string {
  const folder = mkdtempSync(join(tmpdir(), 'pptpd-ts-secret-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'secret');
  writeFileSync(file, `${secret}\n`, { mode: 0o600 });
  return file;
}

/** `timeout`: seconds; FreeRADIUS answers within them also on a busy machine. */
const server = (address: string, file: string, timeout = 5): RadiusSettings['servers'][number] => ({
  address,
  authPort: 1812,
  acctPort: 1813,
  secretFile: file,
  timeout,
  tries: 2,
});

async function monitorWith(t: TestContext, ...servers: RadiusSettings['servers']): Promise<TestMonitor> {
  const radius = { servers, nasIdentifier: 'server1', requireMessageAuthenticator: true };
  return TestMonitor.start(t, { radius });
}

async function logIn(worker: MonitorWorker, ...login: readonly string[]): Promise<LoginVerdict> {
  return (await worker.does('authenticate', ...login)) as LoginVerdict;
}

/** Process id of the RADIUS process. */
const radiusProcess = (): number | undefined =>
  namespaceProcesses().find(({ command, zombie }) => !zombie && command.startsWith('pptpd-ts radius'))?.pid;

describe('a login is judged by FreeRADIUS', { skip: withoutFreeRadius }, () => {
  test('with keys, address, limits, routes, filter and greeting, or by the reason of a refusal', async (t) => {
    const { calls } = recordScripts(t);
    const free = await FreeRadius.start(t, TRUE, USERS);
    const monitor = await monitorWith(t, server(TRUE, secretFile(t)));
    const worker = await monitor.worker(t);
    await worker.does('openTun');

    const wrong = await logIn(worker, 'trent', 'not his');
    assert(!wrong.accepted);
    assert.equal(wrong.code, 691);
    assert.notEqual(wrong.retryChallenge, null);
    assert.match(free.log, /Login incorrect.*trent.*from client test port 0/);
    const closed = await logIn(worker, 'mallory', 'mallory of RADIUS');
    assert(!closed.accepted);
    assert.equal(closed.message, 'Your account is closed');

    const right = await logIn(worker, 'trent', 'trent of RADIUS');
    assert(right.accepted);
    assert.match(right.message, /^S=[0-9A-F]{40} M=Good morning$/);
    assert.equal((right.keys as unknown as { send: { data: number[] } }).send.data.length, 16);
    assert.equal(right.remote, '203.0.113.77');
    const limits = { account: null, sessions: null, sessionTime: 3600, idleTime: 600, filter: 'sales only' };
    assert.deepEqual(right.limits, limits);
    await worker.does('configure', { mtu: 1396, ipv4: { local: LOCAL, remote: '203.0.113.77' }, ipv6: null });
    assert.match(free.log, new RegExp(`Login OK.*trent.*port 0 cli ${PEER}`));
    const routes = (): string => shown('ip', '-o', 'route', 'show', 'dev', 'ppp0', 'scope', 'link');
    // Not the one with the client's own address in it.
    assert.deepEqual(
      routes()
        .split('\n')
        .flatMap((line) => /^(198\S+).* metric (\d+)/.exec(line)?.slice(1).join(' ') ?? []),
      ['198.51.100.64/28 1', '198.51.100.128/25 7'],
    );
    await until('ip-up', () => calls().some((call) => call.startsWith('ip-up')));
    assert.match(calls().join('\n'), /^ip-up ppp0 .*RADIUS_FILTER_ID='sales only'/m);
    await worker.does('close', 1);
    assert.doesNotMatch(routes(), /198\.51\.100/);

    const other = await monitor.worker(t, '203.0.113.10');
    const lent = await logIn(other, 'peggy', 'peggy of RADIUS');
    assert(lent.accepted);
    assert.deepEqual([lent.remote, lent.limits], ['203.0.113.10', null]);
    const chosen = await logIn(other, 'victor', 'victor of RADIUS');
    assert(chosen.accepted);
    assert.equal(chosen.remote, '203.0.113.10', 'the client may choose, and the server has chosen');
    const otherService = await logIn(other, 'walter', 'walter of RADIUS');
    assert(!otherService.accepted);
    assert.match(otherService.message, /permits another service than PPP/);
    const pap = (await other.does('authenticateByPap', 'peggy', 'peggy of RADIUS')) as LoginVerdict;
    assert(pap.accepted);
    assert.equal(pap.keys, null);
    assert.equal(((await other.does('authenticateByPap', 'peggy', 'wrong')) as LoginVerdict).accepted, false);
  });

  test('by a process without privileges, which is restarted when it dies', async (t) => {
    await FreeRadius.start(t, TRUE, USERS);
    const monitor = await monitorWith(t, server(TRUE, secretFile(t)));
    const worker = await monitor.worker(t);
    await logIn(worker, 'peggy', 'peggy of RADIUS');
    const pid = radiusProcess() ?? assert.fail('there is no RADIUS process');
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    for (const line of ['CapEff:\t0000000000000000', 'CapPrm:\t0000000000000000', 'NoNewPrivs:\t1'])
      assert(status.includes(line), status);
    assert.match(status, /^Uid:\t61724\t61724\t61724\t61724$/m);
    assert(!readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(SECRET));
    assert.equal(statSync(`/proc/${pid}/mem`).uid, 0, 'others of its user could read the secrets');
    process.kill(pid, 'SIGKILL');
    await until('another RADIUS process', () => ![undefined, pid].includes(radiusProcess()));
    assert((await logIn(worker, 'peggy', 'peggy of RADIUS')).accepted);
  });

  test('although the first server lies about everything, and then dies', async (t) => {
    const liar = createSocket('udp4');
    t.after(() => liar.close());
    let asked = 0;
    liar.on('message', (octets, { address, port }) => {
      asked += 1;
      const { identifier = 0 } = decodePacket(octets) ?? {};
      const accept = { code: CODES.accessAccept, identifier, attributes: [] } as const;
      const how = { secret: Buffer.from('a guess'), request: authenticatorOf(octets) };
      const lies = [
        encodeReply(accept, { ...how, isSigned: true }),
        encodeReply(accept, { ...how, secret: Buffer.from(SECRET), isSigned: false }),
        encodeReply({ ...accept, identifier: identifier ^ 1 }, { ...how, isSigned: true }),
        Uint8Array.from(octets).fill(255, 2, 4),
        octets.subarray(0, 19),
        octets,
      ];
      for (const lie of lies) liar.send(lie, port, address);
    });
    liar.bind(1812, LIAR);
    await once(liar, 'listening');
    await FreeRadius.start(t, TRUE, USERS);
    const file = secretFile(t);
    const monitor = await monitorWith(t, server(LIAR, file, 1), server(TRUE, file));
    const worker = await monitor.worker(t);
    assert((await logIn(worker, 'peggy', 'peggy of RADIUS')).accepted);
    assert.equal(asked, 2);
    // The liar is taken for dead now, and not asked.
    assert((await logIn(worker, 'peggy', 'peggy of RADIUS')).accepted);
    assert.equal(asked, 2);
  });
});

describe('accounting', { skip: withoutFreeRadius }, () => {
  const UP = { mtu: 1396, ipv4: { local: LOCAL, remote: '203.0.113.77' }, ipv6: null };
  const withAccounting = async (t: TestContext): Promise<TestMonitor> =>
    TestMonitor.start(t, {
      radius: {
        servers: [server(TRUE, secretFile(t))],
        nasIdentifier: 'server1',
        requireMessageAuthenticator: true,
        accounting: { interim: 0 },
      },
    });
  async function sessionUp(worker: MonitorWorker): Promise<void> {
    await worker.does('openTun');
    assert((await logIn(worker, 'trent', 'trent of RADIUS')).accepted);
    await worker.does('configure', UP);
  }
  const of = (record: string, name: string): string | undefined =>
    new RegExp(`^\\t${name} = "?([^"\n]*)`, 'm').exec(record)?.[1];
  const statuses = (free: FreeRadius): (string | undefined)[] =>
    free.accounting.map((record) => of(record, 'Acct-Status-Type'));

  test('starts and stops with what went through, by one id for each call', async (t) => {
    const free = await FreeRadius.start(t, TRUE, USERS);
    const monitor = await withAccounting(t);
    const worker = await monitor.worker(t);
    await sessionUp(worker);
    await until('the start', () => free.accounting.length === 2);
    const socket = createSocket('udp4');
    socket.send(Buffer.alloc(1000), 6000, '203.0.113.77', () => socket.close());
    await once(socket, 'close');
    assert.notDeepEqual(await worker.does('readTun'), []);
    await worker.does('configure', UP);
    await worker.does('close', 5);
    await worker.does('closeTun');
    await until('the stop', () => free.accounting.length === 3);
    await sessionUp(worker);
    await worker.kill();
    await until('the second call', () => free.accounting.length === 5);
    const [, start = '', stop = '', , killed = ''] = free.accounting;
    assert.deepEqual(statuses(free), ['Accounting-On', 'Start', 'Stop', 'Start', 'Stop']);
    assert.equal(of(start, 'Acct-Session-Id'), of(stop, 'Acct-Session-Id'));
    assert.equal(of(start, 'Class'), '0x73616c6573');
    assert.deepEqual(
      ['User-Name', 'Framed-IP-Address', 'Calling-Station-Id', 'NAS-Identifier', 'Acct-Terminate-Cause'].map((name) =>
        of(stop, name),
      ),
      ['trent', '203.0.113.77', PEER, 'server1', 'Session-Timeout'],
    );
    assert.equal(of(stop, 'Acct-Output-Octets'), '1028');
    assert.equal(of(killed, 'Acct-Terminate-Cause'), 'NAS-Error');
    assert.notEqual(of(killed, 'Acct-Session-Id'), of(stop, 'Acct-Session-Id'));
  });

  test('survives a server that is down and a monitor that ends, and nothing comes twice', async (t) => {
    const free = await FreeRadius.start(t, TRUE, USERS);
    const monitor = await withAccounting(t);
    const worker = await monitor.worker(t);
    await sessionUp(worker);
    await until('the start', () => free.accounting.length === 2);
    await free.stop();
    await worker.does('close', 1);
    await monitor.stopped();
    await free.start();
    await monitor.ensure();
    await until('the stop', () => free.accounting.length === 3);
    assert.deepEqual(statuses(free), ['Accounting-On', 'Start', 'Stop']);
    const next = await monitor.worker(t);
    await sessionUp(next);
    await until('the next start', () => free.accounting.length === 4);
    assert.deepEqual(statuses(free), ['Accounting-On', 'Start', 'Stop', 'Start']);
  });

  test('tells that the server begins and ceases to serve, but not while a session lives', async (t) => {
    const free = await FreeRadius.start(t, TRUE, USERS);
    const monitor = await withAccounting(t);
    const [worker, restarted, again] = [
      await monitor.worker(t),
      new MonitorWorker(t, monitor.path),
      new MonitorWorker(t, monitor.path),
    ];
    await sessionUp(worker);
    // Another manager takes over the session, and dies with the monitor: the session lives on.
    await monitor.ensure(restarted.identity.pid);
    await restarted.kill();
    await monitor.stopped();
    await monitor.ensure(again.identity.pid);
    await worker.kill();
    await again.kill();
    await until('the stop', () => free.accounting.length === 3);
    await monitor.stopped();
    await monitor.ensure();
    await until('the next start of the server', () => free.accounting.length === 5);
    assert.deepEqual(statuses(free), ['Accounting-On', 'Start', 'Stop', 'Accounting-Off', 'Accounting-On']);
    assert.equal(of(free.accounting[3] ?? '', 'NAS-Identifier'), 'server1');
  });
});

describe('a request of a RADIUS server', { skip: withoutFreeRadius }, () => {
  const DYNAMIC_SECRET = 'another secret';
  /** What radclient says to the attributes: code and Error-Cause of the answer, or that there was none. */
  const ask = (...attributes: readonly string[]): string => send('disconnect', ...attributes);
  const change = (...attributes: readonly string[]): string => send('coa', ...attributes);
  function send(what: 'disconnect' | 'coa', ...attributes: readonly string[]): string {
    const time = `Event-Timestamp = ${Math.floor(Date.now() / 1000)}`;
    const options = ['-x', '-r', '1', '-t', '40', '127.0.0.1:3799', what, DYNAMIC_SECRET];
    return spawnSync('radclient', options, { input: [...attributes, time].join('\n'), encoding: 'utf8' }).stdout;
  }

  async function withSession(t: TestContext) {
    const free = await FreeRadius.start(t, TRUE, USERS);
    const dynamic = { port: 3799, clients: [{ address: '127.0.0.1', secretFile: secretFile(t, DYNAMIC_SECRET) }] };
    const monitor = await TestMonitor.start(t, {
      radius: {
        servers: [server(TRUE, secretFile(t))],
        nasIdentifier: 'server1',
        requireMessageAuthenticator: true,
        accounting: { interim: 0 },
        dynamic,
      },
    });
    const [worker, other] = [await monitor.worker(t), await monitor.worker(t)];
    await worker.does('openTun');
    assert((await logIn(worker, 'trent', 'trent of RADIUS')).accepted);
    await worker.does('configure', { mtu: 1396, ipv4: { local: LOCAL, remote: '203.0.113.77' }, ipv6: null });
    await until('the start', () => free.accounting.length === 2);
    const [, id = ''] = /Acct-Session-Id = "([^"]+)"/.exec(free.accounting[1] ?? '') ?? [];
    const socket = sessionSocketPath(monitor.directory, id.slice(0, 6));
    return { worker, other, id, socket };
  }
  const requestsTo = async (of: MonitorWorker) => (await of.does('asked')) as string[];

  test('ends the sessions that it names, over the socket of their workers alone', async (t) => {
    const { worker, other, id, socket } = await withSession(t);
    assert.match(ask('User-Name = "peggy"'), /Disconnect-NAK[^]*Session-Context-Not-Found/);
    assert.match(ask('User-Name = "trent"', 'NAS-Port = 7'), /Disconnect-NAK/);
    // Somebody else where the worker should listen gets nothing.
    await other.does('serveSession', socket);
    assert.match(ask('User-Name = "trent"'), /Disconnect-NAK[^]*Resources-Unavailable/);
    await worker.does('remove', socket);
    await worker.does('serveSession', socket);
    const all = ['NAS-IP-Address = 127.0.0.1', 'NAS-Port-Id = "ppp0"', 'Framed-IP-Address = 203.0.113.77'];
    assert.match(ask(`Acct-Session-Id = "${id}"`, ...all), /Disconnect-ACK/);
    const lines = await requestsTo(worker);
    assert.deepEqual(JSON.parse(lines[0] ?? ''), {
      id: 1,
      op: 'disconnect',
      reason: 'radiusDisconnect',
      detail: 'Disconnect-Request from 127.0.0.1',
    });
    assert.deepEqual(await requestsTo(other), []);
  });

  test('changes the times of the session that it names, or says why not', async (t) => {
    const { worker, id, socket } = await withSession(t);
    await worker.does('serveSession', socket);
    const named = `Acct-Session-Id = "${id}"`;
    const refusals: readonly [attributes: readonly string[], cause: RegExp][] = [
      [['User-Name = "peggy"', 'Session-Timeout = 60'], /Session-Context-Not-Found/],
      [[named, 'Filter-Id = "guests"'], /Unsupported-Attribute/],
      [[named, 'Framed-Compression = None', 'Session-Timeout = 60'], /Unsupported-Attribute/],
      [[named], /Missing-Attribute/],
      [[named, 'NAS-IP-Address = 192.0.2.99', 'Session-Timeout = 60'], /NAS-Identification-Mismatch/],
      [[named, 'Service-Type = Authorize-Only', 'Session-Timeout = 60'], /Unsupported-Service/],
      [[named, 'Mikrotik-Rate-Limit = "fast"'], /Invalid-Attribute-Value/],
    ];
    for (const [attributes, cause] of refusals) {
      const said = change(...attributes);
      assert.match(said, /CoA-NAK/, attributes.join());
      assert.match(said, cause, attributes.join());
    }
    assert.deepEqual(await requestsTo(worker), []);
    assert.match(change(named, 'User-Name = "trent"', 'Session-Timeout = 60', 'Idle-Timeout = 0'), /CoA-ACK/);
    assert.deepEqual(
      (await requestsTo(worker)).map((line) => JSON.parse(line) as unknown),
      [{ id: 1, op: 'limits', sessionTime: 60, idleTime: null }],
    );
  });

  test('changes its speed', async (t) => {
    const missing = missingForSpeeds();
    if (missing !== null) {
      t.skip(missing);
      return;
    }
    const { id } = await withSession(t);
    assert.match(queuesOf('ppp0'), /tbf .*rate 2Mbit/, 'as the Access-Accept says');
    assert.match(change(`Acct-Session-Id = "${id}"`, 'Mikrotik-Rate-Limit = "1M/3M"'), /CoA-ACK/);
    assert.match(queuesOf('ppp0'), /tbf .*rate 3Mbit/);
    assert.match(change(`Acct-Session-Id = "${id}"`, 'WISPr-Bandwidth-Max-Down = 0'), /CoA-ACK/);
    assert.doesNotMatch(queuesOf('ppp0'), /tbf/);
  });
});

describe('a login is not judged', () => {
  const failure = async (worker: MonitorWorker) => {
    const outcome = await worker.act('authenticate', 'peggy', 'peggy of RADIUS');
    assert('failure' in outcome);
    return outcome.failure;
  };
  const servers = `${TRUE}:1812`;

  test('while no server answers, nor with another secret', { skip: withoutFreeRadius }, async (t) => {
    const file = secretFile(t, 'another secret');
    const monitor = await monitorWith(t, server(TRUE, file, 2));
    const worker = await monitor.worker(t);
    const noAnswer = { kind: 'notJudged', problem: 'noAnswer', servers };
    assert.deepEqual(await failure(worker), noAnswer);
    await FreeRadius.start(t, TRUE, USERS);
    assert.deepEqual(await failure(worker), noAnswer);
    // The server's next start reads the secret again.
    writeFileSync(file, `${SECRET}\n`);
    await monitor.ensure();
    assert((await logIn(worker, 'peggy', 'peggy of RADIUS')).accepted);
  });

  test('before the call, or the session, is over: neither end waits for the server', async (t) => {
    const monitor = await monitorWith(t, { ...server(TRUE, secretFile(t)), timeout: 30, tries: 1 });
    const silent = createSocket('udp4').bind(1812, TRUE);
    t.after(() => silent.close());
    const asking = async (worker: MonitorWorker) => {
      const outcome = worker.act('authenticate', 'peggy', 'peggy of RADIUS');
      await once(silent, 'message');
      return { outcome };
    };
    const worker = await monitor.worker(t);
    await worker.does('openTun');
    const first = await asking(worker);
    await worker.does('close');
    assert.deepEqual(await first.outcome, { failure: { kind: 'unavailable', code: 'closed' } });
    await worker.does('closeTun');
    // The next call of the same session.
    await worker.does('openTun');
    const second = await asking(worker);
    await monitor.registrar.release('sess01');
    const abandoned = { kind: 'failed', step: 'judge a login whose call ends', code: 'ECANCELED' };
    assert.deepEqual(await second.outcome, { failure: abandoned });
  });

  test('without a secret that only root can read', async (t) => {
    const file = secretFile(t);
    chmodSync(file, 0o644);
    const monitor = await monitorWith(t, server(TRUE, file));
    assert.deepEqual(await failure(await monitor.worker(t)), { kind: 'notJudged', problem: 'noSecret', servers });
  });
});
