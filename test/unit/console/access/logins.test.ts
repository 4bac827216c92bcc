/** The console's cookies: random, known only by their hash, over after 12 hours or an hour without use. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { isCsrfToken, Logins } from '../../../../src/console/access/logins.js';

const HOUR = 3_600_000;
const alice = { name: 'alice', role: 'admin', password: 'stored' } as const;

test('a login is found by its secret, and by nothing else', () => {
  const logins = new Logins(randomBytes);
  const secret = logins.add(alice, 0);
  assert.equal(logins.find(secret, 1)?.name, 'alice');
  fc.assert(fc.property(fc.string(), (text) => text === secret || logins.find(text, 1) === null));
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: secret.length - 1 }),
      fc.constantFrom('A', 'b', '0', '-', '_'),
      (at, letter) => {
        const other = `${secret.slice(0, at)}${letter}${secret.slice(at + 1)}`;
        return other === secret || logins.find(other, 1) === null;
      },
    ),
  );
});

test('secrets of 256 bits, of which no two are equal, and none is the CSRF token', () => {
  const logins = new Logins(randomBytes);
  const all = Array.from({ length: 15 }, () => logins.add(alice, 0));
  for (const secret of all) assert.equal(Buffer.from(secret, 'base64url').length, 32);
  const tokens = all.map((secret) => logins.find(secret, 0)?.csrf ?? '');
  assert.equal(new Set([...all, ...tokens]).size, 30);
});

test('over after an hour without use, and after twelve hours with it', () => {
  const logins = new Logins(randomBytes);
  const secret = logins.add(alice, 0);
  for (let now = 0; now < 12 * HOUR; now += HOUR - 1) {
    const login = logins.find(secret, now);
    assert(login !== null, String(now));
    login.lastUsed = now;
  }
  assert.equal(logins.find(secret, 12 * HOUR), null);
  const idle = logins.add(alice, 20 * HOUR);
  assert.notEqual(logins.find(idle, 21 * HOUR - 1), null);
  assert.equal(logins.find(idle, 21 * HOUR), null);
});

test('an ended login is unknown', () => {
  const logins = new Logins(randomBytes);
  const [first, second] = [logins.add(alice, 0), logins.add(alice, 0)];
  const login = logins.find(first, 0);
  assert(login !== null);
  logins.end(login);
  assert.equal(logins.find(first, 0), null);
  assert.equal(logins.has(login, 0), false);
  assert.notEqual(logins.find(second, 0), null);
});

test('a user has at most 20 logins and all have 1000: the oldest go', () => {
  const logins = new Logins(randomBytes);
  const [first, ...rest] = Array.from({ length: 21 }, () => logins.add(alice, 0));
  assert.equal(logins.find(first ?? '', 0), null);
  assert(rest.every((secret) => logins.find(secret, 0) !== null));
  for (let index = 0; index < 2000; index += 1) logins.add({ ...alice, name: `u${index}` }, 0);
  assert.equal(logins.size, 1000);
});

test('the CSRF token of the same login, whole, and no other', () => {
  const logins = new Logins(randomBytes);
  const [one, two] = [logins.add(alice, 0), logins.add(alice, 0)].map((secret) => logins.find(secret, 0));
  assert(one != null && two != null);
  assert(isCsrfToken(one, one.csrf));
  assert(!isCsrfToken(one, two.csrf));
  fc.assert(fc.property(fc.string(), (text) => !isCsrfToken(one, text)));
  fc.assert(fc.property(fc.integer({ min: 0, max: 42 }), (length) => !isCsrfToken(one, one.csrf.slice(0, length))));
});
