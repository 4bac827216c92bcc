import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HANDOFF_VERSION, isHandoff } from '../../../src/session/handoff.js';

test('only type and version of a handoff are checked', () => {
  assert.equal(isHandoff({ type: 'handoff', v: HANDOFF_VERSION }), true);
  const others = [
    { type: 'handoff', v: HANDOFF_VERSION + 1 },
    { type: 'handoff' },
    { type: 'report', v: HANDOFF_VERSION },
    { v: HANDOFF_VERSION },
    {},
    null,
    undefined,
    'handoff',
  ];
  for (const other of others) assert.equal(isHandoff(other), false, JSON.stringify(other));
});
