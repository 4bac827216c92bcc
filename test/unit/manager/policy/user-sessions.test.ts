import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserSessions } from '../../../../src/manager/policy/user-sessions.js';

const deny = { sessionsPerUser: 1, whenExceeded: 'deny' } as const;
const replace = { sessionsPerUser: 2, whenExceeded: 'replace' } as const;

test('without a limit no session must end', () => {
  const users = new UserSessions();
  for (const session of ['a', 'b', 'c'])
    assert.deepEqual(users.login(session, 'alice', { sessionsPerUser: 0, whenExceeded: 'deny' }), []);
});

test('deny: the new session must end, and does not count', () => {
  const users = new UserSessions();
  assert.deepEqual(users.login('a', 'alice', deny), []);
  assert.deepEqual(users.login('b', 'alice', deny), ['b']);
  assert.deepEqual(users.login('c', 'bob', deny), []);
  users.remove('a');
  assert.deepEqual(users.login('d', 'alice', deny), []);
});

test('replace: the oldest session must end', () => {
  const users = new UserSessions();
  for (const session of ['a', 'b']) assert.deepEqual(users.login(session, 'alice', replace), []);
  assert.deepEqual(users.login('c', 'alice', replace), ['a']);
  assert.deepEqual(users.login('d', 'alice', replace), ['b']);
});

test('sessions of an earlier manager count, but are not checked themselves', () => {
  const users = new UserSessions();
  for (const session of ['a', 'b', 'c']) users.add(session, 'alice');
  assert.deepEqual(users.login('d', 'alice', replace), ['a', 'b']);
});

test('a session that logs in again is counted once', () => {
  const users = new UserSessions();
  for (let time = 0; time < 3; time += 1) assert.deepEqual(users.login('a', 'alice', deny), []);
  assert.deepEqual(users.login('a', 'bob', deny), []);
  assert.deepEqual(users.login('b', 'alice', deny), []);
});
