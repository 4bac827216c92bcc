import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { GuessLimits } from '../../../src/monitor/guess-limits.js';
import { PER_ACCOUNT, PER_CLIENT } from '../../../src/monitor/guesses.js';
import { StateFolder } from '../../../src/monitor/state-folder.js';
import { LogLines } from '../ctrl/log-lines.js';

function scene(t: TestContext): { folder: StateFolder; lines: LogLines; limits: GuessLimits } {
  const directory = mkdtempSync(join(tmpdir(), 'pptpd-ts-guesses-'));
  t.after(() => rmSync(directory, { recursive: true }));
  t.mock.timers.enable({ apis: ['setTimeout'] });
  t.mock.method(process, 'hrtime', () => [1000, 0]);
  const folder = new StateFolder(directory);
  const lines = new LogLines('info');
  return { folder, lines, limits: new GuessLimits(folder, lines.log) };
}

/** How many wrong passwords for the account `alice` come from addresses with this beginning until one is refused. */
function wrongFrom(limits: GuessLimits, addressOf: (number: number) => string, account = 'alice'): number {
  let number = 0;
  while (limits.take({ client: addressOf(number), account })) number += 1;
  return number;
}

test('one address has so many, for whatever account, and another one has its own', (t) => {
  const { limits, lines } = scene(t);
  assert.equal(
    wrongFrom(limits, () => '192.0.2.7'),
    PER_CLIENT.most,
  );
  assert.equal(limits.take({ client: '192.0.2.7', account: 'bob' }), false);
  assert.equal(limits.take({ client: '192.0.2.8', account: 'alice' }), true);
  assert.match(lines.all.map(({ msg }) => msg).join('\n'), /^refused logins .* the client address 192\.0\.2\.7; 100 /);
});

test('an account has so many from all addresses, whatever case its name is written in', (t) => {
  const { limits, lines } = scene(t);
  const everywhere = (number: number): string => `192.0.2.${number}`;
  assert.equal(wrongFrom(limits, everywhere), PER_ACCOUNT.most);
  assert.equal(limits.take({ client: '198.51.100.1', account: 'ALICE' }), false);
  // The right password, and a refusal, cost nothing.
  for (let count = 0; count < 1000; count += 1) {
    assert.equal(limits.take({ client: '198.51.100.1', account: 'bob' }), true);
    limits.giveBack({ client: '198.51.100.1', account: 'bob' });
  }
  assert.match(lines.all.map(({ msg }) => msg).join('\n'), /^refused logins .* the account "alice"; 500 /);
});

test('the next monitor knows them', (t) => {
  const { folder, lines, limits } = scene(t);
  wrongFrom(limits, () => '192.0.2.7');
  t.mock.timers.tick(1000);
  const next = new GuessLimits(folder, lines.log);
  assert.equal(next.take({ client: '192.0.2.7', account: 'alice' }), false);
  assert.equal(next.take({ client: '192.0.2.8', account: 'alice' }), true);
});
