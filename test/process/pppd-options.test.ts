/**
 * Compares doctor's table of pppd's options that take a value with this machine's pppd. pppd checks its options before it
 * needs the kernel's PPP, so this works on any machine.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { WITH_VALUE } from '../../src/accounts/pppd-option-table.js';

const PPPD = '/usr/sbin/pppd';
const skip = existsSync(PPPD) ? false : 'there is no pppd here';

/** pppd's output for the option without a value. */
function alone(option: string): 'lacks its value' | 'unknown' | 'complete' {
  const { stdout, stderr } = spawnSync(PPPD, ['dryrun', 'notty', 'nodetach', option], { encoding: 'utf8' });
  const words = stdout + stderr;
  if (words.includes(`too few parameters for option ${option}`)) return 'lacks its value';
  return words.includes(`unrecognized option '${option}'`) ? 'unknown' : 'complete';
}

test('each option of the table that this pppd knows takes a value', { skip }, () => {
  const answers = [...WITH_VALUE].map((option) => ({ option, says: alone(option) }));
  assert.deepEqual(
    answers.filter(({ says }) => says === 'complete'),
    [],
  );
  assert.ok(answers.filter(({ says }) => says === 'lacks its value').length > 80, 'pppd was asked');
});

test('each option of this pppd that takes a value is in the table', { skip }, () => {
  // The program contains the names as strings; a short name may be the end of a longer one.
  const strings = new Set(readFileSync(PPPD, 'latin1').match(/(?<=\0)[+-]?[a-z][a-z0-9_-]{1,30}(?=\0)/g));
  const missing = [...strings].filter((word) => !WITH_VALUE.has(word) && alone(word) === 'lacks its value');
  assert.deepEqual(missing, []);
});
