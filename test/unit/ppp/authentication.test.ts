import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHAP, counted, EAP, hex, Link, lcp, PAP } from './frames.js';

const E691 = 'E=691 R=1 C=9A3F5C0B1D2E4F60718293A4B5C6D7E8 V=3 M=Access denied';

test('a wrong MS-CHAPv2 password is error 691', () => {
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

test("the challenge's name is kept, and challenges and responses are counted", () => {
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

test('a repeated success and a new challenge after the login cause no event', () => {
  const link = new Link();
  link.login();
  assert.deepEqual(link.server(CHAP, 3, 7, 'S=00 M=again'), []);
  link.challenge(9);
  assert.deepEqual(link.respond('alice', 9), []);
  assert.equal(link.state.authentication.result, 'succeeded');
});

test('a success packet from the client is ignored', () => {
  const link = new Link();
  link.open();
  link.challenge();
  link.respond('alice');
  assert.deepEqual(link.client(CHAP, 3, 7, 'S=00 M=me'), []);
  assert.deepEqual(link.client(PAP, 2, 7), []);
  assert.deepEqual(link.client(EAP, 3, 7), []);
  assert.equal(link.state.authentication.result, 'pending');
});

test('with PAP the name and the answer are kept, but not the password', () => {
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

test('a CHAP-MD5 failure has the server’s text', () => {
  const link = new Link();
  link.open(lcp.chapMd5);
  link.challenge();
  link.respond('bob');
  link.server(CHAP, 4, 7, "I don't like you.  Go 'way.");
  assert.equal(link.state.authentication.protocol, 'CHAP-MD5');
  assert.equal(link.state.authentication.failure?.message, "I don't like you.  Go 'way.");
});

test('with EAP identity, method and result are kept', () => {
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

test('a refused EAP method is not a wrong password', () => {
  const link = new Link();
  link.open(lcp.eap);
  link.client(EAP, 2, 1, [1], 'carol');
  link.server(EAP, 1, 2, [13, 0x20]);
  link.client(EAP, 2, 2, [3, 26]);
  link.server(EAP, 4, 2);
  assert.equal(link.state.authentication.failure?.cause, 'the client refused EAP-TLS');
});

test('names are read as UTF-8 or else ISO 8859-1, made printable, and cut at 256 bytes', () => {
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

test('a PAP answer that is neither Ack nor Nak is ignored', () => {
  const link = new Link();
  link.open(lcp.pap);
  link.client(PAP, 1, 1, counted('bob'), counted('x'));
  assert.deepEqual(link.server(PAP, 4, 1, counted('what')), []);
  assert.equal(link.state.authentication.result, 'pending');
});

test('a password change makes the login pending again, only with the codes of MS-CHAPv1 and v2', () => {
  for (const [code, result] of [
    [4, 'failed'],
    [5, 'pending'],
    [6, 'pending'],
    [7, 'pending'],
    [8, 'failed'],
  ] as const) {
    const link = new Link();
    link.open();
    link.challenge();
    link.respond('alice');
    link.server(CHAP, 4, 7, 'E=648 R=0 C=00 V=3');
    assert.deepEqual(link.client(CHAP, code, 8, new Uint8Array(582)), []);
    assert.equal(link.state.authentication.result, result, `code ${code}`);
  }
});

test('a challenge whose value overruns it is malformed', () => {
  const link = new Link();
  link.open();
  assert.deepEqual(link.server(CHAP, 1, 7, [200], 'pptpd'), []);
  const { challenges, serverName } = link.state.authentication;
  assert.deepEqual([link.state.malformed, challenges, serverName], [1, 0, null]);
});

const methods: [type: number, name: string][] = [
  [4, 'EAP-MD5'],
  [5, 'EAP-OTP'],
  [6, 'EAP-GTC'],
  [13, 'EAP-TLS'],
  [21, 'EAP-TTLS'],
  [25, 'EAP-PEAP'],
  [26, 'EAP-MS-CHAPv2'],
  [43, 'EAP-FAST'],
  [99, 'EAP-99'],
];
for (const [type, name] of methods) {
  test(`EAP method ${type} is ${name}`, () => {
    const link = new Link();
    link.open(lcp.eap);
    link.server(EAP, 1, 2, [type, 0]);
    assert.equal(link.state.authentication.method, name);
  });
}

test('EAP identity, notification and nak are not methods', () => {
  const link = new Link();
  link.open(lcp.eap);
  for (const type of [2, 1, 3]) link.server(EAP, 1, type, [type], `word ${type}`);
  const { method, challenges, message } = link.state.authentication;
  assert.deepEqual([method, challenges, message], [null, 3, 'word 2']);
});

test('an EAP packet without a type is malformed; one with another code is ignored', () => {
  const link = new Link();
  link.open(lcp.eap);
  assert.deepEqual(link.server(EAP, 1, 1), []);
  assert.equal(link.state.malformed, 1);
  assert.deepEqual(link.server(EAP, 5, 1), []);
  assert.equal(link.state.malformed, 1);
});

test('only EAP-MS-CHAPv2 contains MS-CHAP failures', () => {
  const link = new Link();
  link.open(lcp.eap);
  link.client(EAP, 2, 1, [1], 'carol');
  link.server(EAP, 1, 2, [13, 4, 7, 0, 70], 'E=647 R=0 C=00 V=3 M=disabled');
  link.server(EAP, 4, 2);
  assert.deepEqual(link.state.authentication.failure, {
    code: null,
    cause: 'login refused',
    message: null,
    retry: false,
  });
});

test('the failure of one EAP method does not apply to the next', () => {
  const link = new Link();
  link.open(lcp.eap);
  link.client(EAP, 2, 1, [1], 'carol');
  link.server(EAP, 1, 2, [26, 4, 7, 0, 70], 'E=647 R=0 C=00 V=3 M=disabled');
  link.server(EAP, 1, 3, [13, 0x20]);
  link.server(EAP, 4, 3);
  assert.equal(link.state.authentication.failure?.code, null);
});

test('packets from the wrong side are ignored', () => {
  const link = new Link();
  link.open(lcp.pap);
  assert.deepEqual(link.client(PAP, 4, 1, counted('bob'), counted('x')), []);
  assert.deepEqual(link.server(EAP, 2, 1, [1], 'mallory'), []);
  assert.deepEqual(link.client(EAP, 1, 1, [13, 0x20]), []);
  const { challenges, responses, method } = link.state.authentication;
  assert.deepEqual([link.state.user, challenges, responses, method], [null, 0, 0, null]);
});

test('a PAP request whose password overruns it is malformed', () => {
  const link = new Link();
  link.open(lcp.pap);
  assert.deepEqual(link.client(PAP, 1, 1, counted('bob'), [200], 'x'), []);
  assert.deepEqual([link.state.malformed, link.state.user], [1, null]);
});

test('a success inside EAP-MS-CHAPv2 is not a failure of the method', () => {
  const link = new Link();
  link.open(lcp.eap);
  link.client(EAP, 2, 1, [1], 'carol');
  link.server(EAP, 1, 2, [26, 3, 7, 0, 70], 'E=691 R=0 C=00 V=3 M=no');
  link.server(EAP, 4, 2);
  assert.equal(link.state.authentication.failure?.code, null);
});

test('a login whose LCP was not seen is recognized from its own packets', () => {
  const chap = new Link();
  chap.challenge();
  assert.deepEqual([chap.state.authentication.protocol, chap.state.authentication.result], ['CHAP', 'pending']);
  const pap = new Link();
  pap.client(PAP, 1, 1, counted('bob'), counted('x'));
  assert.deepEqual([pap.state.authentication.protocol, pap.state.authentication.result], ['PAP', 'pending']);
});

test('pppd’s text with a failure becomes the message of the login', () => {
  const link = new Link();
  link.open();
  link.challenge();
  link.respond('alice');
  link.server(CHAP, 4, 7, E691);
  assert.equal(link.state.authentication.message, 'Access denied');
});

test('a name is cut between characters, whatever their length', () => {
  const names: [sent: string, seen: string][] = [
    // The character ends exactly at the cut.
    [`${'x'.repeat(254)}üx`, `${'x'.repeat(254)}ü`],
    [`${'x'.repeat(253)}€x`, `${'x'.repeat(253)}€`],
    [`${'x'.repeat(252)}😀x`, `${'x'.repeat(252)}😀`],
    [`${'x'.repeat(254)}€`, 'x'.repeat(254)],
    [`${'x'.repeat(255)}€`, 'x'.repeat(255)],
    [`${'x'.repeat(253)}😀`, 'x'.repeat(253)],
    ['x'.repeat(256), 'x'.repeat(256)],
    [`${'x'.repeat(254)}ü`, `${'x'.repeat(254)}ü`],
  ];
  for (const [sent, seen] of names) {
    const link = new Link();
    link.open();
    link.challenge();
    link.respond(sent);
    assert.equal(link.state.user, seen);
  }
});
