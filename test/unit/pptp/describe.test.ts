import assert from 'node:assert/strict';
import { describe as group, test } from 'node:test';
import * as fc from 'fast-check';
import {
  describe,
  describeError,
  describeResult,
  describeStopReason,
  LINE_LIMIT,
  printable,
} from '../../../src/pptp/index.js';
import { ALL_EXAMPLES, anyMessage, EXAMPLES } from './examples.js';

group('a message in the log', () => {
  test('an outgoing call and its reply', () => {
    assert.equal(
      describe(EXAMPLES.OutgoingCallRequest.message),
      'OutgoingCallRequest callId=4660 callSerialNumber=22136 minimumBps=300 bit/s maximumBps=100000000 bit/s ' +
        'bearerType=3 (analog, digital) framingType=2 (synchronous) receiveWindowSize=64 ' +
        'packetProcessingDelay=0.5 s phoneNumberLength=7 phoneNumber="5550123" subaddress="sub"',
    );
    assert.equal(
      describe({ ...EXAMPLES.OutgoingCallReply.message, resultCode: 2 }),
      'OutgoingCallReply callId=43981 peerCallId=4660 resultCode=2 (general error) errorCode=6 (pac error) ' +
        'causeCode=34 connectSpeed=100000000 bit/s receiveWindowSize=50 packetProcessingDelay=1 s ' +
        'physicalChannelId=65538',
    );
  });

  test('version, capabilities and ACCM are readable', () => {
    assert.match(describe(EXAMPLES.StartControlConnectionRequest.message), /protocolVersion=1\.0 framingCapab/);
    assert.match(describe(EXAMPLES.StartControlConnectionRequest.message), /bearerCapabilities=2 \(digital\)/);
    assert.match(describe(EXAMPLES.SetLinkInfo.message), /sendAccm=0xffffffff receiveAccm=0x000a0000$/);
  });

  test('irrelevant fields are omitted', () => {
    assert.equal(
      describe({
        type: 'CallDisconnectNotify',
        callId: 7,
        resultCode: 1,
        errorCode: 0,
        causeCode: 0,
        callStatistics: '',
      }),
      'CallDisconnectNotify callId=7 resultCode=1 (lost carrier)',
    );
  });

  test('a code that the RFC does not define is shown as unknown', () => {
    assert.equal(
      describe({ type: 'StopControlConnectionRequest', reason: 9 }),
      'StopControlConnectionRequest reason=9 (unknown)',
    );
  });

  test('every example shows its type first and each of its fields that is not 0', () => {
    for (const { message } of ALL_EXAMPLES) {
      const line = describe(message);
      assert.ok(line.startsWith(message.type));
      for (const [name, value] of Object.entries(message)) {
        if (name !== 'type' && value !== 0) assert.ok(line.includes(` ${name}=`), `${name} is missing: ${line}`);
      }
    }
  });

  test('any message becomes one line of printable ASCII of bounded length', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        const line = describe(message);
        assert.match(line, /^[ -~]+$/);
        assert.ok(line.length <= LINE_LIMIT, line);
      }),
    );
  });

  test('a host name cannot forge another field or another line', () => {
    const line = describe({
      ...EXAMPLES.StartControlConnectionRequest.message,
      hostName: 'x" vendorName="evil"\n\x1b[2J',
    });
    assert.ok(
      line.includes('hostName="x\\x22 vendorName=\\x22evil\\x22\\x0a\\x1b[2J" vendorName="Example Vendor"'),
      line,
    );
  });
});

group('a string of a peer', () => {
  test('leaves printable ASCII unchanged', () => assert.equal(printable('VPN client #1 ~'), 'VPN client #1 ~'));
  test('ends at NUL', () => assert.equal(printable('seen\0unseen'), 'seen'));
  test('escapes backslashes, so that an escape cannot be forged', () => assert.equal(printable('\\x41'), '\\x5cx41'));
  test('escapes characters above Latin-1 as a whole', () => assert.equal(printable('\u{1F600}'), '\\u{1f600}'));
  test('cuts long strings', () => assert.match(printable('a'.repeat(500)), /^a{157}\.\.\.$/));
});

group('codes in words', () => {
  // §2.2, §2.4, §2.6, §2.8, §2.10, §2.13, §2.16 and §2.3, in the order of the codes.
  for (const [type, words] of [
    [
      'StartControlConnectionReply',
      ['established', 'general error', 'already exists', 'not authorized', 'version not supported'],
    ],
    ['StopControlConnectionReply', ['closed', 'general error']],
    ['EchoReply', ['valid', 'general error']],
    [
      'OutgoingCallReply',
      ['connected', 'general error', 'no carrier', 'busy', 'no dial tone', 'timed out', 'do not accept'],
    ],
    ['IncomingCallReply', ['connect', 'general error', 'do not accept']],
    ['CallDisconnectNotify', ['lost carrier', 'general error', 'administrative shutdown', 'requested']],
  ] as const) {
    test(`results of ${type}`, () => {
      assert.deepEqual(
        words.map((_, index) => describeResult(type, index + 1)),
        words,
      );
      assert.equal(describeResult(type, 0), 'unknown');
      assert.equal(describeResult(type, words.length + 1), 'unknown');
    });
  }

  test('a message without result codes', () => assert.equal(describeResult('EchoRequest', 1), 'unknown'));

  test('general errors', () => {
    assert.deepEqual(
      [0, 1, 2, 3, 4, 5, 6, 7].map((code) => describeError(code)),
      ['none', 'not connected', 'bad format', 'bad value', 'no resource', 'bad call id', 'pac error', 'unknown'],
    );
  });

  test('stop reasons', () => {
    assert.deepEqual(
      [0, 1, 2, 3, 4].map((code) => describeStopReason(code)),
      ['unknown', 'none', 'protocol not supported', 'local shutdown', 'unknown'],
    );
  });
});
