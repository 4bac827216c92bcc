/** What accounts have used, across monitors that die and files that cannot be written. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { AccountUsage, WRITE_MS } from '../../../src/monitor/account-usage.js';
import { forgetUsage, type Reading } from '../../../src/users/usage-file.js';
import { LogLines } from '../ctrl/log-lines.js';

function scene(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'pptpd-ts-usage-'));
  t.after(() => rmSync(folder, { recursive: true }));
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] });
  const { log, all: lines } = new LogLines('info');
  const [accounts, file] = [join(folder, 'accounts.json'), join(folder, 'accounts.usage.json')];
  const start = (readings: () => readonly Reading[] = () => []): AccountUsage => {
    const usage = new AccountUsage(log, readings);
    usage.use(accounts);
    return usage;
  };
  return { folder, file, accounts, start, lines };
}

const of = (call: string, octets: number): Reading => ({ call, name: 'alice', octets });
const total = (usage: AccountUsage): number => usage.used('alice').get('total') ?? 0;

test('the next monitor goes on counting: what lives counts once, what was not written is lost only with its interface', async (t) => {
  const { start, file } = scene(t);
  const first = start();
  first.count(of('a', 100));
  first.count(of('b', 50));
  await first.write();
  assert.equal(statSync(file).mode & 0o777, 0o600);
  first.count(of('a', 170));
  first.count(of('b', 60));
  assert.equal(total(first), 230);
  // It dies here, and so does b: a's interface still has its counters.
  const second = start();
  assert.equal(total(second), 150);
  second.count(of('a', 180));
  second.end(of('b', 0));
  assert.equal(total(second), 230);
});

test('all live calls are written at intervals', async (t) => {
  const { start } = scene(t);
  const usage = start(() => [of('a', 70)]);
  t.mock.timers.tick(WRITE_MS);
  await usage.write();
  assert.equal(total(start()), 70);
});

test('an ended call is written soon, and leaves the file with a later write', async (t) => {
  const { start, file } = scene(t);
  const usage = start();
  usage.count(of('a', 10));
  usage.end(of('a', 25));
  await usage.write();
  assert.equal(total(start()), 25);
  usage.count(of('b', 5));
  await usage.write();
  const { calls } = JSON.parse(readFileSync(file, 'utf8')) as { calls: object };
  assert.deepEqual(calls, { b: 5 });
  assert.equal(total(usage), 30);
});

test('a call whose interface is gone at its end counts as it was read last', async (t) => {
  const { start } = scene(t);
  const usage = start();
  usage.count(of('a', 60));
  usage.end(of('a', 0));
  await usage.write();
  assert.equal(total(start()), 60);
});

test('two monitors with the same accounts lose nothing of each other', async (t) => {
  const { start } = scene(t);
  const [one, other] = [start(), start()];
  one.count(of('a', 10));
  other.count(of('b', 20));
  await Promise.all([one.write(), other.write()]);
  assert.equal(total(start()), 30);
});

test('an account that was removed begins anew', async (t) => {
  const { start, file, accounts } = scene(t);
  const usage = start();
  usage.count(of('a', 10));
  await usage.write();
  await forgetUsage(file, 'alice');
  usage.use(accounts);
  assert.equal(total(usage), 0);
});

test('a file that cannot be written is logged once, and counts in full when it can be again', async (t) => {
  const { start, file, lines } = scene(t);
  const usage = start();
  mkdirSync(file);
  for (const octets of [10, 20]) {
    usage.count(of('a', octets));
    await usage.write();
  }
  assert.equal(lines.filter(({ msg }) => msg.startsWith('cannot write down what the accounts have used')).length, 1);
  assert.equal(total(usage), 20);
  rmSync(file, { recursive: true });
  await usage.write();
  assert.equal(total(start()), 20);
});

test('a damaged file: what the monitor knows counts', async (t) => {
  const { start, file, accounts, lines } = scene(t);
  const usage = start();
  usage.count(of('a', 10));
  await usage.write();
  writeFileSync(file, '{"accounts": [');
  usage.use(accounts);
  assert(lines.some(({ msg }) => msg.includes('is damaged')));
  usage.count(of('a', 15));
  await usage.write();
  assert.equal(total(start()), 15);
});
