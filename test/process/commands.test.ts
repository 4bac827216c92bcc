import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test, type TestContext } from 'node:test';
import { spawn as spawnOnTerminal } from 'node-pty';
import { runPaths, sessionSocketPath } from '../../src/session/paths.js';
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

/** A configuration file with a run directory of its own, and with the keys of `extra`. */
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
  const server = new SessionServer({
    session: 'abc123',
    version: '0.1.0',
    handlers: {
      state: () =>
        aStateUp({
          ppp: { phase: 'up', encryption: { method: 'mppe', bits: 128, stateless: true, oneWay: null } },
          counters: { rxBytes: 1536, txBytes: 20, rxTooShort: 0, rxTooLong: 3 },
        }),
      disconnect: () => undefined,
      probe: () => undefined,
      reopenLog: () => undefined,
      limits: () => undefined,
      logLevel: ({ level }) => ({ level: level ?? 'info' }),
    },
  });
  await server.listen(sessionSocketPath(runDirectory, 'abc123'));
  t.after(() => server.close());
}

test('without a command the help is shown and the exit code is 2', async () => {
  const { code, errors } = await run();
  assert.equal(code, 2);
  assert.match(errors, /Usage: pptpd-ts/);
});

const [ALL_COMMANDS, ALL_OPTIONS] = ['(--help shows all commands)', '(--help shows all options)'];
for (const [words, lines] of [
  ['frobnicate', ["error: unknown command 'frobnicate'", ALL_COMMANDS]],
  ['sesions', ["error: unknown command 'sesions'", '(Did you mean sessions?)', ALL_COMMANDS]],
  ['help frobnicate', ["error: unknown command 'frobnicate'", ALL_COMMANDS]],
  ['--frobnicate', ["error: unknown option '--frobnicate'", ALL_COMMANDS]],
  [
    'restart now',
    [
      "error: there is no command 'restart'. Use the service: systemctl restart pptpd-ts, or /etc/init.d/pptpd-ts restart",
      ALL_COMMANDS,
    ],
  ],
  ['sessions --unknown', ["error: unknown option '--unknown'", ALL_OPTIONS]],
  ['sessions --clinet', ["error: unknown option '--clinet'", '(Did you mean --client?)', ALL_OPTIONS]],
  ['sessions --since 2h', ['error: --since needs --ended', ALL_OPTIONS]],
  [
    'sessions alice',
    ["error: there is no file 'alice': to select sessions, use --user, --client or --address", ALL_OPTIONS],
  ],
  [
    'blocks 192.0.2.7',
    ["error: there is no file '192.0.2.7': to unblock an address, use --clear ADDRESS", ALL_OPTIONS],
  ],
  ['check one two', ["error: too many arguments for 'check'. Expected 1 argument but got 2.", ALL_OPTIONS]],
  ['check one -c two', ['error: FILE and -c FILE mean the same: give only one', ALL_OPTIONS]],
  ['serve --frobnicate', ["pptpd-ts: unknown option '--frobnicate' (usage: pptpd-ts serve -c FILE)"]],
  ['serve one -c two', ['pptpd-ts: more than one configuration file: one, two (usage: pptpd-ts serve -c FILE)']],
  ['serve -c', ['pptpd-ts: -c needs a file (usage: pptpd-ts serve -c FILE)']],
] as const) {
  test(`a usage error is a short message with exit code 2: ${words}`, async () => {
    const { code, output, errors } = await run(...words.split(' '));
    assert.deepEqual([code, output, errors], [2, '', `${lines.join('\n')}\n`]);
  });
}

test('-v, -V, --version and version print the version', async () => {
  const { version }: { version: string } = JSON.parse(readFileSync('package.json', 'utf8'));
  for (const word of ['-v', '-V', '--version', 'version']) {
    assert.deepEqual(await run(word), { code: 0, output: `${version}\n`, errors: '' }, word);
  }
});

for (const command of [
  'serve',
  'check',
  'doctor',
  'import',
  'sessions',
  'show',
  'top',
  'watch',
  'capture',
  'debug',
  'kick',
  'reload',
  'status',
  'completion',
  'version',
]) {
  test(`${command} --help has an example`, async () => {
    const { code, output } = await run(command, '--help');
    assert.equal(code, 0);
    assert.match(output, new RegExp(`Example.*\\n  pptpd-ts ${command}`, 's'));
  });
}

test('check prints the effective configuration and the pool', async (t) => {
  const { file } = configure(t, { addresses: { local: ['192.0.2.1'], remote: ['198.51.100.10-19'] } });
  const { code, output, errors } = await run('check', '-c', file);
  assert.equal(code, 0);
  assert.equal(JSON.parse(output).listen.port, 1723);
  assert.match(errors, /198\.51\.100\.10/);
});

for (const command of ['check', 'doctor', 'status', 'sessions', 'top', 'watch', 'blocks', 'reload', 'serve']) {
  test(`${command} FILE is ${command} -c FILE`, async (t) => {
    const { file } = configure(t, { limits: { connections: -1 } });
    const [alone, named] = [await run(command, file), await run(command, '-c', file)];
    assert.equal(named.code, 2);
    assert.match(named.errors, new RegExp(`^pptpd-ts: ${file}: limits\\.connections: `));
    assert.deepEqual(alone, named);
  });
}

test('check --schema prints the JSON Schema', async () => {
  const { code, output } = await run('check', '--schema');
  assert.equal(code, 0);
  assert.ok(JSON.parse(output).properties.listen !== undefined);
});

test('check prints all errors and exits with 2', async (t) => {
  const { file } = configure(t, { listen: { port: 0 }, timeouts: { echoReply: -1 } });
  const { code, errors } = await run('check', '-c', file);
  assert.equal(code, 2);
  assert.match(errors, /listen\.port/);
  assert.match(errors, /timeouts\.echoReply/);
});

test('sessions lists the live sessions, and reports that no manager is running', async (t) => {
  const { file, runDirectory } = configure(t);
  await serveSession(t, runDirectory);
  const { code, output, errors } = await run('sessions', '-c', file);
  assert.equal(code, 0);
  assert.equal(errors, `pptpd-ts: no manager is running (${runDirectory}); the sessions continue without one\n`);
  assert.match(output, /^ID .*USER .*CLIENT .*TUNNEL .*SINCE/);
  assert.match(output, /\nabc123 +alice +198\.51\.100\.7 +203\.0\.113\.10 +up .* 1\.5 KiB +20 B\n$/);
  assert.ok(!output.includes('\u001B'), 'colours belong on a terminal');
});

test('sessions --json prints JSON', async (t) => {
  const { file, runDirectory } = configure(t);
  await serveSession(t, runDirectory);
  const { output } = await run('sessions', '--json', '-c', file);
  assert.equal(JSON.parse(output).sessions[0].user, 'alice');
});

/** A configuration whose accounting file has these records, and lines that a full disk cut short. */
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

test('sessions --ended lists the ended sessions, the newest last, filtered by user and time', async (t) => {
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

test('sessions --ended fails without accounting, and with an invalid time', async (t) => {
  const { file } = configure(t);
  const without = await run('sessions', '--ended', '-c', file);
  assert.equal(without.code, 1);
  assert.match(without.errors, /has no "accounting"/);
  const wrong = await run('sessions', '--ended', '-c', file, '--since', 'yesterday');
  assert.equal(wrong.code, 2);
  assert.match(wrong.errors, /not a time/);
});

test('show prints the counters that are not 0, and no others', async (t) => {
  const { file, runDirectory } = configure(t);
  await serveSession(t, runDirectory);
  const { code, output } = await run('show', 'abc123', '-c', file);
  assert.equal(code, 0);
  assert.match(output, /encryption +MPPE 128/);
  assert.match(output, /received +.* 1\.5 KiB/);
  assert.match(output, /rxTooLong +3\n/);
  assert.ok(!output.includes('rxTooShort'));
});

test('show of an unknown session prints an error and exits with 1', async (t) => {
  const { file } = configure(t);
  const { code, errors } = await run('show', 'zzz999', '-c', file);
  assert.equal(code, 1);
  assert.equal(errors, 'pptpd-ts: there is no session zzz999 (it may have ended)\n');
});

test('sessions and show work with --run-directory, without a configuration', async (t) => {
  const { runDirectory } = configure(t);
  await serveSession(t, runDirectory);
  const { code, output } = await run('sessions', '--run-directory', runDirectory, '-c', '/nowhere.json');
  assert.equal(code, 0);
  assert.match(output, /\nabc123 +alice /);
  assert.equal((await run('show', 'abc123', '--run-directory', runDirectory, '-c', '/nowhere.json')).code, 0);
});

/** A manager's socket on which nothing answers. */
async function listenAsManager(t: TestContext, runDirectory: string): Promise<void> {
  const server = createServer((socket) => socket.on('error', () => undefined)).listen(
    runPaths(runDirectory).managerSocket,
  );
  t.after(() => server.close());
  await once(server, 'listening');
}

const NOBODY = /^ID .*PHASE.*\n$/;
for (const [command, ...options] of [
  ['sessions'],
  ['top', '--once'],
  // It must not wait for the interval.
  ['top', '--interval', '3600'],
] as const) {
  test(`${[command, ...options].join(' ')} without manager and sessions says so and exits with 3`, async (t) => {
    const { file, runDirectory } = configure(t);
    const errors = `pptpd-ts: no manager is running (${runDirectory}); there are no sessions\n`;
    assert.deepEqual(await run(command, ...options, '-c', file), { code: 3, output: '', errors });
    const json = await run(command, ...options, '--json', '-c', file);
    assert.deepEqual([json.code, json.errors], [3, errors]);
    assert.deepEqual(JSON.parse(json.output).sessions, []);
    // A killed manager leaves its socket.
    writeFileSync(runPaths(runDirectory).managerSocket, '');
    assert.equal((await run(command, ...options, '-c', file)).code, 3);
  });
}

test('top on a terminal without manager and sessions prints a message and draws nothing', async (t) => {
  const { file } = configure(t);
  const said = await runOnTerminal({}, 'top', '-c', file);
  assert.match(said, /^pptpd-ts: no manager is running \([^)]+\); there are no sessions\r\n$/);
});

test('with a manager and no sessions the table is empty and the exit code is 0', async (t) => {
  const { file, runDirectory } = configure(t);
  await listenAsManager(t, runDirectory);
  for (const args of [['sessions'], ['top', '--once', '--interval', '0.1']]) {
    const { code, output, errors } = await run(...args, '-c', file);
    assert.deepEqual([code, errors], [0, '']);
    assert.match(output, NOBODY);
  }
});

test('top with sessions and no manager reports that no manager is running', async (t) => {
  const { file, runDirectory } = configure(t);
  await serveSession(t, runDirectory);
  const { code, output, errors } = await run('top', '--once', '--interval', '0.1', '-c', file);
  assert.equal(code, 0);
  assert.match(output, /\nabc123 /);
  assert.equal(errors, `pptpd-ts: no manager is running (${runDirectory}); the sessions continue without one\n`);
});

for (const [command, ...options] of [['watch'], ['capture', '--next', '192.0.2.7', '-w', '-']] as const) {
  test(`${command} without a manager says so and waits for one`, async (t) => {
    const { file, runDirectory } = configure(t);
    const child = spawn(PROGRAM, [command, ...options, '-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
    t.after(() => child.kill('SIGKILL'));
    const signal = AbortSignal.timeout(60_000);
    const [line]: string[] = await once(child.stderr.setEncoding('utf8'), 'data', { signal });
    assert.ok(line?.startsWith(`pptpd-ts: no manager is running (${runDirectory}); waiting for one\n`), line);
    child.kill('SIGINT');
    assert.deepEqual(await once(child, 'close'), [0, null]);
  });
}

test('a missing run directory means that there are no manager and no sessions', async (t) => {
  const directory = join(configure(t).runDirectory, 'nowhere');
  const errors = `pptpd-ts: no manager is running (${directory}); there are no sessions\n`;
  assert.deepEqual(await run('sessions', '--run-directory', directory), { code: 3, output: '', errors });
});

test('a run directory that is a file is an error with exit code 1', async (t) => {
  const { file } = configure(t);
  const { code, errors } = await run('sessions', '--run-directory', file);
  assert.equal(code, 1);
  assert.match(errors, /^pptpd-ts: .*pptpd-ts\.json: .*\n$/);
});

/** Runs on a terminal of 50 columns; returns what it printed. */
async function runOnTerminal(env: Record<string, string>, ...args: readonly string[]): Promise<string> {
  const terminal = spawnOnTerminal(PROGRAM, [...args], { cols: 50, rows: 24, env: { ...process.env, ...env } });
  let output = '';
  terminal.onData((chunk) => (output += chunk));
  await new Promise<void>((done) => terminal.onExit(() => done()));
  return output;
}

test('a terminal gets colours and lines that fit its width; NO_COLOR turns the colours off', async (t) => {
  const { file, runDirectory } = configure(t);
  await serveSession(t, runDirectory);
  const coloured = await runOnTerminal({ NO_COLOR: '' }, 'sessions', '-c', file);
  assert.ok(coloured.startsWith('\u001B[1mID '), coloured);
  const plain = await runOnTerminal({ NO_COLOR: '1' }, 'sessions', '-c', file);
  assert.ok(!plain.includes('\u001B'), plain);
  assert.match(plain, /abc123.*…/);
});

const NO_PPPD = { pppd: { path: '/nowhere/pppd' } };

test('doctor prints one line per check, and exits with 1 if a fatal check fails', async (t) => {
  const { file } = configure(t, NO_PPPD);
  const { code, output } = await run('doctor', '-c', file);
  assert.equal(code, 1);
  const lines = output.trimEnd().split('\n');
  for (const each of lines) assert.match(each, /^(?:ok {2}|warn|FAIL) {2}[^:]+: ./);
  assert.ok(
    lines.some((each) => /^FAIL {2}pppd: \/nowhere\/pppd is missing.*; remedy: /.test(each)),
    output,
  );
  assert.ok(
    lines.some((each) => /^ok {4}Node\.js: v/.test(each)),
    output,
  );
});

test('doctor --fatal prints only fatal failures, with the same exit code', async (t) => {
  const { file } = configure(t, NO_PPPD);
  const { code, output } = await run('doctor', '--fatal', file);
  assert.equal(code, 1);
  const lines = output.trimEnd().split('\n');
  assert.ok(
    lines.every((each) => each.startsWith('FAIL  ')),
    output,
  );
  assert.ok(lines.some((each) => each.startsWith('FAIL  pppd: /nowhere/pppd is missing')));
});

test('doctor --json prints JSON, with the same exit code', async (t) => {
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
        remedy: 'install it, or name another program in pppd.path',
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
