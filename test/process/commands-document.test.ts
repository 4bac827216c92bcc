/** Compares the recordings in docs/commands.md with the commands' output: columns, labels, keys and sentences. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { newProgram } from '../../src/cli/program.js';
import { columns, labels, recorded, sections } from '../unit/cli/commands-document.js';
import { enterNamespace } from './support/netns.js';
import { Running } from './support/running.js';
import { CLIENT_ADDRESSES, type Server, SERVER_ADDRESS, startServer } from './support/server.js';
import { ClientLogins } from './support/client-logins.js';
import { until } from './support/wait.js';

enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES);

const [ALICE, BLOCKED] = CLIENT_ADDRESSES;
const logins = new ClientLogins();
after(() => logins.close());

/** A server on which alice is logged in and one address is blocked. */
async function serve(t: TestContext): Promise<{ server: Server; id: string }> {
  const server = await startServer(t, { policy: { failedLogins: 1 }, log: { level: 'info' } }, 'login');
  await logins.losesItsLogin(t, 'wrong one', BLOCKED);
  await server.waitForSessions(0);
  await logins.loggedIn(t, 'alice', ALICE);
  const [session] = await server.sessions();
  assert(session !== undefined);
  return { server, id: session.session };
}

interface Outcome {
  readonly code: number | null;
  readonly lines: readonly string[];
  readonly words: string;
}

async function run(server: Server, ...args: readonly string[]): Promise<Outcome> {
  const running = new Running(server, ...args);
  const code = await running.ended();
  return { code, lines: running.output.trimEnd().split('\n'), words: running.words };
}

/** A sentence without the values of this session. */
const withoutNames = (line = ''): string =>
  line
    .replaceAll(/(?<=\bsession )[a-z0-9]{6}\b/g, 'ID')
    .replaceAll(/\b\d+(?:\.\d+){3}\b/g, 'ADDRESS')
    .replace(/\([a-z]+, /, '(USER, ');

/** Every key of an object and of the objects in it. */
function keysOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [key, ...keysOf(inner)]);
}

test('the commands print the recorded tables, lists and sentences', async (t) => {
  const { server, id } = await serve(t);
  for (const words of [['sessions'], ['blocks']]) {
    await t.test(words.join(' '), async () => {
      const { lines } = await run(server, ...words);
      assert.deepEqual(columns(lines[0]), columns(recorded(...words)[0]));
      assert.equal(columns(lines[1]).length, columns(lines[0]).length, 'a row with as many columns');
    });
  }

  await t.test('top', async () => {
    const call = sections.get('top')?.recordings[0]?.words ?? [];
    const { lines } = await run(server, ...call.map((word, at) => (call[at - 1] === '--interval' ? '0.1' : word)));
    assert.deepEqual(columns(lines[0]), columns(recorded(...call)[0]));
  });

  await t.test('status', async () => {
    const { lines } = await run(server, 'status');
    assert.deepEqual(labels(lines), labels(recorded('status')));
  });

  await t.test('watch', async () => {
    const watch = new Running(server, 'watch');
    await until('a line of each step so far', () => / up /.test(watch.output));
    await watch.interrupted();
    const shape = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}\w{6} {2}(\w+) +\S+ from [\d.]+ with [\d.]+(?:: .+)?$/;
    const steps = new Set<string>();
    for (const line of [...watch.output.trimEnd().split('\n'), ...recorded('watch')]) {
      const [, step] = shape.exec(line) ?? assert.fail(line);
      steps.add(step ?? '');
    }
    const [, listed = ''] = /every session: ([^.]+)\./.exec(sections.get('watch')?.prose ?? '') ?? [];
    for (const step of steps) assert(listed.split(', ').includes(step), `${step} is none of ${listed}`);
  });

  for (const level of ['on', 'off']) {
    await t.test(`debug ${level}`, async () => {
      const { lines } = await run(server, 'debug', id, level);
      const [, name = ''] = sections.get('debug')?.recordings[0]?.words ?? [];
      assert.equal(withoutNames(lines[0]), withoutNames(recorded('debug', name, level)[0]));
    });
  }

  await t.test('capture', async () => {
    const [call] = sections.get('capture')?.recordings ?? [];
    const address = call?.words[call.words.indexOf('--next') + 1] ?? '';
    const file = join(server.directory, 'login.pcapng');
    const capture = new Running(server, 'capture', '--next', ALICE, '-w', file);
    await capture.says(/^waiting/);
    await logins.loggedIn(t, 'alice', ALICE);
    await capture.says(/^capturing/m);
    await capture.interrupted();
    const sentences = (words: string): string =>
      withoutNames(words)
        .replaceAll(/\d+ frames/g, 'N frames')
        .replaceAll(/\S+login\.pcapng/g, 'login.pcapng');
    const said = capture.words.trimEnd().split('\n').map(sentences);
    assert.deepEqual(said, recorded('capture', '--next', address, '-w', 'login.pcapng').map(sentences));
  });

  await t.test('reload', async () => {
    assert.deepEqual((await run(server, 'reload')).lines, recorded('reload'));
  });

  await t.test('blocks --clear', async () => {
    const [, call] = sections.get('blocks')?.recordings ?? [];
    const { lines } = await run(server, 'blocks', '--clear', BLOCKED);
    assert.deepEqual(lines.map(withoutNames), recorded(...(call?.words ?? [])).map(withoutNames));
  });

  await t.test('kick', async () => {
    const call = sections.get('kick')?.recordings[0]?.words ?? [];
    const { lines } = await run(server, 'kick', 'alice', '--reason', 'maintenance');
    const [sentence] = recorded(...call).map(withoutNames);
    for (const line of lines) assert.equal(withoutNames(line), sentence);
  });
});

test('the JSON output has the keys that the examples of --help use', async (t) => {
  const { server, id } = await serve(t);
  const seen: string[] = [];
  for (const command of newProgram().commands) {
    let help = '';
    command.configureOutput({ writeOut: (text) => (help += text) });
    command.outputHelp();
    for (const [, call = '', filter = ''] of help.matchAll(/^ {2}pptpd-ts (.*--json.*?) \| jq (.*)$/gm)) {
      const [name = '', ...words] = call.split(' ');
      // An id in an example stands for this session's.
      const args = [name, ...words.map((word) => (word.startsWith('-') ? word : id))];
      if (name === 'top') args.push('--interval', '0.1');
      const running = new Running(server, ...args);
      if (name === 'watch') await until('its first line', () => running.output.includes('\n'));
      else await running.ended();
      await running.interrupted();
      const keys = keysOf(JSON.parse(name === 'watch' ? (running.output.split('\n')[0] ?? '') : running.output));
      const wanted = Array.from(filter.replaceAll(/"[^"]*"/g, '').matchAll(/\.([A-Za-z]\w*)/g), ([, key = '']) => key);
      assert(wanted.length > 0, filter);
      for (const key of wanted) assert(keys.includes(key), `${key} of: pptpd-ts ${call} | jq ${filter}`);
      seen.push(name);
    }
  }
  assert(seen.length >= 5, seen.join(' '));
});

test('check and import print the recorded output', (t) => {
  const print = (...args: readonly string[]): string =>
    execFileSync(resolve('bin/pptpd-ts'), args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const cut = recorded('check').filter((line) => line !== '…');
  const lines = print('check', '-c', 'test/lab/ten-clients/etc/pptpd-ts.json').split('\n');
  assert.deepEqual(lines.slice(0, cut.length), cut);
  // The options file that it names is the lab's, not this machine's.
  const folder = mkdtempSync(join(tmpdir(), 'pptpd-ts-import-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'pptpd.conf');
  const options = '/etc/ppp/options.pptpd';
  const ofLab = resolve(`test/lab/common${options}`);
  writeFileSync(file, readFileSync('test/lab/common/etc/pptpd.conf', 'utf8').replace(options, ofLab));
  const imported = print('import', file).replace(ofLab, options);
  assert.deepEqual(JSON.parse(imported), JSON.parse(recorded('import').join('\n')));
});

test('sessions --ended has the recorded columns', async (t) => {
  const server = await startServer(t);
  const file = join(server.directory, 'accounting.jsonl');
  await server.reconfigure({ accounting: { file } });
  const { client } = await logins.called(t, 'alice', ALICE);
  client.send({ type: 'StopControlConnectionRequest', reason: 1 });
  await server.waitForSessions(0);
  assert.match(readFileSync(file, 'utf8'), /"record":"ended"/);
  const { lines } = await run(server, 'sessions', '--ended');
  assert.deepEqual(columns(lines[0]), columns(recorded('sessions', '--ended')[0]));
  assert.equal(columns(lines[1]).length, columns(lines[0]).length);
});

test('without a manager the commands that the document names exit with 3', async (t) => {
  const server = await startServer(t);
  await server.stop();
  for (const command of ['status', 'blocks', 'reload']) assert.equal((await run(server, command)).code, 3, command);
});
