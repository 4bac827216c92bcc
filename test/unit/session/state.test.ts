/** The state of a session that a worker of another version sends. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sessionState } from '../../../src/session/state.js';
import { aStateUp } from './a-state.js';

test('a worker that knows nothing of other engines sends neither link nor interface', () => {
  const { link: _link, interface: _interface, ...older } = aStateUp();
  assert.deepEqual(sessionState.parse(older), { ...older, link: null, interface: null });
});

test('a link of a kind that only a newer version knows does not hide the rest', () => {
  assert.deepEqual(sessionState.parse({ ...aStateUp(), link: 'quantum' }), { ...aStateUp(), link: null });
});
