import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { routeOf, safeReturn } from '../../../../src/console/page/model/routes.js';

describe('addresses of the views', () => {
  test('every view', () => {
    for (const [path, view] of Object.entries({
      '/': 'overview',
      '/sessions': 'sessions',
      '/users/': 'users',
      '/server': 'server',
    })) {
      assert.deepEqual(routeOf(path), { view });
    }
    assert.deepEqual(routeOf('/sessions/1kzdpy'), { view: 'session', id: '1kzdpy' });
  });

  test('anything else is unknown', () => {
    for (const path of ['/nothing', '/sessions/../users', '/sessions/a/b', '/constructor', '/__proto__', '//', '']) {
      assert.deepEqual(routeOf(path), { view: 'unknown' }, path);
    }
  });

  test('after the login only paths of the console are gone to', () => {
    assert.equal(safeReturn('/sessions/1kzdpy'), '/sessions/1kzdpy');
    for (const path of [
      null,
      '',
      'https://example.net/',
      '//example.net/',
      'javascript:alert(1)',
      '/login',
      '/nothing',
    ]) {
      assert.equal(safeReturn(path), '/', String(path));
    }
  });
});
