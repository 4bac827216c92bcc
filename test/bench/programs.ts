/** The C programs of the benchmark: compiled when their sources are newer than they are. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';

const SOURCES = resolve('test/bench');
const TARGETS = resolve('dist/test/bench');

/** Path of the built program; throws when the compiler does. */
export function build(name: 'load' | 'stand-in' | 'floor'): string {
  const target = join(TARGETS, name);
  const sources = [join(SOURCES, `${name}.c`), join(SOURCES, 'shared.h')];
  const isFresh = existsSync(target) && sources.every((path) => statSync(path).mtimeMs < statSync(target).mtimeMs);
  if (isFresh) return target;
  mkdirSync(TARGETS, { recursive: true });
  execFileSync('cc', ['-O2', '-Wall', '-Wextra', '-o', target, sources[0] ?? '', '-lutil'], { stdio: 'inherit' });
  return target;
}
