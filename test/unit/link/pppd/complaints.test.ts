/** What pppd prints before it ends with exit code 1. The lines are those of the program itself (strings /usr/sbin/pppd, 2.4.9). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { complaintIn } from '../../../../src/link/pppd/complaints.js';

const PPPD = '/usr/sbin/pppd';

const LINES = [
  [
    'noSecret',
    'The remote system (alice) is required to authenticate itself\r\n',
    "but I couldn't find any suitable secret (password) for it to use to do so.",
  ],
  ['noAddressInSecrets', '', '(None of the available passwords would let it use an IP address.)'],
] as const;

for (const [complaint, before, line] of LINES) {
  for (const path of ['', `${PPPD}: `]) {
    test(`${complaint}, ${path === '' ? 'without' : 'with'} the program's path in front`, () => {
      assert.equal(complaintIn(`${before}${path}${line}\r\n`, PPPD), complaint);
      assert.equal(complaintIn(`  ${path}${line}`, PPPD), complaint);
    });
  }

  test(`${complaint}: another program's line, or a part of the line, is none`, () => {
    for (const words of [`/usr/bin/other: ${line}`, line.slice(0, -1), `${line} Again.`])
      assert.equal(complaintIn(words, PPPD), null, words);
  });
}

test('what is not known is none', () => {
  for (const words of ['', '\r\n', `${PPPD}: `, `${PPPD}: unrecognized option 'foo'`, 'constructor', '__proto__'])
    assert.equal(complaintIn(words, PPPD), null, words);
});

test('of both lines, as pppd prints them together, the more precise one stands', () => {
  const [[, before, noSecret], [noAddress, , line]] = LINES;
  assert.equal(complaintIn(`${PPPD}: ${before}${PPPD}: ${noSecret}\r\n${PPPD}: ${line}\r\n`, PPPD), noAddress);
});
