/**
 * Stands in for `pptpd-ts serve` in the init script's tests: the same words with the init system (manager.pid once
 * ready, TERM, QUIT, HUP, exit codes 1 and 2) without a kernel that has PPP, and able to misbehave on demand.
 * Its "configuration" says how.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';

export interface StandInConfiguration {
  readonly pidFile: string;
  /** Leaves at once with this code and sentence. */
  readonly refuse?: { readonly code: number; readonly sentence: string };
  /** Never writes its pid file. */
  readonly neverReady?: boolean;
  /** Does not end by TERM or QUIT. */
  readonly deaf?: boolean;
}

function serve(configuration: StandInConfiguration): void {
  const { pidFile, refuse } = configuration;
  if (refuse !== undefined) {
    console.error(refuse.sentence);
    process.exitCode = refuse.code;
    return;
  }
  process.title = 'pptpd-ts manager';
  process.on('SIGTERM', () => {
    console.log('TERM');
    if (configuration.deaf === true) return;
    rmSync(pidFile, { force: true });
    process.exit(0);
  });
  process.on('SIGQUIT', () => {
    console.log('QUIT');
    if (configuration.deaf !== true) process.exit(0);
  });
  process.on('SIGHUP', () => console.log('HUP'));
  if (configuration.neverReady !== true) writeFileSync(pidFile, `${process.pid}\n`);
  // Keeps the process alive: only a signal ends it.
  setInterval(() => undefined, 3_600_000);
}

const [, , command, flag, path, ...options] = process.argv;
if (command !== 'serve' || flag !== '-c' || path === undefined)
  throw new Error(`unexpected call: ${process.argv.join(' ')}`);
console.log('options', options.join(' '));
const configuration: StandInConfiguration = JSON.parse(readFileSync(path, 'utf8'));
serve(configuration);
