import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SessionRow } from '../../../../src/console/api/schemas.js';
import { clicked, COLUMNS, found, ordered } from '../../../../src/console/page/model/session-rows.js';
import { sessions } from '../../../console/generated.js';

const NOW = Date.UTC(2026, 10, 28);
const rows = sessions(60, NOW);
const [first] = rows;
const row = (fields: Partial<SessionRow>): SessionRow => ({ ...(first as SessionRow), ...fields });

describe('order of the sessions', () => {
  test('addresses are ordered as numbers, none last', () => {
    const mixed = [
      row({ id: 'a', address: '198.51.100.10' }),
      row({ id: 'b', address: null }),
      row({ id: 'c', address: '198.51.100.9' }),
    ];
    assert.deepEqual(
      ordered(mixed, { column: 'address', descending: false }).map(({ id }) => id),
      ['c', 'a', 'b'],
    );
  });

  test('names without regard to case', () => {
    const mixed = ['bob', 'Alice', null, 'carol'].map((user, index) => row({ id: String(index), user }));
    assert.deepEqual(
      ordered(mixed, { column: 'user', descending: false }).map(({ user }) => user),
      ['Alice', 'bob', 'carol', null],
    );
  });

  for (const column of COLUMNS) {
    test(`${column}: nothing is lost, and the order does not depend on the order before`, () => {
      const order = { column, descending: true };
      const sorted = ordered(rows, order);
      assert.equal(new Set(sorted.map(({ id }) => id)).size, rows.length);
      assert.deepEqual(ordered(rows.toReversed(), order), sorted);
    });
  }

  test('a second click turns the order, another column has its own', () => {
    const down = clicked({ column: 'user', descending: false }, 'down');
    assert.deepEqual(down, { column: 'down', descending: true });
    assert.deepEqual(clicked(down, 'down'), { column: 'down', descending: false });
  });
});

describe('search', () => {
  const some = [
    row({ id: 'aaaaa1', user: 'Alice', client: '192.0.2.7', address: '198.51.100.3' }),
    row({ id: 'bbbbb2', user: null, client: '192.0.2.70', address: null }),
  ];
  const searches: readonly [string, string[]][] = [
    ['', ['aaaaa1', 'bbbbb2']],
    ['ALICE', ['aaaaa1']],
    ['192.0.2.7', ['aaaaa1', 'bbbbb2']],
    ['alice 198.51', ['aaaaa1']],
    ['bbbbb2', ['bbbbb2']],
    ['alice bob', []],
    ['[.*', []],
  ];
  for (const [search, ids] of searches) {
    test(JSON.stringify(search), () =>
      assert.deepEqual(
        found(some, search).map(({ id }) => id),
        ids,
      ),
    );
  }
});
