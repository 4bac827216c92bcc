import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sparkline } from '../../../../src/console/page/model/sparkline.js';

const SHAPE = { width: 100, height: 22, slots: 11 };

describe('sparkline', () => {
  test('the newest value is at the right edge', () => {
    assert.equal(sparkline([0, 10], SHAPE, 10), 'M90.0 21.0L100.0 1.0');
  });

  test('nothing is drawn of fewer than two values', () => {
    assert.equal(sparkline([], SHAPE, 10), '');
    assert.equal(sparkline([5], SHAPE, 10), '');
  });

  test('nothing but zeros is a flat line', () => {
    assert.equal(sparkline([0, 0], SHAPE, 0), 'M90.0 21.0L100.0 21.0');
  });
});
