/**
 * Replaces `pptpd-ts serve`, `doctor --fatal` and `reload` in the init script's tests: the same interface to the init
 * system (manager.pid once ready, TERM, QUIT, exit codes 1 and 2), but it needs no kernel with PPP and can misbehave on
 * demand. Its "configuration" says how: the last argument of `serve` and `doctor`; `reload` uses the one that was
 * served.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface StandInConfiguration {
  readonly pidFile: string;
  /** The error that server, check or reload report, and their exit code. */
  readonly refuse?: { readonly code: number; readonly sentence: string };
  /** Never writes its pid file. */
  readonly neverReady?: boolean;
  /** Ignores TERM and QUIT. */
  readonly deaf?: boolean;
}

function read(path: string): StandInConfiguration {
  const configuration: StandInConfiguration = JSON.parse(readFileSync(path, 'utf8'));
  return configuration;
}

/** Reports the configured error and sets the exit code; returns false if there is none. */
function isRefused({ refuse }: StandInConfiguration): boolean {
  if (refuse === undefined) return false;
  console.error(refuse.sentence);
  process.exitCode = refuse.code;
  return true;
}

function serve(path: string, options: readonly string[]): void {
  console.log('options', options.join(' '));
  const configuration = read(path);
  if (isRefused(configuration)) return;
  const { pidFile } = configuration;
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
  process.on('SIGHUP', () => console.log('reloaded'));
  if (configuration.neverReady === true) return keepAlive();
  writeFileSync(join(pidFile, '..', 'served'), path);
  writeFileSync(pidFile, `${process.pid}\n`);
  keepAlive();
}

/** Runs until a signal ends it. */
function keepAlive(): void {
  setInterval(() => undefined, 3_600_000);
}

function reload(runDirectory: string): void {
  const configuration = read(readFileSync(join(runDirectory, 'served'), 'utf8'));
  if (isRefused(configuration)) return;
  process.kill(Number(readFileSync(configuration.pidFile, 'utf8')), 'SIGHUP');
  console.log('configuration reloaded for new clients');
}

const [, , command, option, value, ...rest] = process.argv;
switch ([command, option].join(' ')) {
  case 'serve -c':
    serve(value ?? '', rest);
    break;
  case 'doctor --fatal':
    isRefused(read(rest.join()));
    break;
  case 'reload --run-directory':
    reload(value ?? '');
    break;
  default:
    throw new Error(`unexpected call: ${process.argv.join(' ')}`);
}
