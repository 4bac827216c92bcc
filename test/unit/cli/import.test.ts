/** `pptpd-ts import` as a command: its arguments, its two outputs, its exit codes. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, mock, test } from 'node:test';
import { Command } from 'commander';
import { importCommand } from '../../../src/cli/commands/import.js';

const directory = mkdtempSync(join(tmpdir(), 'pptpd-ts-import-'));
after(() => rmSync(directory, { recursive: true }));
const file = join(directory, 'pptpd.conf');
const POOL = 'localip 192.0.2.1\nremoteip 198.51.100.1-9\n';

/** Runs the command as part of a program, as main does, because the program handles `--` before its commands. */
function run(...words: string[]): { readonly output: string; readonly errors: string[]; readonly exitCode: unknown } {
  const [output, errors]: [string[], string[]] = [[], []];
  const log = mock.method(console, 'log', (line: string) => output.push(line));
  const error = mock.method(console, 'error', (line: string) => errors.push(line));
  const before = process.exitCode;
  try {
    new Command('pptpd-ts').addCommand(importCommand()).parse(['import', ...words], { from: 'user' });
    // Remarks on this machine's own hosts.allow and hosts.deny do not matter.
    const own = errors.filter((line) => !line.startsWith('/etc/hosts.'));
    return { output: output.join('\n'), errors: own, exitCode: process.exitCode };
  } finally {
    process.exitCode = before;
    log.mock.restore();
    error.mock.restore();
  }
}

test('JSON goes to standard output, remarks to standard error', () => {
  writeFileSync(file, 'remoteip 192.0.2.10-20\nlogwtmp\ncolour red\nlocalip 192.0.2.1\n');
  const { output, errors, exitCode } = run(file);
  assert.deepEqual(JSON.parse(output), {
    addresses: { local: ['192.0.2.1'], remote: ['192.0.2.10-20'] },
    pppd: { logwtmp: true },
  });
  assert.deepEqual(errors, [`${file}:3: pptpd ignores this line, and so does import: "colour" is not a keyword`]);
  assert.equal(exitCode, undefined);
});

for (const words of [
  [file, '--', '-d', '--speed', '9600'],
  ['--', '-d', '--speed', '9600', '-c', file],
]) {
  test(`pptpd's arguments follow --: ${words.indexOf('--') === 0 ? 'they name the file' : 'after the file'}`, () => {
    writeFileSync(file, POOL);
    const { output, errors, exitCode } = run(...words);
    assert.deepEqual(JSON.parse(output), {
      addresses: { local: ['192.0.2.1'], remote: ['198.51.100.1-9'] },
      pppd: { speed: 9600 },
      log: { level: 'debug' },
    });
    assert.deepEqual(errors, []);
    assert.equal(exitCode, undefined);
  });
}

test('a line that cannot be converted: nothing on standard output, exit code 1', () => {
  writeFileSync(file, `logwtmp x\nspeed fast\n${POOL}`);
  assert.deepEqual(run(file), {
    output: '',
    errors: [
      `${file}:1: "logwtmp" takes no value; import ignores "x", as pptpd does`,
      `pptpd-ts: ${file}:2: pppd.speed: "fast" is not allowed; allowed: a whole number from 1 to 4000000`,
    ],
    exitCode: 1,
  });
});

test('a file that cannot be read: one sentence, exit code 1', () => {
  const missing = join(directory, 'none.conf');
  const { output, errors, exitCode } = run(missing);
  assert.equal(output, '');
  assert.equal(errors.length, 1);
  assert.match(errors[0] ?? '', /^pptpd-ts: .*none\.conf: pptpd's configuration cannot be read: ENOENT/);
  assert.equal(exitCode, 1);
});
