/** Changes of a secrets file: the entry is as meant, and everything else as it was, for any file. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { array, assert as assertProperty, constantFrom, oneof, property, string, tuple } from 'fast-check';
import { entriesOfBytes, entryFor, visible } from '../../../src/accounts/chap-secrets.js';
import {
  addUser,
  disableUser,
  DISABLED,
  type Edited,
  enableUser,
  removeUser,
  setAddress,
  setPassword,
  usersIn,
} from '../../../src/accounts/chap-secrets-edit.js';
import { bytesOf } from '../../../src/accounts/pppd-words.js';

const SERVER = 'pptpd';

const done = (edited: Edited): string => {
  assert(edited.ok, JSON.stringify(edited));
  return edited.bytes;
};

const FILE = `# users of the office
alice\tpptpd  "a long password"   *   # since 2019
bob * builder 192.0.2.7
  carol other secret *
* * common *

"two words" pptpd pass -- mtu 1400`;

describe('one user of a file', () => {
  const edits: [what: string, edited: Edited, expected: string][] = [
    [
      'add',
      addUser(FILE, { name: 'dave', server: SERVER, password: 'p#w"d', address: '192.0.2.9' }),
      `${FILE}\ndave pptpd "p#w\\"d" 192.0.2.9\n`,
    ],
    ['password', setPassword(FILE, 'alice', SERVER, 'short'), FILE.replace('"a long password"', 'short')],
    ['password of another server', setPassword(FILE, 'bob', SERVER, 'x y'), FILE.replace('builder', '"x y"')],
    ['address', setAddress(FILE, 'alice', SERVER, '192.0.2.8'), FILE.replace('  *   #', '  192.0.2.8   #')],
    ['no address', setAddress(FILE, 'bob', SERVER, null), FILE.replace('192.0.2.7', '*')],
    ['address before options', setAddress(FILE, 'two words', SERVER, null), FILE.replace('pass --', 'pass * --')],
    ['remove', removeUser(FILE, 'bob', SERVER), FILE.replace('bob * builder 192.0.2.7\n', '')],
    ['disable', disableUser(FILE, 'bob', SERVER), FILE.replace('bob', `${DISABLED}bob`)],
  ];
  for (const [what, edited, expected] of edits) test(what, () => assert.equal(done(edited), expected));

  test('disabled, changed and enabled again', () => {
    const disabled = done(disableUser(FILE, 'alice', SERVER));
    assert.equal(entryFor(entriesOfBytes(disabled), 'alice', SERVER)?.secret?.bytes, 'common');
    assert.deepEqual(
      usersIn(disabled, SERVER).map(({ name, isDisabled, line }) => [name, isDisabled, line]),
      [
        ['alice', true, 2],
        ['bob', false, 3],
        ['two words', false, 7],
      ],
    );
    assert.equal(done(enableUser(disabled, 'alice', SERVER)), FILE);
    const changed = done(setPassword(disabled, 'alice', SERVER, 'new'));
    assert.equal(done(enableUser(changed, 'alice', SERVER)), FILE.replace('"a long password"', 'new'));
    assert.equal(done(removeUser(disabled, 'alice', SERVER)), FILE.replace(/alice.*\n/, ''));
  });

  test('every entry of the name', () => {
    const file = 'bob * one *\nbob pptpd two *\nbob other three *\n';
    assert.equal(done(setPassword(file, 'bob', SERVER, 'new')), 'bob * new *\nbob pptpd new *\nbob other three *\n');
    assert.equal(done(removeUser(file, 'bob', SERVER)), 'bob other three *\n');
  });

  test('a name of other letters, as pppd writes it', () => {
    const added = done(addUser('', { name: 'jürgen', server: '*', password: 'grün', address: null }));
    const [entry] = entriesOfBytes(added);
    assert.equal(entry?.client.bytes, visible(bytesOf('jürgen')));
    assert.equal(entry?.secret?.bytes, bytesOf('grün'));
    assert.equal(done(removeUser(added, 'jürgen', SERVER)), '');
  });
});

describe('what is refused', () => {
  const refusals: [what: string, edited: Edited, fault: object][] = [
    ['an unknown name', removeUser(FILE, 'mallory', SERVER), { kind: 'unknown' }],
    ['a name of another server', setPassword(FILE, 'carol', SERVER, 'x'), { kind: 'unknown' }],
    ['the wild card', removeUser(FILE, '*', SERVER), { kind: 'unknown' }],
    ['a name twice', addUser(FILE, { name: 'bob', server: SERVER, password: 'x', address: null }), { kind: 'known' }],
    [
      'the name *',
      addUser('', { name: '*', server: SERVER, password: 'x', address: null }),
      { kind: 'value', field: 'name', reason: 'pppd takes it for every client' },
    ],
    [
      'a password that names a file',
      setPassword(FILE, 'bob', SERVER, '@/etc/shadow'),
      { kind: 'value', field: 'password', reason: 'pppd would take it for the name of a file with the password' },
    ],
    [
      'a password of several lines',
      setPassword(FILE, 'bob', SERVER, 'a\nb'),
      { kind: 'value', field: 'password', reason: 'it has control characters' },
    ],
    ['an entry of several lines', removeUser('alice * x \\\n*\n', 'alice', SERVER), { kind: 'lines', line: 1 }],
    [
      'an open quote before the end',
      addUser('bob * "x *\n', { name: 'alice', server: SERVER, password: 'x', address: null }),
      { kind: 'lines', line: 2 },
    ],
    [
      'an empty word and a backslash at the end',
      addUser('""\\', { name: 'alice', server: SERVER, password: 'x', address: null }),
      { kind: 'lines', line: 1 },
    ],
  ];
  for (const [what, edited, fault] of refusals) test(what, () => assert.deepEqual(edited, { ok: false, fault }));
});

/** Lines as people write them, and as nobody should. */
const piece = oneof(
  constantFrom(
    'alice * secret *',
    'alice pptpd "an other" 192.0.2.7 # note',
    "bob\tpptpd\t'x y' *",
    'bob other z *',
    '# a comment',
    '#pptpd-ts-disabled alice * old *',
    '',
    '   ',
    '* * common *',
    'alice * joined \\',
    'carol pptpd',
    'dave * "open',
    'a\u00fc\u00ff * \u00e9 *',
    'alice * @/etc/secret *',
    'x#y * z *',
    '"two\\" words" * z !192.0.2.1 * -- mtu 1400',
  ),
  string({ maxLength: 20, unit: constantFrom(...Array.from('alice* "\'\\#-!@/\t\u00fc')) }),
);
const file = tuple(array(piece, { maxLength: 8 }), constantFrom('', '\n', '\r\n')).map(
  ([lines, end]) => lines.join('\n') + end,
);
const name = constantFrom('alice', 'bob', 'dave', 'x', 'two" words');
const word = oneof(
  constantFrom('secret', 'a b', '"', "'", '\\', '#', '--', '-', '!x', '*', 'grün', '@x', '"open', 'end\\'),
  string({ minLength: 1, maxLength: 12, unit: constantFrom(...Array.from('ab "\'\\#*-@/ü')) }),
);

/** Entries of clients but one, as pppd reads them. */
const others = (bytes: string, but: string): unknown =>
  entriesOfBytes(bytes)
    .filter(({ client }) => client.bytes !== visible(bytesOf(but)))
    .map(({ client, server, secret, addresses }) =>
      [client, server, secret, ...addresses].map((each) => each?.bytes ?? null),
    );
const inForce = (bytes: string, whose: string) =>
  entriesOfBytes(bytes).filter(
    ({ client, server, secret }) =>
      client.bytes === visible(bytesOf(whose)) &&
      secret !== null &&
      (server?.bytes === '*' || server?.bytes === SERVER),
  );
/** Whether `part` can be had from `whole` by leaving lines out. */
function isPartOf(part: string, whole: string): boolean {
  const lines = whole.split('\n');
  return part.split('\n').every((line) => {
    const at = lines.indexOf(line);
    lines.splice(0, at + 1);
    return at >= 0;
  });
}

describe('any file, read by pppd’s rules before and after', () => {
  const holds = (check: (bytes: string, whose: string, value: string) => void): void =>
    assertProperty(property(file, name, word, check), { numRuns: 2000 });

  test('added: one entry more, with this password', () => {
    holds((bytes, whose, password) => {
      const edited = addUser(bytes, { name: whose, server: SERVER, password, address: null });
      if (!edited.ok) return;
      assert(edited.bytes.startsWith(bytes));
      assert.deepEqual(others(edited.bytes, whose), others(bytes, whose));
      assert.deepEqual(
        inForce(edited.bytes, whose).map(({ secret }) => secret?.bytes),
        [bytesOf(password)],
      );
      assert.deepEqual(removeUser(edited.bytes, whose, SERVER).ok, true);
    });
  });

  test('another password: nothing else changes', () => {
    holds((bytes, whose, password) => {
      const edited = setPassword(bytes, whose, SERVER, password);
      if (!edited.ok) return;
      assert.deepEqual(others(edited.bytes, whose), others(bytes, whose));
      for (const { secret } of inForce(edited.bytes, whose)) assert.equal(secret?.bytes, bytesOf(password));
      assert.equal(inForce(edited.bytes, whose).length, inForce(bytes, whose).length);
    });
  });

  test('removed: only whole lines go', () => {
    holds((bytes, whose) => {
      const edited = removeUser(bytes, whose, SERVER);
      if (!edited.ok) return;
      assert.deepEqual(others(edited.bytes, whose), others(bytes, whose));
      assert.deepEqual(inForce(edited.bytes, whose), []);
      assert(edited.bytes === '' || isPartOf(edited.bytes, bytes));
    });
  });

  test('disabled and enabled: the same file', () => {
    holds((bytes, whose) => {
      const disabled = disableUser(bytes, whose, SERVER);
      if (!disabled.ok) return;
      assert.deepEqual(others(disabled.bytes, whose), others(bytes, whose));
      assert.deepEqual(inForce(disabled.bytes, whose), []);
      if (usersIn(bytes, SERVER).some(({ isDisabled }) => isDisabled)) return;
      const enabled = enableUser(disabled.bytes, whose, SERVER);
      assert.deepEqual(enabled, { ok: true, bytes });
    });
  });
});
