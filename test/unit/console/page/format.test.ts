import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  amount,
  bitRate,
  counted,
  day,
  durationInput,
  inWords,
  moment,
  parseAmount,
  parseDuration,
} from '../../../../src/console/page/model/format.js';

describe('numbers and times of the page', () => {
  test('a rate that is not known is a dash', () => {
    assert.equal(bitRate(null), '–');
    assert.equal(bitRate(12_300_000), '12.3 Mbit/s');
  });

  test('nouns follow their number', () => {
    assert.equal(counted(1, 'session'), '1 session');
    assert.equal(counted(1234, 'session'), '1,234 sessions');
    assert.equal(counted(2, 'address', 'addresses'), '2 addresses');
  });

  test('a moment of today has its seconds, one of another day its day', () => {
    const now = new Date(2026, 10, 28, 15, 4, 5).getTime();
    assert.equal(moment(now, now), '15:04:05');
    assert.equal(moment(new Date(2026, 10, 27, 23, 59, 59).getTime(), now), '2026-11-27 23:59');
    assert.equal(day(now), '2026-11-28');
  });
});

describe('stable names in words', () => {
  const words = {
    greNotReceived: 'GRE not received',
    wrongPassword: 'Wrong password',
    kernelWithoutPpp: 'Kernel without PPP',
    pppdSilent: 'pppd silent',
    mtuBlackHole: 'MTU black hole',
    '': '',
    '<b>x</b>': '<b>x</b>',
  };
  for (const [name, text] of Object.entries(words)) test(JSON.stringify(name), () => assert.equal(inWords(name), text));
});

describe('amounts and durations as people write them', () => {
  const amounts: readonly [string, 1000 | 1024, number | null][] = [
    ['20M', 1000, 20_000_000],
    ['1.5G', 1000, 1_500_000_000],
    ['512k', 1000, 512_000],
    ['8000', 1000, 8000],
    ['50G', 1024, 50 * 2 ** 30],
    ['1 T', 1024, 2 ** 40],
    ['', 1000, null],
    ['-1', 1000, null],
    ['1e9', 1000, null],
    ['20 Mbit', 1000, null],
    ['Infinity', 1000, null],
  ];
  for (const [text, step, value] of amounts) {
    test(`${JSON.stringify(text)} in steps of ${step}`, () => assert.equal(parseAmount(text, step), value));
  }

  test('what is shown is read back as the same number', () => {
    for (const step of [1000, 1024] as const) {
      for (const value of [1, 999, 8000, 8192, 1_500_000, 20_000_000, 50 * 2 ** 30, 123_456_789, 2 ** 40]) {
        assert.equal(parseAmount(amount(value, step), step), value, amount(value, step));
      }
    }
    for (const seconds of [0, 1, 59, 60, 90, 3600, 5400, 86_400, 604_800]) {
      assert.equal(parseDuration(durationInput(seconds)), seconds, durationInput(seconds));
    }
  });

  test('the shortest form is shown', () => {
    assert.equal(amount(20_000_000, 1000), '20M');
    assert.equal(amount(1_500_000, 1000), '1.5M');
    assert.equal(durationInput(28_800), '8 h');
    assert.equal(durationInput(90), '90 s');
  });

  test('nonsense is no duration', () => {
    for (const text of ['', 'h', '1.5 h', '-3 s', '8 hours', '8h 5min']) assert.equal(parseDuration(text), null, text);
  });
});
