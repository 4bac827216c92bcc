import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test, type TestContext } from 'node:test';
import { spawn as spawnOnTerminal } from 'node-pty';
import { sessionSocketPath } from '../../src/session/paths.js';
import { SessionServer } from '../../src/session/server.js';
import { aStateUp } from '../unit/session/a-state.js';

const PROGRAM = resolve('bin/pptpd-ts');

interface Run {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

async function run(...args: readonly string[]): Promise<Run> {
  const child = spawn(PROGRAM, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let [output, errors] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (errors += chunk));
  return new Promise((done) => child.on('close', (code) => done({ code, output, errors })));
}

/** A configuration file with a run directory of its own; `extra` goes into it. */
function configure(t: TestContext, extra: object = {}): { file: string; runDirectory: string } {
  const directory = mkdtempSync(join(tmpdir(), 'pptpd-ts-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const runDirectory = join(directory, 'run');
  mkdirSync(join(runDirectory, 'sessions'), { recursive: true });
  const file = join(directory, 'pptpd-ts.json');
  writeFileSync(file, JSON.stringify({ runDirectory, ...extra }));
  return { file, runDirectory };
}

async function serveSession(t: TestContext, runDirectory: string): Promise<void> {
  const server = new SessionServer('abc123', '0.1.0', {
    state: () =>
      aStateUp({
        ppp: { phase: 'up', encryption: { method: 'mppe', bits: 128 } },
        counters: { rxBytes: 1536, txBytes: 20, rxTooShort: 0, rxTooLong: 3 },
      }),
    disconnect: () => undefined,
    reopenLog: () => undefined,
    logLevel: ({ level }) => ({ level: level ?? 'info' }),
  });
  await server.listen(sessionSocketPath(runDirectory, 'abc123'));
  t.after(() => server.close());
}

test('without a command, and for an unknown one, the help is shown and the exit code is 2', async () => {
  for (const args of [[], ['reboot']]) {
    const { code, errors } = await run(...args);
    assert.equal(code, 2, args.join(' '));
    assert.match(errors, /Usage: pptpd-ts/);
  }
});

test('--help and --version are no errors', async () => {
  assert.deepEqual((await run('sessions', '--help')).code, 0);
  assert.match((await run('--version')).output, /^\d+\.\d+\.\d+\n$/);
});

test('a wrong call of a command is said in a line, with the way to its help', async () => {
  for (const [why, ...args] of [
    ["error: unknown option '--unknown'", 'sessions', '--unknown'],
    ['error: --since needs --ended', 'sessions', '--since', '2h'],
  ] as const) {
    const { code, errors } = await run(...args);
    assert.deepEqual([code, errors], [2, `${why}\n(--help shows all options)\n`]);
  }
});

test('check prints the effective configuration and the pool', async (t) => {
  const { file } = configure(t, { addresses: { local: ['192.0.2.1'], remote: ['198.51.100.10-19'] } });
  const { code, output, errors } = await run('check', '-c', file);
  assert.equal(code, 0);
  assert.equal(JSON.parse(output).listen.port, 1723);
  assert.match(errors, /198\.51\.100\.10/);
});

test('check --schema prints the JSON Schema', async () => {
  const { code, output } = await run('check', '--schema');
  assert.equal(code, 0);
  assert.ok(JSON.parse(output).properties.listen !== undefined);
});

test('check names every error at once and exits with 2', async (t) => {
  const { file } = configure(t, { listen: { port: 0 }, timeouts: { echoReply: -1 } });
  const { code, errors } = await run('check', '-c', file);
  assert.equal(code, 2);
  assert.match(errors, /listen\.port/);
  assert.match(errors, /timeouts\.echoReply/);
});

test('sessions lists who is on', async (t) => {
  const { file, runDirectory } = configure(t);
  await serveSession(t, runDirectory);
  const { code, output } = await run('sessions', '-c', file);
  assert.equal(code, 0);
  assert.match(output, /^ID .*USER .*CLIENT .*TUNNEL .*SINCE/);
  assert.match(output, /\nabc123 +alice +198\.51\.100\.7 +203\.0\.113\.10 +up .* 1\.5 KiB +20 B\n$/);
  assert.ok(!output.includes('\u001B'), 'colours belong on a terminal');
});

test('sessions --json is for programs', async (t) => {
  const { file, runDirectory } = configure(t);
  await serveSession(t, runDirectory);
  const { output } = await run('sessions', '--json', '-c', file);
  assert.equal(JSON.parse(output).sessions[0].user, 'alice');
});

/** A configuration whose accounting file has these records, and lines that a full disk has cut off. */
function keepAccounts(t: TestContext, ...records: readonly object[]): string {
  const lines = records.map((record) =>
    JSON.stringify({
      record: 'ended',
      session: 'abc123',
      host: 'vpn1',
      user: 'alice',
      authenticated: true,
      client: '192.0.2.7',
      server: '192.0.2.1',
      tunnel: { local: '203.0.113.1', remote: '203.0.113.2' },
      start: '2026-11-23T10:00:00.000Z',
      end: '2026-11-23T11:00:05.000Z',
      seconds: 3605,
      rxPackets: 2,
      rxBytes: 1536,
      txPackets: 1,
      txBytes: 20,
      encryption: 'MPPE 128 stateless',
      reason: 'clientStopped',
      detail: null,
      cause: null,
      ...record,
    }),
  );
  const directory = mkdtempSync(join(tmpdir(), 'pptpd-ts-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const accounting = join(directory, 'accounting.jsonl');
  writeFileSync(accounting, lines.flatMap((line) => [line, line.slice(0, 50)]).join('\n'));
  return configure(t, { accounting: { file: accounting } }).file;
}

test('sessions --ended lists who was on, the newest last, by user and time', async (t) => {
  const file = keepAccounts(
    t,
    { record: 'interim', end: '2026-11-23T10:30:00.000Z' },
    { session: 'def456', user: 'mallory', authenticated: false, end: '2026-11-23T12:00:00.000Z', detail: 'code 19' },
    {},
  );
  const { code, output } = await run('sessions', '--ended', '-c', file);
  assert.equal(code, 0);
  assert.match(output, /^ID .*USER .*CLIENT .*TUNNEL .*ENDED .*LASTED .*REASON\n/);
  const rows =
    /\nabc123 +alice +192\.0\.2\.7 +203\.0\.113\.2 .* 1 h +1\.5 KiB +20 B +clientStopped\ndef456 +mallory \(refused\) .*: code 19\n$/;
  assert.match(output, rows);
  for (const [filter, sessions] of [
    [['--user', 'alice'], ['abc123']],
    [['--since', '2026-11-23T11:30:00Z'], ['def456']],
    [['--since', '2026-11-23T13:00:00Z'], []],
  ] as const) {
    const listed: { sessions: { session: string }[] } = JSON.parse(
      (await run('sessions', '--ended', '--json', '-c', file, ...filter)).output,
    );
    assert.deepEqual(
      listed.sessions.map(({ session }) => session),
      sessions,
    );
  }
});

test('sessions --ended says when nothing is kept, and refuses what is no time', async (t) => {
  const { file } = configure(t);
  const without = await run('sessions', '--ended', '-c', file);
  assert.equal(without.code, 1);
  assert.match(without.errors, /has no "accounting"/);
  const wrong = await run('sessions', '--ended', '-c', file, '--since', 'yesterday');
  assert.equal(wrong.code, 2);
  assert.match(wrong.errors, /not a time/);
});

test('show tells everything that has happened, and nothing that has not', async (t) => {
  const { file, runDirectory } = configure(t);
  await serveSession(t, runDirectory);
  const { code, output } = await run('show', 'abc123', '-c', file);
  assert.equal(code, 0);
  assert.match(output, /encryption +MPPE 128/);
  assert.match(output, /received +.* 1\.5 KiB/);
  assert.match(output, /rxTooLong +3\n/);
  assert.ok(!output.includes('rxTooShort'));
});

test('show of a session that is not there is a sentence and exit code 1', async (t) => {
  const { file } = configure(t);
  const { code, errors } = await run('show', 'zzz999', '-c', file);
  assert.equal(code, 1);
  assert.equal(errors, 'pptpd-ts: there is no session zzz999 (any more)\n');
});

test('sessions and show take the run directory itself, without a configuration', async (t) => {
  const { runDirectory } = configure(t);
  await serveSession(t, runDirectory);
  const { code, output } = await run('sessions', '--run-directory', runDirectory, '-c', '/nowhere.json');
  assert.equal(code, 0);
  assert.match(output, /\nabc123 +alice /);
  assert.equal((await run('show', 'abc123', '--run-directory', runDirectory, '-c', '/nowhere.json')).code, 0);
});

test('no run directory means that nobody is on', async (t) => {
  const { runDirectory } = configure(t);
  const { code, output, errors } = await run('sessions', '--run-directory', join(runDirectory, 'nowhere'));
  assert.deepEqual([code, output.split('\n').length, errors], [0, 2, '']);
});

test('a run directory that is none is a sentence and exit code 1', async (t) => {
  const { file } = configure(t);
  const { code, errors } = await run('sessions', '--run-directory', file);
  assert.equal(code, 1);
  assert.match(errors, /^pptpd-ts: .*pptpd-ts\.json: .*\n$/);
});

/** Runs on a terminal of 50 columns; what it printed there. */
async function runOnTerminal(env: Record<string, string>, ...args: readonly string[]): Promise<string> {
  const terminal = spawnOnTerminal(PROGRAM, [...args], { cols: 50, rows: 24, env: { ...process.env, ...env } });
  let output = '';
  terminal.onData((chunk) => (output += chunk));
  await new Promise<void>((done) => terminal.onExit(() => done()));
  return output;
}

test('a terminal gets colours and lines that fit; NO_COLOR takes the colours away', async (t) => {
  const { file, runDirectory } = configure(t);
  await serveSession(t, runDirectory);
  const coloured = await runOnTerminal({ NO_COLOR: '' }, 'sessions', '-c', file);
  assert.ok(coloured.startsWith('\u001B[1mID '), coloured);
  const plain = await runOnTerminal({ NO_COLOR: '1' }, 'sessions', '-c', file);
  assert.ok(!plain.includes('\u001B'), plain);
  assert.match(plain, /abc123.*…/);
});

const NO_PPPD = { pppd: { path: '/nowhere/pppd' } };

test('doctor says one line a check, and exits with 1 where something fatal fails', async (t) => {
  const { file } = configure(t, NO_PPPD);
  const { code, output } = await run('doctor', '-c', file);
  assert.equal(code, 1);
  const lines = output.trimEnd().split('\n');
  for (const each of lines) assert.match(each, /^(?:ok {2}|warn|FAIL) {2}[^:]+: ./);
  assert.ok(
    lines.some((each) => /^FAIL {2}pppd: \/nowhere\/pppd is missing.*; mend it: /.test(each)),
    output,
  );
  assert.ok(
    lines.some((each) => /^ok {4}Node\.js: v/.test(each)),
    output,
  );
});

test('doctor --json is for programs, with the same exit code', async (t) => {
  const { file } = configure(t, NO_PPPD);
  const { code, output } = await run('doctor', '--json', '-c', file);
  assert.equal(code, 1);
  const results = JSON.parse(output) as { name: string; fatal: boolean; outcome: { ok: boolean } }[];
  assert.deepEqual(
    results.find(({ name }) => name === 'pppd'),
    {
      name: 'pppd',
      fatal: true,
      outcome: {
        ok: false,
        problem: '/nowhere/pppd is missing or not executable',
        remedy: 'put it there, or name another program in pppd.path',
      },
    },
  );
});

test('doctor with a wrong configuration exits with 2', async (t) => {
  const { file } = configure(t, { limits: { connections: -1 } });
  const { code, output, errors } = await run('doctor', '-c', file);
  assert.deepEqual([code, output], [2, '']);
  assert.match(errors, /limits\.connections/);
});
