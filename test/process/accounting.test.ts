/** Every session appears in the accounting file as ended, once, however it or its worker ends, also on a full disk. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { type AccountRecord, parseRecord } from '../../src/accounting/record.js';
import { CALL, Client } from './support/client.js';
import { fill, smallDisk } from './support/disk.js';
import { forBothEngines } from './support/engines.js';
import { enterNamespace } from './support/netns.js';
import { CLIENT_ADDRESSES, endWith, Server, SERVER_ADDRESS, TUNNEL_LOCAL } from './support/server.js';
import { Tunnel } from './support/tunnel.js';
import { until } from './support/wait.js';

enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES);

function readRecords(file: string): AccountRecord[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => parseRecord(line) ?? []);
}

class Books {
  readonly server: Server;
  readonly file: string;

  private constructor(server: Server, file: string) {
    this.server = server;
    this.file = file;
  }

  /** A server that keeps accounts; interim records every `interim` seconds. */
  static async open(t: TestContext, interim = 0, folder?: string): Promise<Books> {
    const server = new Server();
    const file = join(folder ?? server.directory, 'accounting.jsonl');
    server.configure({ accounting: { file, interim }, timeouts: { pppdExit: 0.2 } });
    endWith(t, server);
    server.start();
    await server.ready();
    return new Books(server, file);
  }

  records(kind: AccountRecord['record'] = 'ended'): AccountRecord[] {
    return readRecords(this.file).filter(({ record }) => record === kind);
  }

  async ended(count: number): Promise<AccountRecord[]> {
    return until(`${count} ended records`, () => {
      const records = this.records();
      return records.length >= count && records;
    });
  }
}

forBothEngines((engine) => {
  test('a login and its end are in one record', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'pptpd-ts-accounts-'));
    t.after(() => rmSync(folder, { recursive: true }));
    // The server's user writes there.
    chmodSync(folder, 0o777);
    const file = join(folder, 'accounting.jsonl');
    const server = await engine.startServer(t, { accounting: { file, interim: 0 } });
    const guest = await engine.loggedIn(t, 'alice', CLIENT_ADDRESSES[0]);
    await guest.echo();
    guest.client.send({ type: 'StopControlConnectionRequest', reason: 1 });
    await guest.gone();
    const records = await until('a record', () => {
      const all = readRecords(file).filter(({ record }) => record === 'ended');
      return all.length > 0 && all;
    });
    assert.deepEqual(
      records.map(({ user, authenticated, client, reason, cause }) => [user, authenticated, client, reason, cause]),
      [['alice', true, CLIENT_ADDRESSES[0], 'clientStopped', null]],
    );
    assert((records[0]?.rxPackets ?? 0) >= 5 && (records[0]?.txPackets ?? 0) >= 5);
    await until('nothing to be owed', () => server.accounts().length === 0);
  });

  test('kill -9 of a worker: one record, by the manager, with its user', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'pptpd-ts-accounts-'));
    t.after(() => rmSync(folder, { recursive: true }));
    chmodSync(folder, 0o777);
    const file = join(folder, 'accounting.jsonl');
    const server = await engine.startServer(t, { accounting: { file, interim: 0.05 } });
    const guest = await engine.loggedIn(t, 'alice', CLIENT_ADDRESSES[0]);
    await until('an interim record of the login', () => readRecords(file).some(({ user }) => user === 'alice'));
    const [session] = await server.sessions();
    process.kill(session?.pid ?? 0, 'SIGKILL');
    await guest.gone();
    await until('the record', () => readRecords(file).some(({ record }) => record === 'ended'));
    const [ended, ...more] = readRecords(file).filter(({ record }) => record === 'ended');
    assert.deepEqual([ended?.user, ended?.reason, more], ['alice', 'workerFailed', []]);
  });
});

test('a session that ends in order has one record, with all that it was', async (t) => {
  const books = await Books.open(t);
  const tunnel = await Tunnel.open(t);
  await tunnel.openLcp();
  await tunnel.assertRelays('something to count');
  const [session] = await books.server.sessions();
  tunnel.client.send({ type: 'StopControlConnectionRequest', reason: 1 });
  await tunnel.client.closed;
  const [record, ...more] = await books.ended(1);
  assert(record !== undefined);
  assert.deepEqual(more, []);
  const { start, end, seconds, rxPackets, rxBytes, txPackets, txBytes, ...rest } = record;
  assert.deepEqual(rest, {
    record: 'ended',
    session: session?.session,
    host: hostname(),
    user: null,
    authenticated: false,
    client: CLIENT_ADDRESSES[0],
    server: SERVER_ADDRESS,
    tunnel: { local: TUNNEL_LOCAL, remote: session?.tunnel.remote },
    encryption: null,
    reason: 'clientStopped',
    detail: null,
    // It was never logged in.
    cause: 'clientLeft',
  });
  assert.equal(start, new Date(session?.since ?? 0).toISOString());
  assert(Date.parse(end) >= Date.parse(start));
  assert(seconds >= 0 && seconds <= process.uptime());
  assert(rxPackets > 0 && rxBytes > rxPackets && txPackets > 0 && txBytes > txPackets);
  await until('nothing to be owed', () => books.server.accounts().length === 0);
});

test('calls that were cleared are part of the session’s total', async (t) => {
  const books = await Books.open(t);
  const tunnel = await Tunnel.open(t);
  await tunnel.openLcp();
  await tunnel.assertRelays('the first call');
  const { client } = tunnel;
  client.send({ type: 'CallClearRequest', callId: CALL.callId });
  await client.next('CallDisconnectNotify');
  const second = await Tunnel.call(t, client, CLIENT_ADDRESSES[0], 2);
  await second.openLcp();
  await second.assertRelays('the second call');
  const [session] = await books.server.sessions();
  const ofSecond = session?.counters?.['rxPackets'] ?? 0;
  client.end();
  const [record] = await books.ended(1);
  assert(ofSecond > 0 && record !== undefined);
  assert(record.rxPackets > ofSecond, `${record.rxPackets} of both calls, ${ofSecond} of the second alone`);
});

test('a session that lives has interim records, each more than the one before', async (t) => {
  const books = await Books.open(t, 0.05);
  const { client } = await Client.call();
  const [first, second] = await until('two interim records', () => {
    const records = books.records('interim');
    return records.length >= 2 && records;
  });
  assert(first !== undefined && second !== undefined && second.seconds > first.seconds);
  assert.deepEqual([first.reason, first.session], [null, second.session]);
  client.end();
  await books.ended(1);
  assert.equal(books.records().length, 1);
});

test('kill -9 of a worker: one record, by the manager', async (t) => {
  const books = await Books.open(t);
  const { client } = await Client.call();
  const [session] = await books.server.sessions();
  process.kill(session?.pid ?? 0, 'SIGKILL');
  await client.closed;
  const [record] = await books.ended(1);
  assert.deepEqual(
    [record?.session, record?.reason, record?.client],
    [session?.session, 'workerFailed', CLIENT_ADDRESSES[0]],
  );
  assert.equal(await books.server.stop().then(({ code }) => code), 0);
  assert.equal(books.records().length, 1);
});

test('a worker’s death stands in its record as it was seen, also when it could be written nowhere at first', async (t) => {
  const books = await Books.open(t);
  const { server } = books;
  const { client } = await Client.call();
  const { client: other } = await Client.call(CLIENT_ADDRESSES[1]);
  const [first, second] = await server.sessions();
  // In the way of both, the accounting file and what is kept in the run directory until it stands there.
  mkdirSync(books.file);
  mkdirSync(join(server.runDirectory, 'accounts', `${first?.session}.json.new`));
  process.kill(first?.pid ?? 0, 'SIGKILL');
  await client.closed;
  await server.waitForLog('the warning', ({ level, msg }) => level === 'warn' && msg.startsWith('accounting'));
  rmSync(books.file, { recursive: true });
  process.kill(second?.pid ?? 0, 'SIGKILL');
  await other.closed;
  for (const { detail, end } of await books.ended(2))
    assert(detail !== null && `amounts of ${end}` > detail, detail ?? '');
});

test('kill -9 of the manager and of two workers: the next manager writes their records', async (t) => {
  const books = await Books.open(t);
  const clients = [];
  for (const address of CLIENT_ADDRESSES) clients.push((await Client.call(address)).client);
  const dying = (await books.server.sessions()).filter(({ peer }) => peer.address !== CLIENT_ADDRESSES[2]);
  books.server.signal('SIGKILL');
  await books.server.exited();
  for (const { pid } of dying) process.kill(pid, 'SIGKILL');
  await Promise.all(clients.slice(0, 2).map(async ({ closed }) => closed));
  assert.deepEqual(books.records(), []);
  books.server.start();
  await books.server.ready();
  const died = await books.ended(2);
  assert.deepEqual(new Set(died.map(({ session }) => session)), new Set(dying.map(({ session }) => session)));
  await books.server.stop();
  const reasons = books.records().map(({ reason }) => reason);
  assert.deepEqual(reasons, ['workerFailed', 'workerFailed', 'serverShutdown']);
});

/** A session, and then the machine stops: what has interim records alone is lost, with the run directory. */
async function stoppedMachine(t: TestContext): Promise<{ books: Books; session: string | undefined }> {
  const books = await Books.open(t, 0.05);
  const { server } = books;
  const { client } = await Client.call();
  const [session] = await server.sessions();
  await until('an interim record', () => books.records('interim').length > 0);
  server.signal('SIGKILL');
  await server.exited();
  process.kill(session?.pid ?? 0, 'SIGKILL');
  await client.closed;
  server.removeRunDirectory();
  return { books, session: session?.session };
}

test('the machine stops and loses the run directory: the next manager ends what has interim records alone', async (t) => {
  const { books } = await stoppedMachine(t);
  const { server } = books;
  server.start();
  await server.ready();
  const last = books.records('interim').at(-1);
  const [record] = await books.ended(1);
  assert.deepEqual(record, { ...last, record: 'ended', reason: 'workerFailed', detail: `amounts of ${last?.end}` });
  server.signal('SIGQUIT');
  await server.exited();
  server.removeRunDirectory();
  server.start();
  await server.ready();
  const { client: later } = await Client.call();
  later.end();
  assert.deepEqual(
    new Set((await books.ended(2)).map(({ reason }) => reason)),
    new Set(['workerFailed', 'clientClosed']),
  );
  await server.stop();
  assert.equal(books.records().length, 2);
});

test('a manager that cannot read the accounting file leaves lost sessions to the next', async (t) => {
  const { books, session } = await stoppedMachine(t);
  const { server } = books;
  const aside = `${books.file}.aside`;
  renameSync(books.file, aside);
  mkdirSync(books.file);
  server.start();
  await server.waitForLog('the warning', ({ level, msg }) => level === 'warn' && msg.startsWith('accounting'));
  server.signal('SIGKILL');
  await server.exited();
  rmSync(books.file, { recursive: true });
  renameSync(aside, books.file);
  server.start();
  await server.ready();
  const [record] = await books.ended(1);
  assert.deepEqual([record?.session, record?.reason], [session, 'workerFailed']);
  await server.stop();
});

test('the run directory is removed underneath: sessions have their record all the same', async (t) => {
  const books = await Books.open(t);
  const { client } = await Client.call();
  const [session] = await books.server.sessions();
  books.server.removeRunDirectory();
  client.send({ type: 'StopControlConnectionRequest', reason: 1 });
  await client.closed;
  const [record] = await books.ended(1);
  assert.deepEqual([record?.session, record?.reason], [session?.session, 'clientStopped']);
});

test('a full disk: sessions go on, one warning, no half record is taken for one, all are written when there is room', async (t) => {
  const disk = smallDisk(t);
  const books = await Books.open(t, 0.05, disk);
  const { server } = books;
  fill(join(disk, 'ballast'));
  const calls = [await Client.call(), await Client.call(CLIENT_ADDRESSES[1])];
  const isWarning = ({ level, msg }: { level: string; msg: string }): boolean =>
    level === 'warn' && msg.startsWith('accounting');
  await server.waitForLog('the warning', isWarning);
  for (const { client } of calls) await client.echo();
  const third = await Client.call(CLIENT_ADDRESSES[2]);
  third.client.end();
  await third.client.closed;
  await server.waitForSessions(2);
  assert.deepEqual(books.records(), []);
  const [owed] = server.accounts();
  assert(owed !== undefined, 'what could not be written is kept');

  writeFileSync(join(disk, 'ballast'), '');
  await server.waitForLog('that it can be written again', ({ msg }) =>
    /accounting: the file can be written again/.test(msg),
  );
  for (const { client } of calls) client.end();
  await server.waitForSessions(0);
  await server.stop();
  const ended = books.records().map(({ session }) => session);
  assert.deepEqual([ended.length, new Set(ended).size], [3, 3]);
  assert.equal(server.log.all.filter(isWarning).length, 1);
  assert.deepEqual(server.accounts(), []);
});
