/** Checks the systemd unit by systemd's own tools. The lab's scenario `systemd` runs it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';

const ORIGINAL = 'scripts/systemd/pptpd-ts.service';
const NAME = 'pptpd-ts.service';
/** The first version that checks a unit that is not installed. */
const OLDEST_SYSTEMD = 250;
/**
 * Tenths; the maximum is 10. What pppd needs (root by its set-uid bit, interfaces, the network) makes 3.7, sockets of the
 * kernel's PPTP driver 0.2 more. systemd cannot see that the server itself gives up root and all capabilities except one; the
 * process tests show that.
 */
const EXPOSURE_LIMIT = 39;

const version = Number(
  /^systemd (\d+)/.exec(spawnSync('systemd-analyze', ['--version'], { encoding: 'utf8' }).stdout)?.[1],
);
const reason = version >= OLDEST_SYSTEMD ? false : `needs systemd-analyze ${OLDEST_SYSTEMD} or newer`;

/** Runs systemd-analyze on a copy of the unit whose program exists. */
function analyze(command: string, ...options: readonly string[]): { status: number | null; text: string } {
  const directory = mkdtempSync(join(tmpdir(), 'pptpd-ts-unit-'));
  try {
    const file = join(directory, NAME);
    writeFileSync(file, readFileSync(ORIGINAL, 'utf8').replaceAll('/usr/local/sbin/pptpd-ts', process.execPath));
    const { status, stdout, stderr } = spawnSync('systemd-analyze', [command, ...options, file], { encoding: 'utf8' });
    return { status, text: stdout + stderr };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe('systemd unit', { skip: reason }, () => {
  test('systemd understands every line', () => {
    // Other units of this machine may have errors of their own.
    const complaints = analyze('verify', '--man=no').text.split('\n');
    assert.deepEqual(
      complaints.filter((line) => line.includes(NAME)),
      [],
    );
  });

  test(`it is exposed no more than ${EXPOSURE_LIMIT / 10} of 10`, () => {
    const { status, text } = analyze('security', '--offline=true', `--threshold=${EXPOSURE_LIMIT}`);
    assert.match(text, /Overall exposure level/);
    assert.equal(status, 0, text);
  });
});
