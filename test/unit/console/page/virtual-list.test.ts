import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assert as holds, integer, property, record } from 'fast-check';
import { sliceOf } from '../../../../src/console/page/model/virtual-list.js';

describe('rows of a long table that exist', () => {
  test('the first ones at the top', () => {
    assert.deepEqual(sliceOf({ rows: 1000, rowHeight: 40, scrolled: 0, height: 800 }), {
      begin: 0,
      end: 28,
      before: 0,
      after: 972 * 40,
    });
  });

  test('a list that begins below the top of the view', () => {
    assert.equal(sliceOf({ rows: 1000, rowHeight: 40, scrolled: -200, height: 800 }).begin, 0);
  });

  test('none of an empty list', () => {
    assert.deepEqual(sliceOf({ rows: 0, rowHeight: 40, scrolled: 400, height: 800 }), {
      begin: 0,
      end: 0,
      before: 0,
      after: 0,
    });
  });

  test('every row in view exists, few others do, and the height is that of all', () => {
    const view = record({
      rows: integer({ min: 1, max: 5000 }),
      rowHeight: integer({ min: 20, max: 80 }),
      scrolled: integer({ min: -1000, max: 400_000 }),
      height: integer({ min: 0, max: 3000 }),
    });
    holds(
      property(view, ({ rows, rowHeight, scrolled, height }) => {
        const { begin, end, before, after } = sliceOf({ rows, rowHeight, scrolled, height });
        assert.ok(begin >= 0 && begin <= end && end <= rows);
        assert.equal(before + (end - begin) * rowHeight + after, rows * rowHeight);
        assert.ok(end - begin <= Math.ceil(height / rowHeight) + 1 + 16, 'bounded');
        for (let row = 0; row < rows; row += 1) {
          const top = row * rowHeight - Math.max(0, scrolled);
          if (top + rowHeight > 0 && top < height) assert.ok(row >= begin && row < end, `row ${row} is in view`);
        }
      }),
      { numRuns: 200 },
    );
  });
});
