/** The control connection with a client in memory: RFC 2637 §3.1.3 as a table, keepalive, and the end in order. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { ControlConnection, type ControlEvent } from '../../../src/ctrl/control-connection.js';
import { PeerLog } from '../../../src/ctrl/peer-log.js';
import { Timers } from '../../../src/ctrl/timers.js';
import { type ControlMessage, encode, MESSAGE_TYPES, type MessageType } from '../../../src/pptp/index.js';
import type { Captured } from '../../../src/session/captures.js';
import { CLOSE_REASONS, type CloseReason } from '../../../src/session/close-reason.js';
import { EXAMPLES, lengthened, withU16 } from '../pptp/examples.js';
import { ClientSocket, settled } from './client-socket.js';
import { LogLines } from './log-lines.js';

const TIMEOUTS = { echoInterval: 60, echoReply: 20 };
/** Time for the client's Stop-Control-Connection-Reply, and then for taking what was sent last. */
const STOP_SECONDS = 2;
/** Time for a sign of life. */
const SIGN_SECONDS = 3;

const START = EXAMPLES.StartControlConnectionRequest.message;
const STOP: ControlMessage = { type: 'StopControlConnectionRequest', reason: 1 };
const STOP_REPLY: ControlMessage = { type: 'StopControlConnectionReply', resultCode: 1, errorCode: 0 };
const CALL = EXAMPLES.OutgoingCallRequest.message;
const echo = (identifier: number): ControlMessage => ({ type: 'EchoRequest', identifier });
const echoReply = (identifier: number): ControlMessage => ({
  type: 'EchoReply',
  identifier,
  resultCode: 1,
  errorCode: 0,
});
const startReply = (resultCode: number): ControlMessage => ({
  type: 'StartControlConnectionReply',
  protocolVersion: 0x0100,
  resultCode,
  errorCode: 0,
  framingCapabilities: 3,
  bearerCapabilities: 3,
  maximumChannels: 1,
  firmwareRevision: 0x0102,
  hostName: 'server.example',
  vendorName: 'pptpd-ts',
});
const NONSENSE = Buffer.from('GET / HTTP/1.1\r\n\r\n');
/** A message of a type that RFC 2637 does not define, with two octets after its header. */
const unknown = (code: number): Buffer =>
  Buffer.from([0, 14, 0, 1, 0x1a, 0x2b, 0x3c, 0x4d, code >> 8, code & 0xff, 0, 0, 1, 2]);

class Fixture {
  readonly client = new ClientSocket();
  readonly lines = new LogLines();
  readonly timers = new Timers();
  readonly events: ControlEvent[] = [];
  readonly connection: ControlConnection;
  readonly #t: TestContext;
  /** Closes the connection when it reports its end, as a session does. */
  closesAtEnd = true;
  isClosed = false;

  /** From here on only `pass` moves the clock. A second fixture of a test stops the timers of the first. */
  constructor(t: TestContext, timeouts = TIMEOUTS) {
    t.mock.timers.reset();
    t.mock.timers.enable({ apis: ['setTimeout'] });
    this.#t = t;
    this.connection = new ControlConnection({
      socket: this.client,
      timeouts,
      timers: this.timers,
      log: new PeerLog(this.lines.log, this.timers),
      hostName: 'server.example',
      firmwareRevision: 0x0102,
      onEvent: (event) => {
        this.events.push(event);
        if (event.type === 'ended' && this.closesAtEnd) this.close(event.end.reason);
      },
    });
  }

  /** A connection whose start request was answered. */
  static started(t: TestContext, timeouts = TIMEOUTS): Fixture {
    const fixture = new Fixture(t, timeouts);
    fixture.recv(START);
    fixture.client.received.length = 0;
    return fixture;
  }

  recv(...messages: readonly ControlMessage[]): void {
    for (const message of messages) this.connection.recvBytes(encode(message));
  }

  close(reason: CloseReason): void {
    void this.connection.close(reason).then(() => (this.isClosed = true));
  }

  pass(seconds: number): void {
    this.#t.mock.timers.tick(seconds * 1000);
  }

  get received(): ControlMessage[] {
    return this.client.received;
  }

  get receivedTypes(): MessageType[] {
    return this.received.map(({ type }) => type);
  }
}

/** The client is asked whether it is there. */
const ASKED: ControlEvent = { type: 'silent' };
const ended = (end: Extract<ControlEvent, { type: 'ended' }>['end']): ControlEvent => ({ type: 'ended', end });

describe('states', () => {
  type State = 'awaitStart' | 'established' | 'stopRequested' | 'silent' | 'lost' | 'awaitStopReply' | 'closed';

  /** The effect of a message. */
  interface Outcome {
    readonly sent: readonly ControlMessage[];
    readonly events: readonly ControlEvent[];
    /** How the warnings begin. */
    readonly warned: readonly string[];
    /** The server has closed its half of the connection. */
    readonly hasEnded: boolean;
  }

  const nothing: Outcome = { sent: [], events: [], warned: [], hasEnded: false };
  const sends = (...sent: ControlMessage[]): Outcome => ({ ...nothing, sent });
  const tells = (event: ControlEvent): Outcome => ({ ...nothing, events: [event] });
  const ignores = (state: State, type: MessageType): Outcome => ({
    ...nothing,
    warned: [`${type}: not expected in state ${state}; ignored (logged once)`],
  });
  const refuses = (_state: State, type: MessageType): Outcome =>
    tells(ended({ reason: 'protocolError', problem: `${type} before the start` }));

  type Row = Partial<Record<MessageType, Outcome>>;
  const ROWS: Readonly<Record<State, Row>> = {
    awaitStart: { StartControlConnectionRequest: sends(startReply(1)) },
    established: {
      StartControlConnectionRequest: sends(startReply(3)),
      StopControlConnectionRequest: tells(ended({ reason: 'clientStopped' })),
      EchoRequest: sends(echoReply(0x01020304)),
      EchoReply: nothing,
      OutgoingCallRequest: tells({ type: 'call', message: CALL }),
      IncomingCallRequest: sends({
        type: 'IncomingCallReply',
        callId: 0,
        peerCallId: 0x1111,
        resultCode: 3,
        errorCode: 0,
        receiveWindowSize: 0,
        packetTransmitDelay: 0,
      }),
      CallClearRequest: tells({ type: 'call', message: EXAMPLES.CallClearRequest.message }),
      WanErrorNotify: { ...nothing, warned: ['WanErrorNotify peerCallId='] },
      SetLinkInfo: tells({ type: 'call', message: EXAMPLES.SetLinkInfo.message }),
    },
    stopRequested: {},
    silent: {},
    lost: {},
    awaitStopReply: {
      StopControlConnectionRequest: { ...sends(STOP_REPLY), hasEnded: true },
      StopControlConnectionReply: { ...nothing, hasEnded: true },
      EchoRequest: sends(echoReply(0x01020304)),
      // Messages that crossed the server's stop request on the way.
      EchoReply: nothing,
      OutgoingCallRequest: nothing,
      CallClearRequest: nothing,
      WanErrorNotify: nothing,
      SetLinkInfo: nothing,
    },
    closed: {},
  };
  const OTHERS: Readonly<Record<State, (state: State, type: MessageType) => Outcome>> = {
    awaitStart: refuses,
    established: ignores,
    stopRequested: ignores,
    silent: ignores,
    lost: () => nothing,
    awaitStopReply: ignores,
    closed: () => ({ ...nothing, hasEnded: true }),
  };
  const REACH: Readonly<Record<State, (fixture: Fixture) => void>> = {
    awaitStart: () => undefined,
    established: (fixture) => fixture.recv(START),
    stopRequested: (fixture) => fixture.recv(START, STOP),
    silent: (fixture) => {
      fixture.recv(START);
      fixture.pass(TIMEOUTS.echoInterval);
      fixture.pass(TIMEOUTS.echoReply);
    },
    lost: (fixture) => fixture.connection.recvBytes(NONSENSE),
    awaitStopReply: (fixture) => {
      fixture.recv(START);
      fixture.close('kicked');
    },
    closed: (fixture) => {
      fixture.recv(START);
      fixture.close('connectionFailed');
    },
  };
  const STATES = Object.keys(ROWS) as readonly State[];
  const readsNothing = (state: State): boolean => state === 'lost' || state === 'closed';

  /** A connection in this state that its owner does not close; earlier messages, events and lines are dropped. */
  function reach(t: TestContext, state: State): Fixture {
    const fixture = new Fixture(t);
    fixture.closesAtEnd = false;
    REACH[state](fixture);
    fixture.client.received.length = 0;
    fixture.events.length = 0;
    fixture.lines.all.length = 0;
    return fixture;
  }

  function assertOutcome(fixture: Fixture, expected: Outcome): void {
    assert.deepEqual(fixture.received, expected.sent);
    assert.deepEqual(fixture.events, expected.events);
    assert.deepEqual(
      fixture.lines.at('warn').map((line, index) => line.slice(0, expected.warned[index]?.length)),
      expected.warned,
    );
    assert.equal(fixture.client.hasEnded, expected.hasEnded);
  }

  for (const state of STATES) {
    for (const type of MESSAGE_TYPES) {
      test(`${state}: ${type}`, (t) => {
        const fixture = reach(t, state);
        fixture.recv(EXAMPLES[type].message);
        assertOutcome(fixture, ROWS[state][type] ?? OTHERS[state](state, type));
        if (readsNothing(state)) assert.deepEqual(fixture.lines.all, [], 'nothing is read any more');
      });
    }

    test(`${state}: a message of an unknown type`, (t) => {
      const fixture = reach(t, state);
      fixture.connection.recvBytes(unknown(99));
      const hasEnded = state === 'closed';
      const warned = readsNothing(state) ? [] : ['unknown control message type 99: ignored (logged once)'];
      assertOutcome(fixture, { ...nothing, warned, hasEnded });
    });
  }

  /** When the connection is lost in a state: whether `ended` is emitted, and whether the server closes by itself. */
  const LOST: Readonly<Record<State, { readonly emitsEnded: boolean; readonly hasEnded: boolean }>> = {
    awaitStart: { emitsEnded: true, hasEnded: false },
    established: { emitsEnded: true, hasEnded: false },
    stopRequested: { emitsEnded: false, hasEnded: false },
    silent: { emitsEnded: false, hasEnded: false },
    lost: { emitsEnded: false, hasEnded: false },
    awaitStopReply: { emitsEnded: false, hasEnded: true },
    closed: { emitsEnded: false, hasEnded: true },
  };
  for (const state of STATES) {
    test(`${state}: bytes that are not PPTP`, (t) => {
      const fixture = reach(t, state);
      fixture.connection.recvBytes(NONSENSE);
      const problem = 'magic cookie 0x2f204854, not 0x1a2b3c4d';
      const events = LOST[state].emitsEnded ? [ended({ reason: 'protocolError', problem })] : [];
      assertOutcome(fixture, { ...nothing, events, hasEnded: LOST[state].hasEnded });
    });

    test(`${state}: the client closes its half`, async (t) => {
      const fixture = reach(t, state);
      fixture.client.sendEnd();
      await settled();
      const events = LOST[state].emitsEnded ? [ended({ reason: 'clientClosed' })] : [];
      assertOutcome(fixture, { ...nothing, events, hasEnded: true });
    });

    test(`${state}: the network breaks the connection`, async (t) => {
      const fixture = reach(t, state);
      fixture.client.fail('read ECONNRESET');
      await settled();
      const problem = 'read ECONNRESET';
      assert.deepEqual(fixture.events, LOST[state].emitsEnded ? [ended({ reason: 'connectionFailed', problem })] : []);
    });
  }
});

test('small messages are not held back by TCP', (t) => {
  assert.equal(new Fixture(t).client.hasNoDelay, true);
});

test('a start request of another protocol version is refused with result 5 and ends the connection', async (t) => {
  const fixture = new Fixture(t);
  fixture.recv({ ...START, protocolVersion: 0x0200 });
  assert.deepEqual(fixture.received, [startReply(5)]);
  assert.deepEqual(fixture.events, [ended({ reason: 'versionRefused', version: 0x0200 })]);
  await settled();
  assert.equal(fixture.isClosed, true);
});

describe('a warning', () => {
  test('is logged once for each kind of message', (t) => {
    const fixture = Fixture.started(t);
    for (let round = 0; round < 3; round += 1) {
      fixture.recv(EXAMPLES.WanErrorNotify.message, STOP_REPLY);
      fixture.connection.recvBytes(unknown(99));
      fixture.connection.recvBytes(unknown(100));
    }
    assert.deepEqual(
      fixture.lines.all.flatMap(({ level, what }) => (level === 'warn' ? [what] : [])),
      [
        'WanErrorNotify',
        'StopControlConnectionReply',
        'unknown control message type 99',
        'unknown control message type 100',
      ],
    );
  });

  test('is logged for 32 kinds at most', (t) => {
    const fixture = Fixture.started(t);
    for (let code = 100; code < 150; code += 1) fixture.connection.recvBytes(unknown(code));
    assert.equal(fixture.lines.at('warn').length, 32);
  });
});

test('each message is logged in one line, keepalive at level debug', (t) => {
  const fixture = Fixture.started(t);
  fixture.lines.all.length = 0;
  fixture.recv(echo(7), EXAMPLES.IncomingCallRequest.message);
  assert.deepEqual(
    fixture.lines.all.map(({ level, message, msg }) => [level, message, msg.split(' ').slice(0, 2).join(' ')]),
    [
      ['debug', 'EchoRequest', 'received EchoRequest'],
      ['debug', 'EchoReply', 'sent EchoReply'],
      ['info', 'IncomingCallRequest', 'received IncomingCallRequest'],
      ['info', 'IncomingCallReply', 'sent IncomingCallReply'],
    ],
  );
});

describe('bytes', () => {
  /** One message of each kind; the result must not depend on how they are cut. */
  const stream = Buffer.concat([
    encode(START),
    encode(echo(1)),
    unknown(99),
    encode(CALL),
    lengthened(encode(echo(2)), 5),
    encode(STOP),
  ]);
  const assertAll = (fixture: Fixture): void => {
    assert.deepEqual(fixture.received, [startReply(1), echoReply(1), echoReply(2), STOP_REPLY]);
    assert.deepEqual(fixture.events, [{ type: 'call', message: CALL }, ended({ reason: 'clientStopped' })]);
    assert.deepEqual(fixture.lines.at('warn'), ['unknown control message type 99: ignored (logged once)']);
  };

  test('in one chunk', async (t) => {
    const fixture = new Fixture(t);
    fixture.client.sendBytes(stream);
    await settled();
    assertAll(fixture);
  });

  test('octet by octet', (t) => {
    const fixture = new Fixture(t);
    for (const octet of stream) fixture.connection.recvBytes(Buffer.of(octet));
    assertAll(fixture);
  });

  test('cut in two at every octet, with the first part from the manager', async (t) => {
    for (let cut = 1; cut < stream.length; cut += 1) {
      const fixture = new Fixture(t);
      fixture.connection.recvBytes(stream.subarray(0, cut));
      fixture.client.sendBytes(stream.subarray(cut));
      await settled();
      assertAll(fixture);
    }
  });

  const broken: Readonly<Record<string, readonly [bytes: Buffer, problem: string]>> = {
    'a wrong magic cookie': [withU16(encode(echo(3)), 4, 0x1a2c), 'magic cookie 0x1a2c3c4d, not 0x1a2b3c4d'],
    'a management message': [withU16(encode(echo(3)), 2, 2), 'PPTP message type 2, not 1 (control message)'],
    'a length that is too short': [withU16(encode(echo(3)), 0, 15), 'EchoRequest of 15 octets, not 16 to 220'],
    'a length that is too long': [withU16(encode(echo(3)), 0, 221), 'EchoRequest of 221 octets, not 16 to 220'],
    'an unknown message of absurd length': [
      withU16(unknown(99), 0, 1025),
      'unknown control message type 99 of 1025 octets, not 12 to 1024',
    ],
  };
  for (const [what, [bytes, problem]] of Object.entries(broken)) {
    test(`${what}: messages before it are answered, and what follows it is not read`, (t) => {
      const fixture = Fixture.started(t);
      fixture.connection.recvBytes(Buffer.concat([encode(echo(1)), bytes, encode(echo(2)), encode(STOP)]));
      assert.deepEqual(fixture.received, [echoReply(1)]);
      assert.deepEqual(fixture.events, [ended({ reason: 'protocolError', problem })]);
      assert.equal(fixture.client.hasEnded, true);
    });
  }

  test('beyond the length of a message are ignored, and logged at level debug', (t) => {
    const fixture = Fixture.started(t);
    fixture.connection.recvBytes(lengthened(encode(echo(1)), 1));
    fixture.connection.recvBytes(lengthened(encode(echo(2)), 204));
    assert.deepEqual(fixture.received, [echoReply(1), echoReply(2)]);
    assert.deepEqual(
      fixture.lines.all.flatMap(({ level, surplus }) => (surplus === undefined ? [] : [[level, surplus]])),
      [
        ['debug', 1],
        ['debug', 204],
      ],
    );
  });

  test('after a stop request are not read once the owner has closed the connection', (t) => {
    const fixture = Fixture.started(t);
    fixture.connection.recvBytes(Buffer.concat([encode(STOP), encode(echo(1)), encode(CALL)]));
    assert.deepEqual(fixture.received, [STOP_REPLY]);
    assert.deepEqual(fixture.events, [ended({ reason: 'clientStopped' })]);
    assert.deepEqual(fixture.lines.at('warn'), []);
  });
});

describe('keepalive', () => {
  test('a silent client gets an Echo-Request after echoInterval, each with a new identifier', (t) => {
    const fixture = Fixture.started(t);
    for (const identifier of [1, 2, 3]) {
      fixture.pass(TIMEOUTS.echoInterval - 0.001);
      assert.equal(fixture.received.length, identifier - 1);
      fixture.pass(0.001);
      assert.deepEqual(fixture.received.at(-1), echo(identifier));
      fixture.recv(echoReply(identifier));
    }
    assert.deepEqual(fixture.events, [ASKED, ASKED, ASKED]);
  });

  test('without a reply within echoReply the session ends', (t) => {
    const fixture = Fixture.started(t);
    fixture.pass(TIMEOUTS.echoInterval);
    fixture.pass(TIMEOUTS.echoReply - 0.001);
    assert.deepEqual(fixture.events, [ASKED]);
    fixture.pass(0.001);
    assert.deepEqual(fixture.events, [
      ASKED,
      ended({ reason: 'clientSilent', silence: 'noEchoReply', seconds: TIMEOUTS.echoReply }),
    ]);
    assert.deepEqual(fixture.receivedTypes, ['EchoRequest', 'StopControlConnectionRequest']);
  });

  const signs: Readonly<Record<string, Buffer>> = {
    'the reply': encode(echoReply(1)),
    'a reply to another request': encode(echoReply(99)),
    'an Echo-Request of its own': encode(echo(1)),
    'a call request': encode(CALL),
    'an unknown message': unknown(99),
  };
  for (const [what, bytes] of Object.entries(signs)) {
    test(`${what} is a sign of life, before the Echo-Request and after it`, (t) => {
      const fixture = Fixture.started(t);
      for (let round = 0; round < 4; round += 1) {
        fixture.pass(TIMEOUTS.echoInterval - 1);
        fixture.connection.recvBytes(bytes);
      }
      const questions = (): number => fixture.receivedTypes.filter((type) => type === 'EchoRequest').length;
      assert.equal(questions(), 0);
      fixture.pass(TIMEOUTS.echoInterval);
      assert.equal(questions(), 1);
      fixture.pass(TIMEOUTS.echoReply - 1);
      fixture.connection.recvBytes(bytes);
      fixture.pass(TIMEOUTS.echoInterval - 1);
      assert.deepEqual([questions(), fixture.events.filter(({ type }) => type === 'ended')], [1, []]);
    });
  }

  test('an incomplete message is not', (t) => {
    const fixture = Fixture.started(t);
    for (const octet of encode(CALL).subarray(0, -1)) {
      fixture.connection.recvBytes(Buffer.of(octet));
      fixture.pass(1);
    }
    assert.deepEqual(fixture.events, [
      ASKED,
      ended({ reason: 'clientSilent', silence: 'noEchoReply', seconds: TIMEOUTS.echoReply }),
    ]);
  });

  test('a client that has not sent its start request gets no Echo-Request', (t) => {
    const fixture = new Fixture(t);
    fixture.connection.recvBytes(encode(START).subarray(0, 20));
    fixture.pass(TIMEOUTS.echoInterval + TIMEOUTS.echoReply);
    assert.deepEqual([fixture.received, fixture.events], [[], []]);
  });

  test('after a stop request the client gets no Echo-Request, whatever it sends', (t) => {
    const fixture = Fixture.started(t, { echoInterval: STOP_SECONDS / 4, echoReply: STOP_SECONDS / 4 });
    fixture.close('kicked');
    fixture.recv(echo(1));
    fixture.pass(STOP_SECONDS * 0.9);
    assert.deepEqual(fixture.receivedTypes, ['StopControlConnectionRequest', 'EchoReply']);
    assert.deepEqual(fixture.events, []);
  });

  test('the reply to an Echo-Request is not awaited any more after a stop request', (t) => {
    const fixture = Fixture.started(t);
    fixture.pass(TIMEOUTS.echoInterval);
    fixture.close('kicked');
    fixture.recv(echo(1));
    fixture.pass(TIMEOUTS.echoInterval + TIMEOUTS.echoReply);
    assert.deepEqual(fixture.receivedTypes, ['EchoRequest', 'StopControlConnectionRequest', 'EchoReply']);
    assert.deepEqual(fixture.events, [ASKED]);
  });
});

describe('a client that is asked for a sign of life', () => {
  function asked(t: TestContext): Fixture {
    const fixture = Fixture.started(t);
    fixture.connection.askForSignOfLife();
    assert.deepEqual(fixture.received.splice(0), [echo(1)]);
    return fixture;
  }

  const signs: Readonly<Record<string, Buffer>> = {
    'the reply': encode(echoReply(1)),
    'an Echo-Request of its own': encode(echo(9)),
    'a call request': encode(CALL),
    'an unknown message': unknown(99),
  };
  for (const [what, bytes] of Object.entries(signs)) {
    test(`gives it with ${what} in time: signOfLife is emitted once, and the connection stays`, (t) => {
      const fixture = asked(t);
      fixture.pass(SIGN_SECONDS - 0.001);
      fixture.connection.recvBytes(bytes);
      fixture.connection.recvBytes(bytes);
      fixture.pass(SIGN_SECONDS);
      assert.deepEqual(
        fixture.events.filter(({ type }) => type !== 'call'),
        [{ type: 'signOfLife' }],
      );
      assert.equal(fixture.client.hasEnded, false);
    });
  }

  test('and gives none has called again: it gets no stop request', async (t) => {
    const fixture = asked(t);
    fixture.pass(SIGN_SECONDS - 0.001);
    fixture.connection.recvBytes(encode(echoReply(1)).subarray(0, -1));
    assert.deepEqual(fixture.events, []);
    fixture.pass(0.001);
    assert.deepEqual(fixture.events, [ended({ reason: 'calledAgain', silence: 'noEchoReply', seconds: SIGN_SECONDS })]);
    await settled();
    assert.deepEqual([fixture.received, fixture.isClosed], [[], true]);
  });

  test('and whose connection breaks meanwhile has called again', async (t) => {
    const fixture = asked(t);
    fixture.client.fail('read ECONNRESET');
    await settled();
    fixture.pass(SIGN_SECONDS);
    assert.deepEqual(fixture.events, [
      ended({ reason: 'calledAgain', silence: 'connectionFailed', problem: 'read ECONNRESET' }),
    ]);
  });

  test('and closes the connection has not called again', async (t) => {
    const fixture = asked(t);
    fixture.client.sendEnd();
    await settled();
    fixture.pass(SIGN_SECONDS);
    assert.deepEqual(fixture.events, [ended({ reason: 'clientClosed' })]);
  });

  test('and has given it before the connection breaks has not called again', async (t) => {
    const fixture = asked(t);
    fixture.recv(echoReply(1));
    fixture.client.fail('read ETIMEDOUT');
    await settled();
    assert.deepEqual(fixture.events, [
      { type: 'signOfLife' },
      ended({ reason: 'connectionFailed', problem: 'read ETIMEDOUT' }),
    ]);
  });

  test('and then gets a stop request is not awaited any more', (t) => {
    const fixture = asked(t);
    fixture.close('kicked');
    fixture.recv(echoReply(1));
    fixture.pass(SIGN_SECONDS);
    assert.deepEqual(fixture.events, []);
  });
});

describe('a client that does not read', () => {
  const REPLY_LENGTH = encode(echoReply(0)).length;
  /** Replies of more than 64 KiB, the limit of what may wait for the client. */
  const FLOOD = 4000;

  async function flooded(t: TestContext): Promise<Fixture> {
    const fixture = Fixture.started(t);
    fixture.client.stopReading();
    fixture.client.send(...Array.from({ length: FLOOD }, (_, index) => echo(index)));
    await settled();
    return fixture;
  }

  test('is not read from while more than 64 KiB wait for it', async (t) => {
    const fixture = Fixture.started(t);
    fixture.client.stopReading();
    let sent = 0;
    const sendUntil = async (octets: number): Promise<void> => {
      for (; sent * REPLY_LENGTH < octets; sent += 1) fixture.client.send(echo(sent));
      await settled();
    };
    await sendUntil(65_536 - REPLY_LENGTH);
    assert.equal(fixture.client.isPaused(), false);
    await sendUntil(65_536 + REPLY_LENGTH);
    assert.equal(fixture.client.isPaused(), true);
    const waiting = fixture.client.writableLength;
    fixture.client.send(echo(1));
    await settled();
    assert.equal(fixture.client.writableLength, waiting);
  });

  test('gets all replies when it reads again', async (t) => {
    const fixture = await flooded(t);
    fixture.client.send(CALL, echo(FLOOD));
    await settled();
    assert.deepEqual([fixture.received, fixture.events], [[], []]);
    fixture.client.readOn();
    await settled();
    assert.deepEqual(
      fixture.received,
      Array.from({ length: FLOOD + 1 }, (_, index) => echoReply(index)),
    );
    assert.deepEqual(fixture.events, [{ type: 'call', message: CALL }]);
  });

  test('ends the session, and is not waited for', async (t) => {
    const fixture = await flooded(t);
    fixture.pass(TIMEOUTS.echoInterval);
    fixture.pass(TIMEOUTS.echoReply);
    assert.deepEqual(fixture.events, [ASKED, ended({ reason: 'clientSilent', silence: 'readsNothing' })]);
    fixture.pass(STOP_SECONDS);
    await settled();
    assert.equal(fixture.isClosed, false);
    fixture.pass(STOP_SECONDS);
    await settled();
    assert.equal(fixture.isClosed, true);
  });
});

describe('the end in order', () => {
  const REASONS = Object.entries(CLOSE_REASONS) as [CloseReason, (typeof CLOSE_REASONS)[CloseReason]][];
  for (const [reason, { stop }] of REASONS) {
    test(`${reason}: ${stop === null ? 'no stop request' : `a stop request with reason ${stop}`}`, async (t) => {
      const fixture = Fixture.started(t);
      fixture.close(reason);
      await settled();
      assert.deepEqual(fixture.received, stop === null ? [] : [{ type: 'StopControlConnectionRequest', reason: stop }]);
      assert.equal(fixture.isClosed, stop === null);
      fixture.recv(STOP_REPLY);
      await settled();
      assert.equal(fixture.isClosed, true);
      assert.equal(fixture.lines.at('warn').length, 0);
    });

    test(`${reason}: a client that has not sent its start request gets no stop request`, async (t) => {
      const fixture = new Fixture(t);
      fixture.close(reason);
      await settled();
      assert.deepEqual([fixture.received, fixture.isClosed], [[], true]);
    });

    test(`${reason}: a client that has sent a stop request gets the reply`, async (t) => {
      const fixture = Fixture.started(t);
      fixture.closesAtEnd = false;
      fixture.recv(STOP);
      assert.deepEqual(fixture.received, [], 'the reply comes after the end of the call');
      fixture.close(reason);
      await settled();
      assert.deepEqual([fixture.received, fixture.isClosed], [[STOP_REPLY], true]);
    });
  }

  test('a client that does not answer the stop request is disconnected after a time', async (t) => {
    const fixture = Fixture.started(t);
    fixture.close('kicked');
    fixture.pass(STOP_SECONDS - 0.001);
    await settled();
    assert.deepEqual([fixture.client.hasEnded, fixture.isClosed], [false, false]);
    fixture.pass(0.001);
    await settled();
    assert.deepEqual([fixture.client.hasEnded, fixture.isClosed], [true, true]);
  });

  test('stop requests that cross each other: the client’s counts as the reply to ours, and is answered', async (t) => {
    const fixture = Fixture.started(t);
    fixture.close('kicked');
    fixture.recv(STOP);
    await settled();
    assert.deepEqual(fixture.receivedTypes, ['StopControlConnectionRequest', 'StopControlConnectionReply']);
    assert.deepEqual([fixture.events, fixture.isClosed], [[], true]);
  });

  test('a client that closes the connection instead of replying', async (t) => {
    const fixture = Fixture.started(t);
    fixture.close('kicked');
    fixture.client.sendEnd();
    await settled();
    assert.deepEqual([fixture.events, fixture.isClosed], [[], true]);
  });

  test('a client that closes the connection after its stop request: ended is emitted once', async (t) => {
    const fixture = Fixture.started(t);
    fixture.client.send(STOP);
    fixture.client.sendEnd();
    await settled();
    assert.deepEqual(fixture.events, [ended({ reason: 'clientStopped' })]);
    assert.deepEqual([fixture.received, fixture.isClosed], [[STOP_REPLY], true]);
  });

  test('a client that has closed its half still gets the messages that the owner sends then', async (t) => {
    const fixture = Fixture.started(t);
    fixture.closesAtEnd = false;
    const notice = EXAMPLES.CallDisconnectNotify.message;
    fixture.client.on('end', () => {
      fixture.connection.send(notice);
      fixture.close('clientClosed');
    });
    fixture.client.sendEnd();
    await settled();
    assert.deepEqual([fixture.received, fixture.isClosed], [[notice], true]);
  });

  test('messages arrive before the connection closes, but a client that does not read is not waited for', async (t) => {
    for (const reads of [true, false]) {
      const fixture = Fixture.started(t);
      fixture.client.stopReading();
      fixture.recv(echo(1), STOP);
      await settled();
      assert.equal(fixture.isClosed, false);
      if (reads) fixture.client.readOn();
      else fixture.pass(STOP_SECONDS);
      await settled();
      assert.deepEqual(fixture.received, reads ? [echoReply(1), STOP_REPLY] : []);
      assert.equal(fixture.isClosed, true);
    }
  });

  test('a broken connection is closed at once', async (t) => {
    const fixture = Fixture.started(t);
    fixture.client.fail('read ETIMEDOUT');
    await settled();
    assert.deepEqual(fixture.events, [ended({ reason: 'connectionFailed', problem: 'read ETIMEDOUT' })]);
    assert.equal(fixture.isClosed, true);
    fixture.isClosed = false;
    fixture.close('kicked');
    await settled();
    assert.deepEqual([fixture.received, fixture.isClosed], [[], true]);
  });

  test('a connection that closes without an error has ended', async (t) => {
    const fixture = Fixture.started(t);
    fixture.client.destroy();
    await settled();
    assert.deepEqual([fixture.events, fixture.isClosed], [[ended({ reason: 'clientClosed' })], true]);
  });

  test('a client that closes its half and reads nothing has ended at once', async (t) => {
    const fixture = Fixture.started(t);
    fixture.closesAtEnd = false;
    fixture.client.stopReading();
    fixture.recv(echo(1));
    fixture.client.sendEnd();
    await settled();
    assert.deepEqual([fixture.events, fixture.client.destroyed], [[ended({ reason: 'clientClosed' })], false]);
  });

  test('close is idempotent: one stop request, the first reason counts, and every call waits for the end', async (t) => {
    const fixture = Fixture.started(t);
    const closed = [fixture.connection.close('kicked'), fixture.connection.close('connectionFailed')];
    await settled();
    assert.deepEqual(fixture.received, [{ type: 'StopControlConnectionRequest', reason: 3 }]);
    assert.equal(fixture.client.hasEnded, false, 'the reply to the stop request is awaited');
    fixture.recv(STOP_REPLY);
    closed.push(fixture.connection.close('kicked'));
    await Promise.all(closed);
    await fixture.connection.close('kicked');
    assert.deepEqual(fixture.receivedTypes, ['StopControlConnectionRequest']);
  });

  test('no timer runs after the socket has closed', async (t) => {
    const fixture = Fixture.started(t);
    fixture.close('kicked');
    fixture.recv(STOP_REPLY);
    await settled();
    assert.equal(fixture.isClosed, true);
    const destroyed = t.mock.method(fixture.client, 'destroy');
    fixture.pass(STOP_SECONDS);
    assert.equal(destroyed.mock.callCount(), 0);
  });

  /** Everything that ends a session. */
  const ENDS: Readonly<Record<string, (fixture: Fixture) => unknown>> = {
    'a stop request': (fixture) => fixture.recv(STOP),
    'bytes that are not PPTP': (fixture) => fixture.connection.recvBytes(NONSENSE),
    'no Echo-Reply': (fixture) => {
      fixture.pass(TIMEOUTS.echoInterval);
      fixture.pass(TIMEOUTS.echoReply);
    },
    'no sign of life': (fixture) => {
      fixture.connection.askForSignOfLife();
      fixture.pass(SIGN_SECONDS);
    },
    'the end of the connection': (fixture) => fixture.client.sendEnd(),
    'a broken connection': (fixture) => fixture.client.fail('read ECONNRESET'),
  };
  for (const [what, end] of Object.entries(ENDS)) {
    test(`${what}: ended is the last event, and emitted once, while the owner does not close`, async (t) => {
      const fixture = Fixture.started(t);
      fixture.closesAtEnd = false;
      end(fixture);
      await settled();
      assert.equal(fixture.events.filter(({ type }) => type === 'ended').length, 1);
      assert.equal(fixture.events.at(-1)?.type, 'ended');
      fixture.events.length = 0;
      for (const other of Object.values(ENDS)) {
        fixture.recv(echo(1), CALL);
        other(fixture);
        await settled();
      }
      assert.deepEqual(fixture.events, []);
      await fixture.connection.close('clientSilent');
    });
  }

  test('later messages are neither sent nor logged', async (t) => {
    const fixture = Fixture.started(t);
    fixture.close('connectionFailed');
    fixture.lines.all.length = 0;
    fixture.connection.send(echo(1));
    await settled();
    assert.deepEqual([fixture.received, fixture.lines.all], [[], []]);
  });
});

test('a tap gets the bytes of both directions, as TCP has cut them, until it is removed', (t) => {
  const fixture = Fixture.started(t);
  const shown: [Captured, string][] = [];
  fixture.connection.setTap((captured, bytes) => shown.push([captured, Buffer.from(bytes).toString('hex')]));
  const question = encode(echo(7));
  fixture.connection.recvBytes(question.subarray(0, 5));
  fixture.connection.recvBytes(question.subarray(5));
  fixture.connection.setTap(null);
  fixture.recv(echo(8));
  assert.deepEqual(shown, [
    ['controlFromClient', question.subarray(0, 5).toString('hex')],
    ['controlFromClient', question.subarray(5).toString('hex')],
    ['controlToClient', encode(echoReply(7)).toString('hex')],
  ]);
});
