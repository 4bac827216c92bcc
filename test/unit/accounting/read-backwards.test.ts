import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { recordsFromEnd } from '../../../src/accounting/read-backwards.js';

const line = (session: string, detail: string | null = null): string =>
  `${JSON.stringify({
    record: 'ended',
    session,
    host: 'vpn',
    user: 'grün',
    authenticated: true,
    client: '192.0.2.7',
    server: '192.0.2.1',
    tunnel: { local: null, remote: null },
    start: '2026-11-23T10:00:00.000Z',
    end: '2026-11-23T10:01:00.000Z',
    seconds: 60,
    rxPackets: 1,
    rxBytes: 1,
    txPackets: 1,
    txBytes: 1,
    encryption: null,
    reason: 'kicked',
    detail,
    cause: null,
  })}\n`;

function fileWith(t: TestContext, now: string, before?: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'pptpd-ts-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'accounting.jsonl');
  writeFileSync(file, now);
  if (before !== undefined) writeFileSync(`${file}.1`, before);
  return file;
}

async function sessionsOf(file: string, octets = Number.MAX_SAFE_INTEGER): Promise<string[]> {
  const found: string[] = [];
  for await (const { session } of recordsFromEnd(file, octets)) found.push(session);
  return found;
}

const ids = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => String(from + index).padStart(6, '0'));

test('the newest record is first, over many blocks and into the rotated file', async (t) => {
  const [old, recent] = [ids(0, 700), ids(700, 1500)];
  // Lines of different lengths, so that blocks end anywhere, also inside a character.
  const text = (of: readonly string[]): string => of.map((id, index) => line(id, 'ü'.repeat(index % 190))).join('');
  const file = fileWith(t, text(recent), text(old));
  assert.deepEqual(await sessionsOf(file), [...old, ...recent].toReversed());
});

test('what is no record is skipped: cut lines, empty ones, and one longer than a block', async (t) => {
  const cut = line('000001').slice(0, 40);
  const file = fileWith(
    t,
    `${line('000000')}${cut}${line('000002')}\n\n${'x'.repeat(200_000)}\n${line('000003')}${cut}`,
  );
  assert.deepEqual(await sessionsOf(file), ['000003', '000002', '000000']);
});

test('no more is read than was asked for, and a file that is missing or empty has no records', async (t) => {
  const file = fileWith(
    t,
    ids(0, 1000)
      .map((id) => line(id))
      .join(''),
    line('rotate'),
  );
  const some = await sessionsOf(file, 10_000);
  assert.ok(some.length > 10 && some.length < 40, String(some.length));
  assert.equal(some[0], '000999');
  assert.deepEqual(await sessionsOf(fileWith(t, '')), []);
  assert.deepEqual(await sessionsOf('/nonexistent/accounting.jsonl'), []);
});
