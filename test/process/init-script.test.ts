/**
 * The init script with a stand-in for the server: the actions and exit codes of LSB, on which tools such as service,
 * update-rc.d and cluster managers rely.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { StandInConfiguration } from './support/stand-in-serve.js';
import { until } from './support/wait.js';

/** A copy is run, because another user may not be able to reach the original. */
const ORIGINAL = resolve('scripts/init.d/pptpd-ts');
const STAND_IN = resolve('dist/test/process/support/stand-in-serve.js');
const NOBODY = 65534;

const WRONG = { code: 2, sentence: 'limits.connections: -1 is not allowed' } as const;

interface Outcome {
  readonly code: number | null;
  readonly text: string;
}

/** The init script's files, in a folder of their own. */
class Installation {
  readonly directory = mkdtempSync(join(tmpdir(), 'pptpd-ts-init-'));
  readonly runDirectory = join(this.directory, 'run');
  readonly pidFile = join(this.runDirectory, 'manager.pid');
  readonly output = join(this.directory, 'pptpd-ts.log');
  readonly #script = join(this.directory, 'init-script');
  readonly #defaults = join(this.directory, 'defaults');
  readonly program = join(this.directory, 'pptpd-ts');
  readonly configuration = join(this.directory, 'pptpd-ts.json');
  readonly #started = new Set<number>();

  constructor() {
    chmodSync(this.directory, 0o755);
    mkdirSync(this.runDirectory);
    copyFileSync(ORIGINAL, this.#script);
    writeFileSync(this.program, `#!/bin/sh\nexec "${process.execPath}" "${STAND_IN}" "$@"\n`, { mode: 0o755 });
    this.configure({});
    this.setDefaults('');
  }

  configure(behaviour: Partial<StandInConfiguration>): void {
    writeFileSync(this.configuration, JSON.stringify({ pidFile: this.pidFile, ...behaviour }));
  }

  setDefaults(more: string): void {
    const { program, configuration, pidFile, output } = this;
    const lines = [`DAEMON=${program}`, `CONFIG=${configuration}`, `PIDFILE=${pidFile}`, `OUTPUT=${output}`, more];
    writeFileSync(this.#defaults, `${lines.join('\n')}\n`);
  }

  run(...action: string[]): Outcome {
    return this.#spawn(action, {});
  }

  runAsNobody(action: string): Outcome {
    return this.#spawn([action], { uid: NOBODY, gid: NOBODY });
  }

  #spawn(action: readonly string[], identity: { uid?: number; gid?: number }): Outcome {
    const environment = { PPTPD_TS_DEFAULTS: this.#defaults };
    const options = { env: environment, encoding: 'utf8', timeout: 60_000, ...identity } as const;
    const { status, stdout, stderr, error } = spawnSync(this.#script, action, options);
    if (error !== undefined) throw error;
    const pid = this.pid();
    if (pid !== undefined) this.#started.add(pid);
    return { code: status, text: stdout + stderr };
  }

  pid(): number | undefined {
    return existsSync(this.pidFile) ? Number(readFileSync(this.pidFile, 'utf8')) : undefined;
  }

  /** Waits until the server has printed this line. */
  async printed(line: string): Promise<void> {
    await until(`the server to print "${line}"`, () => readFileSync(this.output, 'utf8').split('\n').includes(line));
  }

  remove(): void {
    for (const pid of this.#started) {
      if (pid !== process.pid && isAlive(pid)) process.kill(pid, 'SIGKILL');
    }
    rmSync(this.directory, { recursive: true });
  }
}

/** Whether a process is running. A zombie is not. */
function isAlive(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8') !== '';
  } catch {
    return false;
  }
}

function assertOutcome(outcome: Outcome, code: number, text: RegExp): void {
  assert.equal(outcome.code, code, outcome.text);
  assert.match(outcome.text, text);
}

describe('init script', { skip: process.getuid?.() === 0 ? false : 'needs root, as init scripts do' }, () => {
  let installation: Installation;
  beforeEach(() => {
    installation = new Installation();
  });
  afterEach(() => installation.remove());

  test('start, status, stop', () => {
    assertOutcome(installation.run('status'), 3, /not running/);
    assertOutcome(installation.run('start'), 0, /started \(pid \d+\)/);
    const pid = installation.pid();
    assert.ok(pid !== undefined && isAlive(pid));
    assertOutcome(installation.run('status'), 0, new RegExp(`running \\(pid ${pid}\\)`));
    assertOutcome(installation.run('stop'), 0, /stopped/);
    assert.equal(isAlive(pid), false);
    assertOutcome(installation.run('status'), 3, /not running/);
  });

  test('start of a running server and stop of a stopped one succeed and change nothing', () => {
    assertOutcome(installation.run('stop'), 0, /not running/);
    installation.run('start');
    const pid = installation.pid();
    assertOutcome(installation.run('start'), 0, /already running/);
    assert.equal(installation.pid(), pid);
  });

  test('OPTIONS of the defaults file reach the server', async () => {
    installation.setDefaults('OPTIONS="--first --second=2"');
    installation.run('start');
    await installation.printed('options --first --second=2');
  });

  test('restart starts a stopped server, and replaces a running one without ending its sessions', async () => {
    assertOutcome(installation.run('restart'), 0, /started/);
    const first = installation.pid();
    assertOutcome(installation.run('restart'), 0, /started/);
    await installation.printed('QUIT');
    assert.ok(first !== undefined && !isAlive(first));
    assert.notEqual(installation.pid(), first);
  });

  test('try-restart leaves a stopped server stopped and replaces a running one', () => {
    assert.equal(installation.run('try-restart').code, 0);
    assert.equal(installation.pid(), undefined);
    installation.run('start');
    const first = installation.pid();
    assertOutcome(installation.run('try-restart'), 0, /started/);
    assert.notEqual(installation.pid(), first);
  });

  for (const action of ['reload', 'force-reload']) {
    test(`${action} has the manager read its configuration; 7 if no manager is running`, async () => {
      assertOutcome(installation.run(action), 7, /not running/);
      installation.run('start');
      const pid = installation.pid();
      assertOutcome(installation.run(action), 0, /configuration reloaded/);
      await installation.printed('reloaded');
      assert.equal(installation.pid(), pid);
    });

    test(`${action} with a wrong configuration is 6, prints the errors and changes nothing`, () => {
      installation.run('start');
      const pid = installation.pid();
      installation.configure({ refuse: WRONG });
      assertOutcome(
        installation.run(action),
        6,
        /not reloaded, the server keeps running unchanged:\nlimits\.connections: -1/,
      );
      assert.equal(installation.pid(), pid);
      assertOutcome(installation.run('status'), 0, /running/);
    });
  }

  for (const action of ['restart', 'try-restart']) {
    for (const [refuse, code] of [
      [WRONG, 6],
      [{ code: 1, sentence: 'FAIL  pppd: /nowhere/pppd is missing' }, 1],
    ] as const) {
      test(`${action} is ${code} if the new server would refuse to start, and the old one keeps running`, () => {
        installation.run('start');
        const pid = installation.pid();
        installation.configure({ refuse });
        const outcome = installation.run(action);
        assertOutcome(outcome, code, /not restarted, the server keeps running unchanged \(pid \d+\):\n/);
        assert.ok(outcome.text.includes(refuse.sentence), outcome.text);
        assert.ok(pid !== undefined && isAlive(pid));
        assert.equal(installation.pid(), pid);
        assert.doesNotMatch(readFileSync(installation.output, 'utf8'), /QUIT|TERM/);
      });
    }
  }

  test('restart of a stopped server with a wrong configuration is 6', () => {
    installation.configure({ refuse: WRONG });
    assertOutcome(installation.run('restart'), 6, /not started:\nlimits\.connections: -1/);
  });

  test('with a stale pid file status is 1, and no process is signalled', () => {
    writeFileSync(installation.pidFile, `${process.pid}\n`);
    assertOutcome(installation.run('status'), 1, /exists/);
    assertOutcome(installation.run('reload'), 7, /not running/);
    // A wrong check would end this process.
    assertOutcome(installation.run('stop'), 0, /not running/);
    for (const content of ['', 'nonsense\n', '4194305\n']) {
      writeFileSync(installation.pidFile, content);
      assertOutcome(installation.run('status'), 1, /exists/);
    }
    assertOutcome(installation.run('start'), 0, /started/);
  });

  test('start with a wrong configuration is 6, and prints the server’s errors but no older output', () => {
    writeFileSync(installation.output, 'a line of yesterday\n');
    installation.configure({ refuse: WRONG });
    const outcome = installation.run('start');
    assertOutcome(outcome, 6, /limits\.connections: -1 is not allowed/);
    assert.doesNotMatch(outcome.text, /yesterday/);
  });

  test('start of a server that cannot work is 1, and prints its error', () => {
    installation.configure({ refuse: { code: 1, sentence: 'port 1723 is taken by pid 7' } });
    assertOutcome(installation.run('start'), 1, /exit code 1[^]*port 1723 is taken/);
    assertOutcome(installation.run('status'), 3, /not running/);
  });

  test('a server that never becomes ready is ended, and start fails', async () => {
    installation.setDefaults('START_SECONDS=2');
    installation.configure({ neverReady: true });
    assertOutcome(installation.run('start'), 1, /did not become ready in 2 s/);
    await installation.printed('TERM');
  });

  test('a manager that does not end in time is not killed, and stop fails', () => {
    installation.setDefaults('STOP_SECONDS=1');
    installation.configure({ deaf: true });
    installation.run('start');
    const pid = installation.pid();
    assertOutcome(installation.run('stop'), 1, /still running 1 s after TERM/);
    assert.ok(pid !== undefined && isAlive(pid));
    assertOutcome(installation.run('restart'), 1, /still running/);
  });

  test('not installed is 5, not configured is 6', () => {
    rmSync(installation.configuration);
    assertOutcome(installation.run('start'), 6, /configuration .* does not exist or cannot be read/);
    rmSync(installation.program);
    assertOutcome(installation.run('start'), 5, /is not installed/);
  });

  test('stop works although the program was removed', () => {
    installation.run('start');
    rmSync(installation.program);
    assertOutcome(installation.run('stop'), 0, /stopped/);
  });

  test('anything other than one known action is 2', () => {
    for (const action of [[], ['sing'], ['start', 'stop'], ['']]) {
      assertOutcome(installation.run(...action), 2, /Usage: /);
    }
  });

  test('without root every action except status is 4', () => {
    for (const action of ['start', 'stop', 'restart', 'try-restart', 'reload', 'force-reload']) {
      assertOutcome(installation.runAsNobody(action), 4, /needs root/);
    }
    assertOutcome(installation.runAsNobody('status'), 3, /not running/);
    installation.run('start');
    assertOutcome(installation.runAsNobody('status'), 0, /running/);
    chmodSync(installation.runDirectory, 0o750);
    assertOutcome(installation.runAsNobody('status'), 4, /only root can read/);
  });

  test('stop reports sessions that continue without a manager', async () => {
    mkdirSync(join(installation.runDirectory, 'sessions'));
    const session = createServer().listen(join(installation.runDirectory, 'sessions', 'abc123.sock'));
    await once(session, 'listening');
    assertOutcome(installation.run('stop'), 0, /1 sessions continue without a manager/);
    session.close();
  });
});
