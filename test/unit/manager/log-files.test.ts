/** Which log files are removed: only those of ended sessions that exceed the number or age. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { configurationSchema } from '../../../src/config/schema.js';
import { LogFiles, pruneLogs } from '../../../src/manager/log-files.js';
import { runPaths } from '../../../src/session/paths.js';
import { settled } from '../ctrl/client-socket.js';
import { LogLines } from '../ctrl/log-lines.js';

const DAY = 86_400;

/** Creates log and run directory, with files of these ages in days. */
function directories(t: TestContext, files: Readonly<Record<string, number>>): { directory: string; run: string } {
  const root = mkdtempSync(join(tmpdir(), 'pptpd-ts-'));
  t.after(() => rmSync(root, { recursive: true }));
  const [directory, run] = [join(root, 'log'), join(root, 'run')];
  mkdirSync(directory);
  mkdirSync(runPaths(run).sessions, { recursive: true });
  for (const [name, days] of Object.entries(files)) {
    const path = join(directory, name);
    writeFileSync(path, '');
    const time = Date.now() / 1000 - days * DAY;
    utimesSync(path, time, time);
  }
  return { directory, run };
}

const level = 'info';

test('files that are too old and the oldest of too many are removed; files of the manager, live sessions and others stay', async (t) => {
  const { directory, run } = directories(t, {
    'session-aaaaaa.log': 1,
    'session-bbbbbb.log': 2,
    'session-cccccc.log': 3,
    'session-dddddd.log': 40,
    'session-living.log': 50,
    'manager.log': 60,
    'session-eeeeee.log.2.gz': 60,
    'session-living.log.1': 60,
    'session-aaaaaa.log.old': 60,
    'session-AAAAAA.log': 60,
    'session-notes.txt': 60,
  });
  writeFileSync(join(runPaths(run).sessions, 'living.json'), '{}');
  const removed = await pruneLogs({ level, directory, keepFiles: 2, keepDays: 30 }, run);
  assert.deepEqual(removed, ['session-cccccc.log', 'session-dddddd.log', 'session-eeeeee.log.2.gz']);
  const kept = ['manager.log', 'session-AAAAAA.log', 'session-aaaaaa.log', 'session-aaaaaa.log.old'];
  assert.deepEqual(readdirSync(directory).toSorted(), [
    ...kept,
    'session-bbbbbb.log',
    'session-living.log',
    'session-living.log.1',
    'session-notes.txt',
  ]);
});

test('0 means no limit', async (t) => {
  const { directory, run } = directories(t, { 'session-aaaaaa.log': 1000, 'session-bbbbbb.log': 1 });
  assert.deepEqual(await pruneLogs({ level, directory, keepFiles: 0, keepDays: 0 }, run), []);
  assert.deepEqual(await pruneLogs({ level, directory, keepFiles: 1, keepDays: 0 }, run), ['session-aaaaaa.log']);
});

test('a file that may belong to a session that is starting stays, even above the limit', async (t) => {
  const { directory, run } = directories(t, { 'session-aaaaaa.log': 0, 'session-bbbbbb.log': 0 });
  assert.deepEqual(await pruneLogs({ level, directory, keepFiles: 1, keepDays: 30 }, run), []);
});

test('a folder with the name of a log file stays; without log.directory nothing happens', async (t) => {
  const { directory, run } = directories(t, {});
  const folder = join(directory, 'session-aaaaaa.log');
  mkdirSync(folder);
  utimesSync(folder, 0, 0);
  assert.deepEqual(await pruneLogs({ level, directory, keepFiles: 1, keepDays: 1 }, run), []);
  assert.deepEqual(await pruneLogs({ level, keepFiles: 1, keepDays: 1 }, run), []);
});

test('a file is too old after keepDays, and not before', async (t) => {
  const { directory, run } = directories(t, { 'session-aaaaaa.log': 0 });
  const { mtimeMs } = statSync(join(directory, 'session-aaaaaa.log'));
  const log = { level, directory, keepFiles: 0, keepDays: 2 } as const;
  assert.deepEqual(await pruneLogs(log, run, mtimeMs + 2 * DAY * 1000), []);
  assert.deepEqual(await pruneLogs(log, run, mtimeMs + 2 * DAY * 1000 + 1), ['session-aaaaaa.log']);
});

test('a file is one of too many when it is older than a minute', async (t) => {
  const { directory, run } = directories(t, { 'session-aaaaaa.log': 0, 'session-bbbbbb.log': 1 });
  utimesSync(
    join(directory, 'session-bbbbbb.log'),
    0,
    statSync(join(directory, 'session-aaaaaa.log')).mtimeMs / 1000 - 1,
  );
  const { mtimeMs } = statSync(join(directory, 'session-bbbbbb.log'));
  const log = { level, directory, keepFiles: 1, keepDays: 0 } as const;
  assert.deepEqual(await pruneLogs(log, run, mtimeMs + 60_000), []);
  assert.deepEqual(await pruneLogs(log, run, mtimeMs + 60_001), ['session-bbbbbb.log']);
});

test('it is looked at the start, every ten minutes, and when the configuration is read again', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const lines = new LogLines();
  const [before, after] = [30, 7].map((keepDays) =>
    configurationSchema.parse({ log: { directory: '/var/log/pptpd-ts', keepDays }, runDirectory: '/run/own' }),
  );
  assert(before !== undefined && after !== undefined);
  const looks: unknown[] = [];
  let finds: string[] | Error = [];
  const files = new LogFiles(before, lines.log, async (log, runDirectory) => {
    looks.push([log.keepDays, runDirectory]);
    if (finds instanceof Error) throw finds;
    return finds;
  });
  files.start();
  assert.deepEqual(looks.splice(0), [[30, '/run/own']]);
  t.mock.timers.tick(599_999);
  assert.deepEqual(looks, []);
  finds = ['session-aaaaaa.log', 'session-bbbbbb.log'];
  t.mock.timers.tick(1);
  assert.deepEqual(looks.splice(0), [[30, '/run/own']]);
  await settled();
  assert.deepEqual(
    lines.all.splice(0).map(({ msg, count }) => [msg, count]),
    [['removed log files of ended sessions', 2]],
  );
  finds = new Error('EACCES');
  files.reconfigure(after);
  assert.deepEqual(looks.splice(0), [[7, '/run/own']]);
  await settled();
  assert.deepEqual(lines.at('warn'), ['cannot remove old log files']);
  files.close();
  t.mock.timers.tick(6_000_000);
  assert.deepEqual(looks, []);
});
