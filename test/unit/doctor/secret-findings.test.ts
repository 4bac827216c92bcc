import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressList, addressNumber } from '../../../src/config/addresses.js';
import { examine, type SecretCause, type SecretsFile } from '../../../src/doctor/secret-findings.js';

const numbers = (ranges: string): number[] => addressList(ranges).map((address) => addressNumber(address) ?? 0);

const file = (text: string, more: Partial<SecretsFile> = {}): SecretsFile => ({
  path: '/etc/ppp/chap-secrets',
  text,
  engine: 'pppd',
  kind: 'chap',
  server: 'pptpd',
  pool: numbers('198.51.100.11-13'),
  local: numbers('198.51.100.1'),
  hasLogin: false,
  readSecret: (path) => ({ '/etc/full': 'x\n', '/etc/empty': '# nothing\n' })[path] ?? null,
  ...more,
});

/** A correct first line, so that the second one is examined alone. */
const FIRST = 'first pptpd hidden *\n';

const cases: [
  title: string,
  lines: string,
  cause: SecretCause,
  problem: RegExp,
  users: number,
  more?: Partial<SecretsFile>,
][] = [
  ['three columns', 'carol pptpd hidden\n', 'noAddress', /"carol" has no fourth column/, 1],
  ['three columns of any server', 'carol * hidden\n', 'noAddress', /"carol" has no fourth column/, 1],
  ['no column for the server', 'carol hidden *\n', 'noServer', /a column seems to be missing/, 1],
  ['two columns', 'carol pptpd\n', 'fewColumns', /it has two columns, and the server ignores it/, 1],
  ['# in a password', 'carol pptpd hid#den *\n', 'hash', /after an unquoted # as a comment/, 1],
  ['# before a password', 'carol pptpd #hidden *\n', 'hash', /after an unquoted # as a comment/, 1],
  [
    'an apostrophe',
    "o'brien pptpd hidden *\nd'arcy pptpd hidden *\n",
    'openQuote',
    /begins in line 2 ends in line 3/,
    1,
  ],
  ['a quote that does not end', 'carol pptpd "hidden *\nx\n', 'openQuote', /begins in line 2 ends in line 4/, 1],
  [
    'a backslash at the end of a line',
    'carol pptpd hidden\\\nbob pptpd hidden *\n',
    'joinedLine',
    /joins the next line/,
    2,
  ],
  [
    'a backslash after the last column',
    'carol pptpd hidden * \\\nbob pptpd hidden *\n',
    'joinedLine',
    /joins the next line/,
    2,
  ],
  ['a no-break space', 'carol\u00a0pptpd hidden *\n', 'otherSpace', /no-break space/, 1],
  ['another kind of comment', '; old: pptpd hidden *\n', 'notAComment', /only # begins a comment/, 1],
  [
    'a server name in capitals',
    'carol PPTPD hidden *\n',
    'serverCase',
    /belongs to the server "PPTPD", but this one is "pptpd"/,
    1,
  ],
  [
    'a name with characters beyond ASCII',
    'müller pptpd hidden *\n',
    'nameBeyondAscii',
    /"müller" cannot log in: .*"mM-CM-<ller"/,
    1,
  ],
  ['a domain', 'CORP\\user pptpd hidden *\n', 'backslashInName', /the server reads CORP\\user as "CORPuser"/, 2],
  [
    'a domain that becomes a backspace',
    'CORP\\bob pptpd hidden *\n',
    'backslashInName',
    /reads CORP\\bob as "CORP\^Hob"/,
    1,
  ],
  [
    'a backslash in a password',
    'carol pptpd hid\\den *\n',
    'backslashInSecret',
    /password of "carol" has a backslash/,
    2,
  ],
  [
    'a secret file that is missing',
    'carol pptpd @/etc/none *\n',
    'secretFile',
    /expected in \/etc\/none, which is missing or empty/,
    1,
  ],
  ['a secret file without a word', 'carol pptpd @/etc/empty *\n', 'secretFile', /expected in \/etc\/empty/, 1],
  ['a long password', `carol pptpd ${'hidden'.repeat(50)} *\n`, 'tooLong', /longer than 255 bytes/, 2],
  ['a second line for a user', 'first pptpd hidden2 *\n', 'neverUsed', /never uses it: line 1 applies to "first"/, 1],
  [
    'a line for any server after one for this server',
    'first * hidden *\n',
    'neverUsed',
    /line 1 applies to "first"/,
    1,
  ],
  ['typographic quotes', 'carol pptpd “hidden” *\n', 'typographicQuotes', /typographic quotes/, 2],
  [
    'a password with characters beyond ASCII',
    'carol pptpd hiddén *\n',
    'secretBeyondAscii',
    /password of "carol" has characters beyond ASCII/,
    2,
  ],
  ['an empty password', 'carol pptpd "" *\n', 'emptySecret', /the password of "carol" is empty/, 2],
  [
    'an empty password for PAP',
    '* pptpd "" *\n',
    'emptySecret',
    /"\*" can log in with any password/,
    2,
    { kind: 'pap' },
  ],
  [
    'addresses outside the pool',
    'carol pptpd hidden 10.0.0.0/8\n',
    'noneOfPool',
    /"carol" may only have 10\.0\.0\.0\/8, and addresses\.remote contains none of it/,
    1,
  ],
  ['an exclusion only', 'carol pptpd hidden !198.51.100.99\n', 'noneOfPool', /"carol" may only have !198/, 1],
  [
    'only a part of the pool',
    'carol pptpd hidden 198.51.100.12/31\n',
    'partOfPool',
    /"carol" may not have 1 of the 3 addresses/,
    2,
  ],
  [
    '0.0.0.0/0',
    'carol pptpd hidden 0.0.0.0/0\n',
    'notAnAddress',
    /column 4 of "carol" \(0\.0\.0\.0\/0\) is not an IP address/,
    1,
  ],
  [
    'a password whose second word is a number',
    'carol pptpd hidden 2024 *\n',
    'notAnAddress',
    /column 4 of "carol" is not an IP address of four numbers$/,
    2,
  ],
  [
    'an octal number',
    'carol pptpd hidden 198.51.100.011\n',
    'notAnAddress',
    /column 4 of "carol" \(198\.51\.100\.011\) has a number that begins with 0, which is octal: the server reads 198\.51\.100\.9/,
    2,
  ],
  [
    'a password of two words',
    'carol pptpd hidden hidden *\n',
    'notAnAddress',
    /column 4 of "carol" is not an IP address: the server looks for a host/,
    2,
  ],
  [
    'the server’s own address',
    'carol pptpd hidden 198.51.100.1\n',
    'ownAddress',
    /198\.51\.100\.1, which is the server's own/,
    2,
  ],
  [
    'no address although the accounts choose addresses',
    'carol pptpd hidden *\n',
    'noneOfPool',
    /"carol" gets no IP address: with addresses\.delegate/,
    0,
    { pool: null },
  ],
];

for (const [title, lines, cause, problem, users, more] of cases) {
  test(`${title}: ${cause}`, () => {
    const report = examine(file(more?.pool === null ? lines : FIRST + lines, more));
    assert.deepEqual(
      report.findings.map((finding) => finding.cause),
      [cause],
    );
    const [finding] = report.findings;
    assert.match(finding?.problem ?? '', problem);
    assert.equal(finding?.line, more?.pool === null ? 1 : 2);
    assert.equal(report.users, users);
    assert.doesNotMatch(JSON.stringify(report), /hid|2024/, 'no secret is said');
  });
}

const fine: [title: string, text: string, users: number, more?: Partial<SecretsFile>][] = [
  ['columns, quotes and comments', '# all\nalice pptpd "a # b" * # why\n\n"bob" * x 198.51.100.0/24\n', 2],
  ['DOS line ends', 'alice pptpd x *\r\n', 1],
  ['no line end', 'alice pptpd x *', 1],
  ['a line that is continued', 'alice pptpd x \\\n  198.51.100.77\n', 1],
  ['escaped quotes and backslashes', 'CORP\\\\alice pptpd a\\"b\\\\c\\ d *\n', 1],
  ['a secret in a file', 'alice pptpd @/etc/full *\n', 1],
  ['an address outside the pool', 'alice pptpd x 192.0.2.77\n', 1],
  ['a fixed address inside the pool', 'alice pptpd x 198.51.100.12\n', 1],
  ['options', 'alice pptpd x * -- mtu 1300\n', 1],
  ['lines of other servers', 'alice pptpd x *\nalice l2tpd other\nprovider isp x\n', 1],
  ['a user who is excluded', 'alice pptpd x *\nbob pptpd x -\n', 1],
  ['a byte order mark before a comment', '\ufeff# all\nalice pptpd x *\n', 1],
  ['addresses that the accounts choose', 'alice pptpd x 192.0.2.77\n', 1, { pool: null }],
  ['an empty PAP password with the option login', '* pptpd "" *\n', 1, { kind: 'pap', hasLogin: true }],
];
for (const [title, text, users, more] of fine) {
  test(`${title}: no finding`, () => {
    const report = examine(file(text, more));
    assert.deepEqual(report.findings, []);
    assert.equal(report.users, users);
  });
}

test('a byte order mark before the first name', () => {
  const { findings, users } = examine(file('\ufeffalice pptpd x *\nbob pptpd x *\n'));
  assert.deepEqual(
    findings.map(({ cause, line }) => [cause, line]),
    [['byteOrderMark', 1]],
  );
  assert.equal(users, 1);
});

for (const addresses of ['', '-', '!198.51.100.11']) {
  test(`the first user without an address ("${addresses}") locks out all users`, () => {
    const { findings, users } = examine(file(`carol pptpd x ${addresses}\nalice pptpd x *\n`));
    assert.equal(findings[0]?.cause, 'keepsEverybodyOut');
    assert.match(
      findings[0].problem,
      /"carol" may have no IP address and is the first user of this server: .*nobody can log in/,
    );
    assert.equal(users, 0);
  });
}

test('with the builtin engine such a user locks out nobody else', () => {
  const { findings, users } = examine(file('carol pptpd x -\nalice pptpd x *\n', { engine: 'builtin' }));
  assert.deepEqual(findings, []);
  assert.equal(users, 1);
});

test('a first user of any server without an address does not lock out others', () => {
  const { findings, users } = examine(file('carol * x\nalice pptpd x *\n'));
  assert.deepEqual(
    findings.map(({ cause }) => cause),
    ['noAddress'],
  );
  assert.equal(users, 1);
});

test('fixed addresses inside the pool, and one that two users have, are reported', () => {
  const report = examine(
    file(
      'alice pptpd x 198.51.100.12\nbob pptpd x 192.0.2.77\ncarol pptpd x 198.51.100.12/32\nbob pptpd y 192.0.2.77\n',
    ),
  );
  assert.deepEqual(report.fixedInPool, [
    { user: 'alice', address: '198.51.100.12' },
    { user: 'carol', address: '198.51.100.12' },
  ]);
  assert.deepEqual(
    report.findings.map(({ cause, line }) => [cause, line]),
    [
      ['sharedAddress', 3],
      ['neverUsed', 4],
    ],
  );
  assert.match(
    report.findings[0]?.problem ?? '',
    /"carol" and "alice" \(line 1\) have the same fixed address 198\.51\.100\.12/,
  );
});
