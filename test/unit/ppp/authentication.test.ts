import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHAP, counted, EAP, hex, Link, lcp, PAP } from './frames.js';

const E691 = 'E=691 R=1 C=9A3F5C0B1D2E4F60718293A4B5C6D7E8 V=3 M=Access denied';

test('a wrong MS-CHAPv2 password is seen as E=691', () => {
  const link = new Link();
  link.open();
  link.challenge();
  link.respond('alice');
  assert.deepEqual(link.server(CHAP, 4, 7, E691), [
    {
      type: 'authenticationFailed',
      user: 'alice',
      protocol: 'MS-CHAPv2',
      code: 691,
      cause: 'authentication failure: wrong user name or password',
      message: 'Access denied',
      retry: true,
    },
  ]);
  assert.equal(link.state.phase, 'authenticate');
  assert.equal(link.state.authentication.result, 'failed');
});

const codes: [number, string][] = [
  [646, 'login not allowed at this hour'],
  [647, 'account disabled'],
  [648, 'password expired'],
  [649, 'no permission to dial in'],
  [709, 'error changing the password'],
  [12345, 'MS-CHAP error 12345'],
];
for (const [code, cause] of codes) {
  test(`MS-CHAP failure ${code} is "${cause}"`, () => {
    const link = new Link();
    link.open(lcp.msChapV1);
    link.challenge();
    link.respond('alice');
    link.server(CHAP, 4, 7, `E=${code} R=0 C=0123456789ABCDEF V=2`);
    assert.deepEqual(link.state.authentication.failure, { code, cause, message: null, retry: false });
    assert.equal(link.state.authentication.protocol, 'MS-CHAPv1');
  });
}

test('a retry that succeeds after E=691 R=1 clears the failure', () => {
  const link = new Link();
  link.open();
  link.challenge();
  link.respond('alice');
  link.server(CHAP, 4, 7, E691);
  link.respond('alice', 8);
  assert.equal(link.state.authentication.result, 'pending');
  link.server(CHAP, 3, 8, 'S=0011 M=Welcome');
  assert.equal(link.state.authentication.failure, null);
  assert.equal(link.state.authentication.message, 'Welcome');
  assert.deepEqual(link.types, ['linkOpened', 'userKnown', 'authenticationFailed', 'authenticated']);
});

test("the challenge's name, and how often each side has spoken, are counted", () => {
  const link = new Link();
  link.open();
  link.challenge();
  link.challenge();
  link.respond('alice');
  const { serverName, challenges, responses, result } = link.state.authentication;
  assert.deepEqual(
    { serverName, challenges, responses, result },
    {
      serverName: 'pptpd',
      challenges: 2,
      responses: 1,
      result: 'pending',
    },
  );
});

test('a repeated success and a new challenge on a link that is logged in make no event', () => {
  const link = new Link();
  link.login();
  assert.deepEqual(link.server(CHAP, 3, 7, 'S=00 M=again'), []);
  link.challenge(9);
  assert.deepEqual(link.respond('alice', 9), []);
  assert.equal(link.state.authentication.result, 'succeeded');
});

test('a success that the client sends itself counts for nothing', () => {
  const link = new Link();
  link.open();
  link.challenge();
  link.respond('alice');
  assert.deepEqual(link.client(CHAP, 3, 7, 'S=00 M=me'), []);
  assert.deepEqual(link.client(PAP, 2, 7), []);
  assert.deepEqual(link.client(EAP, 3, 7), []);
  assert.equal(link.state.authentication.result, 'pending');
});

test('PAP tells the name and the answer, and never keeps the password', () => {
  const link = new Link();
  link.open(lcp.pap);
  assert.deepEqual(link.client(PAP, 1, 1, counted('bob'), counted('s3cret-word')), [
    { type: 'userKnown', user: 'bob', protocol: 'PAP' },
  ]);
  assert.deepEqual(link.server(PAP, 3, 1, counted('Login incorrect')), [
    {
      type: 'authenticationFailed',
      user: 'bob',
      protocol: 'PAP',
      code: null,
      cause: 'login refused',
      message: 'Login incorrect',
      retry: false,
    },
  ]);
  link.client(PAP, 1, 2, counted('bob'), counted('s3cret-word'));
  assert.deepEqual(link.server(PAP, 2, 2), [{ type: 'authenticated', user: 'bob', protocol: 'PAP', message: null }]);
  assert.doesNotMatch(JSON.stringify(link.reader.state), /s3cret/);
});

test('CHAP-MD5 fails with the text of the server', () => {
  const link = new Link();
  link.open(lcp.chapMd5);
  link.challenge();
  link.respond('bob');
  link.server(CHAP, 4, 7, "I don't like you.  Go 'way.");
  assert.equal(link.state.authentication.protocol, 'CHAP-MD5');
  assert.equal(link.state.authentication.failure?.message, "I don't like you.  Go 'way.");
});

test('EAP tells identity, method and result', () => {
  const link = new Link();
  link.open(lcp.eap);
  link.server(EAP, 1, 1, [1]);
  assert.deepEqual(link.client(EAP, 2, 1, [1], 'carol@example.com'), [
    { type: 'userKnown', user: 'carol@example.com', protocol: 'EAP' },
  ]);
  link.server(EAP, 1, 2, [13, 0x20]);
  link.client(EAP, 2, 2, [13, 0x00]);
  assert.equal(link.state.authentication.method, 'EAP-TLS');
  assert.equal(link.server(EAP, 3, 3)[0]?.type, 'authenticated');
});

test('EAP-MS-CHAPv2 takes the failure code from the inner packet', () => {
  const link = new Link();
  link.open(lcp.eap);
  link.client(EAP, 2, 1, [1], 'carol');
  link.server(EAP, 1, 2, [26, 1, 7, 0, 26], counted(new Uint8Array(16)), 'pptpd');
  link.server(EAP, 1, 3, [26, 4, 7, 0, 70], 'E=647 R=0 C=00 V=3 M=disabled');
  link.client(EAP, 2, 3, [26, 4]);
  link.server(EAP, 4, 3);
  assert.equal(link.state.authentication.failure?.code, 647);
  assert.equal(link.state.authentication.method, 'EAP-MS-CHAPv2');
});

test('a client that refuses the EAP method is told apart from a wrong password', () => {
  const link = new Link();
  link.open(lcp.eap);
  link.client(EAP, 2, 1, [1], 'carol');
  link.server(EAP, 1, 2, [13, 0x20]);
  link.client(EAP, 2, 2, [3, 26]);
  link.server(EAP, 4, 2);
  assert.equal(link.state.authentication.failure?.cause, 'the client refused EAP-TLS');
});

test('names are UTF-8, else ISO 8859-1, printable and cut at 256 bytes', () => {
  const names: [sent: string | Uint8Array, seen: string][] = [
    ['CORP\\jürgen', 'CORP\\jürgen'],
    [hex('6dfc6c6c6572'), 'müller'],
    ['a\u001b[31m\nb', 'a\\x1b[31m\\x0ab'],
    ['a\u202eb', 'a\\u{202e}b'],
    ['x'.repeat(1000), 'x'.repeat(256)],
    [`${'x'.repeat(255)}ü`, 'x'.repeat(255)],
    ['', ''],
  ];
  for (const [sent, seen] of names) {
    const link = new Link();
    link.open();
    link.challenge();
    link.respond(sent);
    assert.equal(link.state.user, seen);
  }
});

test('a PAP request or CHAP response whose lengths overrun it is malformed', () => {
  const link = new Link();
  link.open();
  assert.deepEqual(link.client(PAP, 1, 1, [200], 'bob'), []);
  assert.deepEqual(link.client(CHAP, 2, 1, [200], 'bob'), []);
  assert.equal(link.state.malformed, 2);
  assert.equal(link.state.user, null);
});
