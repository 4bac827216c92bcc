/** Runs a test file again beside a systemd of its own (under-systemd), in new namespaces of every kind that it needs. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';

const INSIDE = 'PPTPD_TS_TEST_SYSTEMD';
const SCRIPT = resolve('test/process/support/under-systemd');
const UNITS = '/run/units';
const UNIT = 'pptpd-ts.service';
const CANNOT = 77;

/**
 * Call it before the first test. Outside, it runs the file again and exits with its code; inside it returns null. A string: why
 * systemd cannot run here.
 */
export function enterSystemd(): string | null {
  if (process.env[INSIDE] !== undefined) return null;
  // The unit hides these folders.
  if (/^\/(?:home|root)\//.test(process.execPath)) return `the unit cannot see ${process.execPath}`;
  const file = relative(process.cwd(), process.argv[1] ?? '');
  const { status, stderr } = spawnSync(SCRIPT, [process.execPath, ...process.execArgv, file], {
    encoding: 'utf8',
    stdio: ['ignore', 'inherit', 'pipe'],
    env: { ...process.env, [INSIDE]: 'yes' },
  });
  if (status === CANNOT) return stderr.trim().split('\n').at(-1) ?? 'systemd cannot run here';
  process.stderr.write(stderr);
  process.exit(status ?? 1);
}

export interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

export function systemctl(...args: readonly string[]): Outcome {
  const { status, stdout, stderr } = spawnSync('systemctl', args, { encoding: 'utf8' });
  return { code: status, output: `${stdout}${stderr}`.trim() };
}

export const property = (name: string): string => systemctl('show', '--property', name, '--value', UNIT).output;

/** The package's unit as it is, but for its log, which goes to `log`. */
export function installUnit(log: string): void {
  cpSync(`scripts/systemd/${UNIT}`, `${UNITS}/${UNIT}`);
  const folder = `${UNITS}/${UNIT}.d`;
  mkdirSync(folder);
  const path = `${dirname(process.execPath)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`;
  const lines = ['[Service]', `StandardOutput=append:${log}`, 'StandardError=inherit', `Environment=PATH=${path}`];
  writeFileSync(`${folder}/test.conf`, `${lines.join('\n')}\n`);
  symlinkSync(resolve('bin/pptpd-ts'), '/usr/local/sbin/pptpd-ts');
}
