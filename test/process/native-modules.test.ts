/**
 * Native modules that were built for another Node.js or are missing, and a program that the server's user cannot read:
 * `doctor`, `serve` and a running manager report it.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test, type TestContext } from 'node:test';
import { NATIVE_MODULES } from '../../src/host/native-modules.js';
import { enterNamespace } from './support/netns.js';
import { endWith, SERVER_ADDRESS, Server } from './support/server.js';

enterNamespace(SERVER_ADDRESS);

/** The program installed in a folder of its own, where raw-socket can be broken. */
class Installation {
  readonly folder = mkdtempSync(join(tmpdir(), 'pptpd-ts-native-'));
  readonly program = join(this.folder, 'bin/pptpd-ts');

  constructor(t: TestContext) {
    t.after(() => rmSync(this.folder, { recursive: true }));
    for (const path of ['bin', 'package.json', 'scripts/setup', 'dist/src', 'node_modules/raw-socket']) {
      cpSync(path, join(this.folder, path), { recursive: true });
    }
    for (const name of readdirSync('node_modules')) {
      if (name !== 'raw-socket' && !name.startsWith('.')) {
        symlinkSync(resolve('node_modules', name), join(this.folder, 'node_modules', name));
      }
    }
  }

  /** Writes a native part that another Node.js would have: the version of its binary interface is 1. */
  breakRawSocket(): void {
    const source = join(this.folder, 'raw.c');
    writeFileSync(
      source,
      `extern void node_module_register(void *);
       static void init(void) {}
       static struct { int version; unsigned flags; void *handle; const char *file; void *init, *context; const char *name; void *private, *link; }
         module = { 1, 0, 0, "raw.c", (void *)init, 0, "raw", 0, 0 };
       __attribute__((constructor)) static void begin(void) { node_module_register(&module); }`,
    );
    const addon = join(this.folder, 'node_modules/raw-socket/build/Release/raw.node');
    // Not in place: a process that has loaded the old file would crash.
    rmSync(addon);
    const { status, stderr } = spawnSync('cc', ['-shared', '-fPIC', '-o', addon, source], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  }

  remove(name: string): void {
    rmSync(join(this.folder, 'node_modules', name), { recursive: true });
  }

  /** What a command prints, and its exit code. */
  run(command: string, server: Server): { readonly status: number | null; readonly said: string } {
    const { status, stdout, stderr } = spawnSync(this.program, [command, '-c', server.configurationFile], {
      encoding: 'utf8',
    });
    return { status, said: stdout + stderr };
  }

  get remedy(): string {
    return `run ${join(this.folder, 'scripts/setup')}`;
  }
}

const PROBLEM = `the native module raw-socket does not load: it was built for a Node.js other than ${process.version}, or for another architecture`;

test('doctor and serve report the cause with its remedy, and nothing else', (t) => {
  const installation = new Installation(t);
  installation.breakRawSocket();
  const server = new Server(false, installation.program);
  t.after(() => server.cleanUp());
  server.configure();
  const doctor = installation.run('doctor', server);
  assert.equal(doctor.status, 1);
  assert.deepEqual(
    doctor.said.split('\n').filter((line) => line.startsWith('FAIL')),
    [`FAIL  native modules: ${PROBLEM}; remedy: ${installation.remedy}`],
  );
  const serve = installation.run('serve', server);
  assert.deepEqual([serve.status, serve.said], [1, `pptpd-ts: ${PROBLEM}; remedy: ${installation.remedy}\n`]);
});

for (const name of NATIVE_MODULES) {
  test(`without ${name} doctor and serve say so in one sentence`, (t) => {
    const installation = new Installation(t);
    installation.remove(name);
    const server = new Server(false, installation.program);
    t.after(() => server.cleanUp());
    server.configure();
    const missing = `the native module ${name} is missing(, or was not built)?; remedy: ${installation.remedy}\n`;
    const doctor = installation.run('doctor', server);
    assert.equal(doctor.status, 1);
    assert.match(doctor.said, new RegExp(`^FAIL {2}native modules: ${missing}`, 'm'));
    const serve = installation.run('serve', server);
    assert.equal(serve.status, 1);
    assert.match(serve.said, new RegExp(`^pptpd-ts: ${missing}$`));
  });
}

test('a user that cannot read the program is named', (t) => {
  const installation = new Installation(t);
  chmodSync(installation.folder, 0o700);
  const server = new Server(false, installation.program);
  t.after(() => server.cleanUp());
  server.configure({ user: 'nobody' });
  const program = join(installation.folder, 'dist/src/bundle/manager.js');
  assert.deepEqual(installation.run('serve', server), {
    status: 1,
    said: `pptpd-ts: nobody cannot read ${program}; remedy: move the program to a folder that everybody can read, such as /opt/pptpd-ts\n`,
  });
});

test('a manager whose Node.js was replaced logs why new workers do not start', async (t) => {
  const installation = new Installation(t);
  const server = new Server(false, installation.program);
  server.configure();
  endWith(t, server);
  server.start();
  await server.ready();
  await server.waitForSpareWorkers(1);
  installation.breakRawSocket();
  for (const pid of server.spareWorkers()) process.kill(pid, 'SIGKILL');
  const { msg } = await server.waitForLog('a worker that does not start', (line) =>
    /before it was ready/.test(line.msg),
  );
  assert.equal(
    msg,
    `a ctrl worker ended before it was ready: its native modules cannot be loaded, perhaps because Node.js was changed; remedy: ${installation.remedy}`,
  );
  assert.match(server.words, new RegExp(`^pptpd-ts: ctrl worker \\d+: ${PROBLEM}; ${installation.remedy}\n`));
});

test('an intact installation in the same folder passes', (t) => {
  const { program } = new Installation(t);
  const { stdout } = spawnSync(program, ['doctor', '-c', resolve('scripts/etc/pptpd-ts.json')], { encoding: 'utf8' });
  assert.match(stdout, /^ok {4}native modules: koffi, node-pty, raw-socket load$/m);
});
