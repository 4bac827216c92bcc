/**
 * The console with 1,000 sessions, whose sockets this test serves: the list and the stream have all of them, and a change
 * reaches the page. Memory and time of the process are printed, not judged.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Duplex } from 'node:stream';
import { test, type TestContext } from 'node:test';
import type * as Api from '../../src/console/api/schemas.js';
import type { ConsoleSettings } from '../../src/console/protocol.js';
import { readLines } from '../../src/session/lines.js';
import { runPaths } from '../../src/session/paths.js';
import type { SessionState } from '../../src/session/state.js';
import { aStateUp } from '../unit/session/a-state.js';
import { CONSOLE_PORT, ConsoleClient } from './support/console.js';
import { enterNamespace } from './support/netns.js';
import { standInSessions } from './support/stand-in-sessions.js';
import { until } from './support/wait.js';

enterNamespace();

const COUNT = 1000;
const CONNECTION = 3;
const CLOCK_TICKS = 100;

/** The session numbered `index`, from 0. */
const stateOf = (index: number): SessionState =>
  aStateUp({
    session: index.toString(36).padStart(6, '0'),
    since: Date.UTC(2026, 10, 23) + index * 1000,
    user: `user ${index} <b>&"</b>`,
    peer: { address: `198.51.${100 + (index >> 8)}.${index & 255}`, port: 40_000 },
    tunnel: { local: '203.0.113.1', remote: `10.0.${index >> 8}.${index & 255}` },
    pppdPid: null,
    link: 'tun',
    interface: `ppp${index}`,
    counters: { rxPackets: index, rxBytes: index, txPackets: index, txBytes: index },
  });

/** The process alone; this test is root for it. */
async function startConsole(t: TestContext, runDirectory: string): Promise<ChildProcess & { readonly pid: number }> {
  const child = spawn(process.execPath, [resolve('dist/src/bundle/console.js'), 'warn'], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  const connection = child.stdio[CONNECTION] as Duplex;
  connection.on('error', () => undefined);
  const settings: ConsoleSettings = {
    address: '127.0.0.1',
    port: CONSOLE_PORT,
    names: [],
    proxies: [],
    tls: null,
    runDirectory,
    configuration: '/nonexistent.json',
    accounting: null,
  };
  connection.write(`${JSON.stringify(settings)}\n`);
  readLines(connection, (line) => {
    const { id } = line as { readonly id: number };
    connection.write(`${JSON.stringify({ id, ok: true, result: { name: 'test', role: 'admin' } })}\n`);
  });
  const client = new ConsoleClient('token');
  await until('the console to listen', async () => (await client.ask('/me').catch(() => null))?.status === 200);
  assert(child.pid !== undefined);
  return child as ChildProcess & { readonly pid: number };
}

/** Seconds of CPU so far. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS;
}

const pssOf = (pid: number): number =>
  Number(/^Pss: +(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))?.[1]) / 1024;

test('1,000 sessions: all are in the list and in the stream, and a change of one arrives alone', async (t) => {
  const runDirectory = mkdtempSync(join(tmpdir(), 'pptpd-ts-'));
  t.after(() => rmSync(runDirectory, { recursive: true }));
  const empty = mkdtempSync(join(tmpdir(), 'pptpd-ts-'));
  t.after(() => rmSync(empty, { recursive: true }));
  const interfaces = Array.from({ length: COUNT }, (_, index) => `tuntap add mode tun name ppp${index}\n`).join('');
  const { status, stderr } = spawnSync('ip', ['-batch', '-'], { input: interfaces, encoding: 'utf8' });
  assert.equal(status, 0, stderr);

  const idle = await startConsole(t, empty);
  const idleMemory = pssOf(idle.pid);
  idle.kill('SIGKILL');
  await once(idle, 'exit');
  mkdirSync(runPaths(runDirectory).sessions, { recursive: true });
  const servers = await standInSessions(t, runDirectory, COUNT, stateOf);
  const { pid } = await startConsole(t, runDirectory);
  const client = new ConsoleClient('token');
  const list = await until('all sessions', async () => {
    // While it connects to all of them on a busy machine, it may read a request so late that it answers 408.
    const { status: answered, json } = await client.ask('/sessions');
    const found = json as Api.SessionList;
    return answered === 200 && found.sessions.length === COUNT && found;
  });
  assert.deepEqual(list.unreachable, []);
  assert.equal(list.sessions[7]?.user, 'user 7 <b>&"</b>');
  assert.equal((await client.get<Api.SessionList>('/sessions?client=198.51.100.0/24')).sessions.length, 256);
  const reader = await client.events();
  t.after(() => reader.close());
  const first = await reader.events.find('the snapshot', ({ event }) => event === 'snapshot');
  assert.ok(first.event === 'snapshot' && first.data.sessions.length === COUNT);
  const [snapshot = 0] = reader.batches;

  const before = { cpu: cpuOf(pid), at: performance.now() };
  // As busy as sessions that change ten times a second in all; each tells itself.
  for (let change = 0; change < 50; change += 1) {
    const index = change % 10;
    const state = { ...stateOf(index), warning: { cause: 'mtuBlackHole', text: `change ${change}` } };
    servers[index]?.publish(state);
    await reader.events.find(
      `change ${change}`,
      ({ event, data }) => event === 'session' && data.warning === `change ${change}`,
    );
  }
  const seconds = (performance.now() - before.at) / 1000;
  const share = ((cpuOf(pid) - before.cpu) / seconds) * 100;
  const gone = stateOf(3).session;
  servers[3]?.close();
  await reader.events.find('the end of one', ({ event, data }) => event === 'gone' && data.id === gone);
  t.diagnostic(
    `memory ${idleMemory.toFixed(1)} MiB (PSS) without sessions, ${pssOf(pid).toFixed(1)} MiB with ${COUNT} sessions and a page; ${share.toFixed(1)} % of a core ` +
      `while ${(50 / seconds).toFixed(1)} sessions a second changed; snapshot of ${snapshot} octets`,
  );
});
