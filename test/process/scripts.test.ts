/**
 * setup, start, test, lab and package in a checkout of their own, with stand-ins for sudo, apt and npm: what they install,
 * what they print, and how they become root.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';

const NOBODY = 65534;

interface Outcome {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

class Checkout {
  readonly #folder = mkdtempSync(join(tmpdir(), 'pptpd-ts-scripts-'));
  readonly #programs = join(this.#folder, 'programs');

  constructor(t: TestContext) {
    t.after(() => rmSync(this.#folder, { recursive: true }));
    chmodSync(this.#folder, 0o755);
    for (const path of ['bin', 'scripts', 'package.json', 'package-lock.json', 'test/lab/demonstration']) {
      cpSync(path, join(this.#folder, path), { recursive: true });
    }
    mkdirSync(this.#programs);
    chownSync(this.#folder, NOBODY, NOBODY);
    this.provide('sudo', 'echo "sudo $*"');
    this.provide('npm', 'echo "npm $*" >> npm-calls; mkdir -p node_modules');
    this.provide('apt-get', 'exit 0');
    this.provide('apt-cache', 'exit 0');
    this.setNode('24.1.0');
    this.setMissing('');
  }

  /** Makes a program that is found before the machine's own. */
  provide(name: string, script: string): void {
    writeFileSync(join(this.#programs, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }

  setNode(version: string): void {
    this.provide('node', `[ "$1" = --version ] && echo v${version} || echo /nowhere/${version}`);
  }

  /** Every Debian package is installed except this one. */
  setMissing(missing: string): void {
    const setup = readFileSync('scripts/setup', 'utf8');
    const packages = Array.from(setup.matchAll(/^\w+=\((.*)\)$/gm), ([, names = '']) => names.split(' ')).flat();
    assert.ok(packages.includes('ppp') && (missing === '' || packages.includes(missing)));
    const installed = packages.filter((name) => name !== missing).map((name) => `installed ${name} `);
    this.provide('dpkg-query', `cat << END\n${installed.join('\n')}\nEND`);
  }

  /** Makes the last file of a build, and npm's folder. */
  build(): void {
    mkdirSync(join(this.#folder, 'dist/src/ctrl'), { recursive: true });
    writeFileSync(join(this.#folder, 'dist/src/ctrl/main.cjs'), '');
  }

  remove(path: string): void {
    rmSync(join(this.#folder, path), { recursive: true });
  }

  get setup(): string {
    return join(this.#folder, 'scripts/setup');
  }

  npmCalls(): string[] {
    return readFileSync(join(this.#folder, 'npm-calls'), 'utf8').trimEnd().split('\n');
  }

  run(script: string, args: readonly string[], { uid = NOBODY, env = {}, path = ':/usr/bin:/bin' } = {}): Outcome {
    const { status, stdout, stderr, error } = spawnSync(join(this.#folder, script), args, {
      cwd: this.#folder,
      encoding: 'utf8',
      env: { PATH: `${this.#programs}${path}`, HOME: this.#folder, TERM: 'dumb', ...env },
      uid,
      gid: uid,
    });
    if (error !== undefined) throw error;
    return { code: status, output: stdout, errors: stderr };
  }

  /** The arguments of sudo; '' if it was not called. */
  sudoCall({ output, errors }: Outcome): string {
    const line = `${errors}${output}`.split('\n').find((each) => each.startsWith('sudo '));
    return (line ?? '').replace(/PATH=\S+/, (path) => (path.startsWith(`PATH=${this.#programs}:`) ? 'PATH=…' : path));
  }
}

describe('scripts', { skip: process.getuid?.() === 0 ? false : 'needs root, to become nobody' }, () => {
  test('start, test and lab become root by sudo, and keep their arguments and the variables that they need', (t) => {
    const checkout = new Checkout(t);
    for (const [script, args, env, call] of [
      ['scripts/start', ['--once'], {}, 'sudo env PATH=… bash scripts/start --once'],
      ['scripts/start', [], { CI: 'yes' }, 'sudo env PATH=… CI=yes bash scripts/start'],
      ['scripts/test', ['unit', 'lint'], {}, 'sudo env PATH=… bash scripts/test unit lint'],
      [
        'scripts/lab',
        ['demonstration', '--jobs', '2'],
        { LAB_TIMEOUT: '7', RESULTS: '/tmp/somewhere', OTHER: 'no' },
        'sudo env PATH=… RESULTS=/tmp/somewhere TERM=dumb LAB_TIMEOUT=7 bash scripts/lab demonstration --jobs 2',
      ],
    ] as const) {
      assert.equal(checkout.sudoCall(checkout.run(script, args, { env })), call);
    }
  });

  test('without sudo they report that they need root', (t) => {
    const checkout = new Checkout(t);
    checkout.provide('no-sudo', 'command() { [ "$*" = "-v sudo" ] && return 1; builtin command "$@"; }');
    for (const script of ['scripts/start', 'scripts/test']) {
      const { code, errors } = checkout.run(script, [], { env: { BASH_ENV: join('programs', 'no-sudo') } });
      assert.equal(code, 1);
      assert.match(errors, /^\w+: needs root .*; remedy: run it as root\n$/);
    }
  });

  test('setup installs exactly the locked npm packages, once, and needs no root if no Debian package is missing', (t) => {
    const checkout = new Checkout(t);
    for (const _ of ['first', 'again']) {
      const outcome = checkout.run('scripts/setup', ['--no-build', 'tests']);
      assert.equal(outcome.code, 0, outcome.output + outcome.errors);
      assert.equal(checkout.sudoCall(outcome), '');
    }
    assert.equal(checkout.npmCalls().length, 1);
    assert.match(checkout.npmCalls().join(), /^npm ci /);
  });

  test('with another Node.js the native parts are built again', (t) => {
    const checkout = new Checkout(t);
    checkout.run('scripts/setup', ['--no-build']);
    checkout.setNode('24.2.0');
    checkout.run('scripts/setup', ['--no-build']);
    assert.equal(checkout.npmCalls().length, 2);
  });

  for (const [version, recommends] of [
    ['20.20.2', true],
    ['22.23.3', false],
    ['24.21.0', false],
  ] as const) {
    test(`Node.js ${version}: ${recommends ? 'works, and a maintained one is recommended' : 'works without a note'}`, (t) => {
      const checkout = new Checkout(t);
      checkout.setNode(version);
      const { code, output } = checkout.run('scripts/setup', ['--no-build']);
      assert.equal(code, 0);
      assert.equal(/Node\.js 20\.20\.2 works, .* Node\.js 24 is recommended/.test(output), recommends, output);
    });
  }

  test('if Node.js is too old and Debian has no newer one, setup names the version to install', (t) => {
    const checkout = new Checkout(t);
    checkout.setNode('18.20.4');
    const { code, errors } = checkout.run('scripts/setup', ['--no-build'], { uid: 0 });
    assert.equal(code, 1);
    assert.match(errors, /needs Node\.js 20\.11 or newer, this machine has 18\.20\.4 .*; remedy: install Node\.js 24 /);
  });

  test('a missing Debian package is named, and sudo is called to install it', (t) => {
    const checkout = new Checkout(t);
    checkout.setMissing('ppp');
    const outcome = checkout.run('scripts/setup', ['--no-build', 'running']);
    assert.match(outcome.output, /these Debian packages are missing: ppp\n/);
    assert.equal(checkout.sudoCall(outcome), 'sudo env PATH=… bash scripts/setup --no-build running');
  });

  test('a program that is not built, or is incomplete, names the command that repairs it', (t) => {
    const checkout = new Checkout(t);
    const notBuilt = { code: 1, output: '', errors: `pptpd-ts: the program is not built; remedy: ${checkout.setup}\n` };
    for (const command of [[], ['sessions'], ['serve', '-c', '/nowhere'], ['--help']]) {
      assert.deepEqual(checkout.run('bin/pptpd-ts', command), notBuilt);
    }
    checkout.build();
    assert.deepEqual(checkout.run('bin/pptpd-ts', []), notBuilt, 'without node_modules');
    checkout.run('scripts/setup', ['--no-build']);
    checkout.remove('programs/node');
    for (const name of ['sh', 'readlink', 'dirname']) checkout.provide(name, `PATH=/usr/bin:/bin exec ${name} "$@"`);
    assert.deepEqual(checkout.run('bin/pptpd-ts', [], { path: '' }), {
      code: 1,
      output: '',
      errors: `pptpd-ts: Node.js is not installed; remedy: ${checkout.setup}\n`,
    });
    checkout.remove('scripts/setup');
    assert.match(
      checkout.run('bin/pptpd-ts', [], { path: '' }).errors,
      /remedy: apt-get install --reinstall pptpd-ts\n$/,
    );
  });

  test('package has setup install what it needs, and lists it', (t) => {
    const checkout = new Checkout(t);
    checkout.setMissing('dpkg-dev');
    const outcome = checkout.run('scripts/package', []);
    assert.match(outcome.errors, /these Debian packages are missing: dpkg-dev\n/);
    assert.equal(checkout.sudoCall(outcome), 'sudo env PATH=… bash scripts/setup package');
    assert.doesNotMatch(outcome.output, /missing/, 'standard output is the name of the package alone');
  });
});
