import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  assert as assertProperty,
  json,
  property,
  record,
  string,
  integer,
  option,
  array,
  constantFrom,
} from 'fast-check';
import { hashOf, type User } from '../../../src/users/user.js';
import { problemLines } from '../../../src/users/checked-json.js';
import { readUsers, writeUsers } from '../../../src/users/users-text.js';

const HASH = hashOf('wonderland');
const alice: User = { name: 'alice', ntHash: HASH };

/** The first problem of a file with this one account, after its place. */
function problemOf(fields: object): string {
  const read = readUsers(JSON.stringify({ accounts: [{ ...alice, ...fields }] }));
  assert(!read.ok, JSON.stringify(fields));
  return read.problems[0]?.text ?? '';
}

const right: object[] = [
  {},
  { password: 'wonderland' },
  { address: '192.0.2.1' },
  { expires: '2027-01-31' },
  { expires: '2024-02-29' },
  { expires: '2027-01-31T18:00Z' },
  { expires: '2027-01-31T18:00:30.5+01:00' },
  { expiresAfter: 86_400, firstLogin: '2026-11-28T12:00:00.000Z' },
  { speed: { up: 8000 } },
  { routes: [] },
  { routes: ['198.51.100.0/24', '203.0.113.7/32'] },
  { speed: { up: 5_000_000, down: 20_000_000 } },
  { sessions: 0, sessionTime: 0, idleTime: 0.5, note: '' },
  { name: 'Jürgen Groß', disabled: false },
];

const wrong: [fields: object, problem: RegExp][] = [
  [{ name: '' }, /^accounts\[0\]\.name: "" is not allowed; allowed: 1 to 255 octets/],
  [{ name: 'ü'.repeat(128) }, /^accounts\[0\]\.name: /],
  [{ name: 'a\nb' }, /^accounts\[0\]\.name: /],
  [{ name: 7 }, /^accounts\[0\]\.name: 7 is not allowed/],
  [{ ntHash: HASH.toUpperCase() }, /^accounts\[0\]\.ntHash: .*allowed: 32 hexadecimal digits/],
  [{ ntHash: undefined }, /^accounts\[0\]\.ntHash: nothing is not allowed/],
  [{ password: 'looking glass' }, /^accounts\[0\]\.password: .*not the password of ntHash/],
  [{ address: '192.0.2.256' }, /^accounts\[0\]\.address: "192\.0\.2\.256" is not allowed; allowed: an IPv4 address/],
  [{ expires: '2027-02-30' }, /^accounts\[0\]\.expires: /],
  [{ expires: '2023-02-29' }, /^accounts\[0\]\.expires: /],
  [{ expires: '2027-01-31T18:00' }, /^accounts\[0\]\.expires: .*a time with its zone/],
  [{ expires: '31.1.2027' }, /^accounts\[0\]\.expires: /],
  [{ expires: 1_800_000_000 }, /^accounts\[0\]\.expires: /],
  [{ expiresAfter: 0 }, /^accounts\[0\]\.expiresAfter: 0 is not allowed; allowed: a whole number from 1/],
  [{ sessions: -1 }, /^accounts\[0\]\.sessions: -1 is not allowed; allowed: a whole number from 0 to 65535/],
  [{ sessions: 1.5 }, /^accounts\[0\]\.sessions: /],
  [{ sessionTime: 3_000_000 }, /^accounts\[0\]\.sessionTime: /],
  [{ speed: 5_000_000 }, /^accounts\[0\]\.speed: 5000000 is not allowed; allowed: an object with up, down/],
  [{ speed: { up: 5 } }, /^accounts\[0\]\.speed\.up: 5 is not allowed; allowed: a whole number from 8000/],
  [{ speed: { left: 8000 } }, /^accounts\[0\]\.speed\.left: unknown key/],
  [{ routes: '198.51.100.0/24' }, /^accounts\[0\]\.routes: /],
  [{ routes: ['198.51.100.1/24'] }, /^accounts\[0\]\.routes\[0\]: .*a network without host bits/],
  [{ routes: ['0.0.0.0/0'] }, /^accounts\[0\]\.routes\[0\]: /],
  [{ disabled: 'yes' }, /^accounts\[0\]\.disabled: "yes" is not allowed; allowed: true or false/],
  [{ disable: true }, /^accounts\[0\]\.disable: unknown key; did you mean accounts\[0\]\.disabled\?/],
  [{ note: 'x'.repeat(1001) }, /^accounts\[0\]\.note: /],
];

describe('an account', () => {
  for (const fields of right)
    test(`is right with ${JSON.stringify(fields)}`, () => {
      const read = readUsers(writeUsers([{ ...alice, ...fields }]));
      assert.deepEqual(read, { ok: true, users: [{ ...alice, ...fields }] });
    });
  for (const [fields, problem] of wrong)
    test(`is wrong with ${JSON.stringify(fields).slice(0, 60)}`, () => assert.match(problemOf(fields), problem));
});

describe('a file', () => {
  const texts: [text: string, line: number, problem: RegExp][] = [
    ['', 1, /empty/],
    ['  \n', 1, /empty/],
    ['{"accounts": [}', 1, /not JSON, column 15/],
    ['{\n  "accounts": [\n    {"name": "alice",}\n  ]\n}', 3, /a ',' before '}'/],
    ['[]', 1, /an object with accounts/],
    ['{}', 1, /accounts: nothing is not allowed/],
    ['{"accounts": {}}', 1, /accounts/],
    ['{"accounts": [], "version": 2}', 1, /version: unknown key/],
    [`{"accounts": [{"name": "a", "name": "b"}]}`, 1, /duplicate key "name"/],
  ];
  for (const [text, line, problem] of texts)
    test(JSON.stringify(text), () => {
      const read = readUsers(text);
      assert(!read.ok);
      assert.equal(read.problems[0]?.line, line);
      assert.match(read.problems[0]?.text ?? '', problem);
    });

  test('names the line of each mistake, also of what is missing', () => {
    const text = writeUsers([alice, { ...alice, name: 'bob', sessions: -1 }, alice]).replace(
      `"ntHash": "${HASH}",\n      "sessions"`,
      '"sessions"',
    );
    const read = readUsers(text);
    assert(!read.ok);
    assert.deepEqual(problemLines('F', read.problems), [
      'F:7: accounts[1].ntHash: nothing is not allowed; allowed: 32 hexadecimal digits in lower case, which `pptpd-ts users passwd NAME` writes',
      'F:9: accounts[1].sessions: -1 is not allowed; allowed: a whole number from 0 to 65535',
    ]);
  });

  test('has each name once', () => {
    const read = readUsers(writeUsers([alice, { ...alice, note: 'again' }]));
    assert(!read.ok);
    assert.deepEqual(problemLines('F', read.problems), [
      'F:8: accounts[1].name: "alice" is not allowed (an earlier account has it); allowed: a name that no other account has',
    ]);
  });

  test('no problem shows a hash or a password', () => {
    for (const secret of ['looking glass', 'DEADBEEF', 12_345_678]) {
      for (const field of ['ntHash', 'password']) {
        const text = problemOf({ [field]: secret });
        assert(!text.includes(String(secret)), text);
      }
    }
  });

  test('any JSON: accounts or problems, never an exception', () => {
    assertProperty(
      property(json(), json(), (one, other) => {
        readUsers(one);
        readUsers(`{"accounts": [${one}, {"name": ${other}, "note": ${one}}]}`);
      }),
    );
  });

  test('what is written is read', () => {
    const user = record({
      name: string({ minLength: 1, maxLength: 50, unit: constantFrom('a', 'ß', '"', '\\', ' ', '*', '#', '𝄞') }),
      ntHash: constantFrom(HASH),
      sessions: option(integer({ min: 0, max: 65_535 }), { nil: undefined }),
      note: option(string({ maxLength: 100 }), { nil: undefined }),
    });
    assertProperty(
      property(array(user), (found) => {
        const users = found.filter(({ name }, index) => found.findIndex((each) => each.name === name) === index);
        const plain = JSON.parse(JSON.stringify(users)) as User[];
        assert.deepEqual(readUsers(writeUsers(plain)), { ok: true, users: plain });
      }),
    );
  });
});

test('a problem quotes nothing that may be a password', () => {
  for (const text of [
    '{"accounts": [{"name": "alice", "password": hunter2}]}',
    '{"accounts": [{"name": "alice", "password": "x"hunter2"}]}',
    '{"accounts": [{"name": "alice", "hunter2"}]}',
  ]) {
    const read = readUsers(text);
    assert(!read.ok);
    assert.match(read.problems[0]?.text ?? '', /^not JSON, column \d+: expected/);
    assert.doesNotMatch(JSON.stringify(read.problems), /hunter2/);
  }
});
