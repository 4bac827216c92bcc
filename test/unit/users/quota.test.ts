/** Periods of a quota, and how what was used is counted, whatever the machine's clock does. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hindranceOf } from '../../../src/users/expiry.js';
import { periodAt, periodEnd, usedOf } from '../../../src/users/quota.js';
import { count, noUsage, parseUsage, usageFileOf, usedBy, writeUsage } from '../../../src/users/usage-file.js';

const local = (...date: readonly [number, number, number, ...number[]]): number => new Date(...date).getTime();
const NOON = local(2026, 10, 28, 12);
const MONTH = { octets: 1000, per: 'month' } as const;
const of = (call: string, octets: number) => ({ call, name: 'alice', octets });

describe('periods, by the local calendar', () => {
  test('their names', () => {
    assert.deepEqual(
      [periodAt('day', NOON), periodAt('month', NOON), periodAt('total', NOON)],
      ['2026-11-28', '2026-11', 'total'],
    );
    assert.equal(periodAt('day', local(2027, 0, 5)), '2027-01-05');
  });

  const ends: [per: 'day' | 'month', now: number, end: number][] = [
    ['day', NOON, local(2026, 10, 29)],
    ['day', local(2026, 11, 31, 23, 59), local(2027, 0, 1)],
    ['day', local(2028, 1, 28, 12), local(2028, 1, 29)],
    ['month', local(2026, 0, 31, 12), local(2026, 1, 1)],
    ['month', local(2028, 1, 29, 12), local(2028, 2, 1)],
    ['month', local(2026, 11, 1), local(2027, 0, 1)],
  ];
  for (const [per, now, end] of ends)
    test(`the ${per} at ${new Date(now).toISOString()} lasts until the millisecond before its end`, () => {
      assert.equal(periodEnd(per, now), end);
      assert.equal(periodAt(per, end - 1), periodAt(per, now));
      assert.notEqual(periodAt(per, end), periodAt(per, now));
    });

  test('in total there is none', () => assert.equal(periodEnd('total', NOON), null));
});

describe('counting', () => {
  test('what a call has carried since it was counted last, once', () => {
    const usage = noUsage();
    for (const octets of [100, 100, 250]) count(usage, of('a', octets), NOON);
    assert.deepEqual([...usedBy(usage, 'alice').values()], [250, 250, 250]);
  });

  test('two sessions of one account', () => {
    const usage = noUsage();
    for (const [call, octets] of [
      ['a', 400],
      ['b', 300],
      ['a', 600],
    ] as const)
      count(usage, of(call, octets), NOON);
    assert.equal(usedOf(MONTH, usedBy(usage, 'alice'), NOON), 900);
    assert.equal(hindranceOf({ quota: MONTH }, NOON, usedBy(usage, 'alice')), null);
    count(usage, of('b', 400), NOON);
    assert.equal(hindranceOf({ quota: MONTH }, NOON, usedBy(usage, 'alice')), 'quota');
    assert.equal(hindranceOf({ quota: { ...MONTH, octets: 1001 } }, NOON, usedBy(usage, 'alice')), null, 'raised');
    assert.equal(usedBy(usage, 'bob').size, 0);
  });

  test('a call that goes on into the next month counts there from then on', () => {
    const usage = noUsage();
    const [last, first] = [local(2026, 10, 30, 23, 59), local(2026, 11, 1)];
    count(usage, of('a', 1000), last);
    assert.equal(hindranceOf({ quota: MONTH }, last, usedBy(usage, 'alice')), 'quota');
    assert.equal(hindranceOf({ quota: MONTH }, first, usedBy(usage, 'alice')), null);
    count(usage, of('a', 1010), first);
    assert.equal(usedOf(MONTH, usedBy(usage, 'alice'), first), 10);
    assert.equal(usedBy(usage, 'alice').get('total'), 1010);
  });

  test('a clock that jumps ahead and back, or back and ahead, forgets nothing', () => {
    for (const elsewhere of [local(2038, 0, 19), local(1970, 0, 2)]) {
      const usage = noUsage();
      count(usage, of('a', 990), NOON);
      count(usage, of('a', 995), elsewhere);
      assert.equal(usedOf(MONTH, usedBy(usage, 'alice'), elsewhere), 5);
      count(usage, of('a', 1005), NOON);
      assert.equal(hindranceOf({ quota: MONTH }, NOON, usedBy(usage, 'alice')), 'quota');
      assert.equal(usedBy(usage, 'alice').get('total'), 1005);
    }
  });

  test('in years an account keeps a few periods, and its total', () => {
    const usage = noUsage();
    for (let day = 1; day <= 400; day += 1) count(usage, of('a', day), local(2026, 0, day));
    const used = usedBy(usage, 'alice');
    assert(used.size < 20);
    assert.deepEqual([used.get('total'), used.get('2027-02')], [400, 4]);
  });
});

describe('the usage file', () => {
  test('reads what it writes, whatever the names are', () => {
    const usage = noUsage();
    for (const name of ['alice', '__proto__', '12']) count(usage, { call: `c-${name}`, name, octets: 5 }, NOON);
    assert.deepEqual(parseUsage(writeUsage(usage)), usage);
  });

  for (const text of [
    '',
    '{',
    'null',
    '{"accounts":[]}',
    '{"accounts":[{"name":"a"}],"calls":{}}',
    '{"accounts":[],"calls":{"a":-1}}',
  ])
    test(`${JSON.stringify(text)} is none`, () => assert.equal(parseUsage(text), null));

  test('is beside the accounts file', () => {
    assert.equal(usageFileOf('/var/lib/pptpd-ts/accounts.json'), '/var/lib/pptpd-ts/accounts.usage.json');
    assert.equal(usageFileOf('/etc/users'), '/etc/users.usage.json');
  });
});
