/** package.json and package-lock.json: what a fresh clone and every supported version of Node.js depend on. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { test, type TestContext } from 'node:test';

function temporaryFolder(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'pptpd-ts-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

test('npm ci accepts the lock file: it has the packages of every platform', (t) => {
  const directory = temporaryFolder(t);
  for (const name of ['package.json', 'package-lock.json']) copyFileSync(name, join(directory, name));
  const args = ['ci', '--dry-run', '--offline', '--ignore-scripts', '--cache', join(directory, 'cache')];
  const { status, stderr } = spawnSync('npm', args, { cwd: directory, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
});

test('the locked nan compiles on Node.js 20, 22 and 24', () => {
  const { packages }: { packages: Record<string, { version?: string }> } = JSON.parse(
    readFileSync('package-lock.json', 'utf8'),
  );
  const versions = Object.entries(packages).flatMap(([path, { version = '' }]) =>
    path.endsWith('node_modules/nan') ? version : [],
  );
  // 2.19, which raw-socket asks for, does not compile on Node.js 24; 2.30 was tried on all three.
  assert.equal(versions.length, 1, versions.join());
  const [major = 0, minor = 0] = versions.join().split('.').map(Number);
  assert.ok(major === 2 && minor >= 30, versions.join());
});

test('npm run test:unit names every unit test by its file: Node.js 22 takes no folder', (t) => {
  const directory = temporaryFolder(t);
  writeFileSync(join(directory, 'node'), '#!/bin/sh\nprintf "%s\\n" "$@"\n', { mode: 0o755 });
  const { scripts }: { scripts: Record<string, string> } = JSON.parse(readFileSync('package.json', 'utf8'));
  const env = { ...process.env, PATH: `${directory}${delimiter}${process.env['PATH'] ?? ''}` };
  const { stdout } = spawnSync('sh', ['-c', scripts['test:unit'] ?? ''], { encoding: 'utf8', env });
  const files = readdirSync('test/unit', { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => join('dist/test/unit', path.replace(/ts$/, 'js')));
  assert.ok(files.length > 0);
  assert.deepEqual(stdout.trimEnd().split('\n').toSorted(), ['--test', ...files].toSorted());
});
