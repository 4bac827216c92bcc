/**
 * The control connection as a client sees it on the wire: its state table row by row, against the built server with a
 * stand-in pppd.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { describe, test } from 'node:test';
import { type ControlMessage, encode } from '../../src/pptp/index.js';
import { CALL, Client, START } from './support/client.js';
import { enterNamespace, namespaceProcesses } from './support/netns.js';
import { CLIENT_ADDRESSES, type Server, SERVER_ADDRESS, startServer, STAND_IN_PPPD } from './support/server.js';
import { until } from './support/wait.js';

enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES);

/** A message whose 16-bit word at `offset` was changed. */
function withWord(message: ControlMessage, offset: number, word: number): Buffer {
  const bytes = encode(message);
  bytes.writeUInt16BE(word, offset);
  return bytes;
}
const [LENGTH_WORD, MESSAGE_TYPE_WORD, MAGIC_WORD] = [0, 2, 4];

/** A message with so many octets behind its own, which its length counts. */
function lengthened(message: ControlMessage, surplus: number): Buffer {
  const bytes = Buffer.concat([encode(message), Buffer.alloc(surplus, 0xee)]);
  bytes.writeUInt16BE(bytes.length, LENGTH_WORD);
  return bytes;
}

/** Asks for an echo; resolves when all lines that the worker has logged before its reply are there. */
async function answered(server: Server, client: Client): Promise<void> {
  await client.echo();
  await server.waitForLog('the reply', ({ message, peer }) => message === 'EchoReply' && peer === client.name);
}

const CALL_REFUSED = {
  type: 'OutgoingCallReply',
  callId: 0,
  peerCallId: CALL.callId,
  resultCode: 2,
  causeCode: 0,
  connectSpeed: 0,
  receiveWindowSize: 0,
  packetProcessingDelay: 0,
  physicalChannelId: 0,
} as const;

describe('Start-Control-Connection-Request', () => {
  test('is answered with result 1, version 1.0 and who we are', async (t) => {
    await startServer(t);
    const client = await Client.connect();
    client.send(START);
    const reply = await client.next('StartControlConnectionReply');
    const { version }: { readonly version: string } = JSON.parse(readFileSync('package.json', 'utf8'));
    const [major = '', minor = ''] = version.split('.');
    assert.deepEqual(reply, {
      type: 'StartControlConnectionReply',
      protocolVersion: 0x0100,
      resultCode: 1,
      errorCode: 0,
      framingCapabilities: 3,
      bearerCapabilities: 3,
      maximumChannels: 1,
      firmwareRevision: 256 * Number(major) + Number(minor),
      hostName: hostname(),
      vendorName: 'pptpd-ts',
    });
  });

  test('of another version is answered with result 5, and the connection closed', async (t) => {
    const server = await startServer(t);
    const client = await Client.connect();
    client.send({ ...START, protocolVersion: 0x0200 });
    assert.equal((await client.next('StartControlConnectionReply')).resultCode, 5);
    await client.closed;
    await server.waitForLog('the end', ({ reason, peer }) => reason === 'versionRefused' && peer === client.name);
  });

  test('for the second time is answered with result 3, and the session stays', async (t) => {
    await startServer(t);
    const client = await Client.start();
    client.send(START);
    assert.equal((await client.next('StartControlConnectionReply')).resultCode, 3);
    await client.echo();
  });

  test('has to come first', async (t) => {
    const server = await startServer(t);
    const client = await Client.connect();
    client.send({ type: 'EchoRequest', identifier: 1 });
    await client.closed;
    const line = await server.waitForLog('the refusal', ({ cause }) => cause === 'notPptp');
    assert.equal(line.peer, client.name);
    assert.match(String(line['detail']), /EchoRequest/);
  });
});

describe('Stop-Control-Connection-Request', () => {
  test('is answered with result 1, and the connection closed', async (t) => {
    const server = await startServer(t);
    const client = await Client.start();
    client.send({ type: 'StopControlConnectionRequest', reason: 1 });
    assert.equal((await client.next('StopControlConnectionReply')).resultCode, 1);
    await client.closed;
    await server.waitForSessions(0);
  });

  test('during a call ends the call first: pppd ends, the client gets both messages', async (t) => {
    const server = await startServer(t);
    const { client, reply } = await Client.call();
    client.send({ type: 'StopControlConnectionRequest', reason: 1 });
    const notice = await client.next('CallDisconnectNotify');
    assert.deepEqual([notice.callId, notice.resultCode], [reply.callId, 4]);
    assert.equal((await client.next('StopControlConnectionReply')).resultCode, 1);
    await client.closed;
    await server.waitForPppd('its end', ({ event }) => event === 'ended');
    await server.waitForSessions(0);
  });
});

describe('Echo', () => {
  test('is answered with the same identifier before, during and after a call', async (t) => {
    await startServer(t);
    const client = await Client.start();
    await client.echo(0);
    client.send(CALL);
    const { callId } = await client.next('OutgoingCallReply');
    await client.echo(0xffffffff);
    client.send({ type: 'CallClearRequest', callId: CALL.callId });
    assert.equal((await client.next('CallDisconnectNotify')).callId, callId);
    await client.echo(0x80000000);
  });

  test('is asked for after echoInterval; a client that answers stays', async (t) => {
    await startServer(t, { timeouts: { echoInterval: 0.1, echoReply: 30 } });
    const client = await Client.start();
    for (let round = 0; round < 3; round += 1) {
      const { identifier } = await client.next('EchoRequest');
      client.send({ type: 'EchoReply', identifier, resultCode: 1, errorCode: 0 });
    }
    await client.echo();
  });

  test('is asked for, and a client that does not answer is told and closed', async (t) => {
    const server = await startServer(t, { timeouts: { echoInterval: 0.1, echoReply: 1 } });
    const client = await Client.start();
    // Until pppd has started.
    client.answersEchoes = true;
    client.send(CALL);
    await client.next('OutgoingCallReply', 'EchoRequest');
    client.answersEchoes = false;
    assert.equal((await client.next('CallDisconnectNotify', 'EchoRequest')).resultCode, 1);
    assert.equal((await client.next('StopControlConnectionRequest')).reason, 1);
    await client.closed;
    await server.waitForLog('the end', ({ reason, peer }) => reason === 'clientSilent' && peer === client.name);
  });

  test('is asked for, and a client that says something else instead is there too', async (t) => {
    await startServer(t, { timeouts: { echoInterval: 2, echoReply: 1 } });
    const client = await Client.start();
    await client.next('EchoRequest');
    await client.echo();
    // Else the stop would come first.
    await client.next('EchoRequest');
  });

  test('replies that cross our stop are nothing to warn of', async (t) => {
    const server = await startServer(t);
    const client = await Client.start();
    client.answersStop = false;
    server.signal('SIGTERM');
    await client.next('StopControlConnectionRequest');
    client.send(
      { type: 'EchoReply', identifier: 1, resultCode: 1, errorCode: 0 },
      { type: 'StopControlConnectionReply', resultCode: 1, errorCode: 0 },
    );
    await client.closed;
    const ofClient = ({ peer }: { readonly peer?: string }): boolean => peer === client.name;
    await server.waitForLog('the end', (line) => line.msg.startsWith('session ended') && ofClient(line));
    assert.deepEqual(
      server.log.all.filter((line) => line.level === 'warn' && ofClient(line)),
      [],
    );
  });
});

describe('Outgoing-Call-Request', () => {
  test('is answered with result 1 and a call id of its own once pppd runs', async (t) => {
    const server = await startServer(t);
    const { client, reply } = await Client.call();
    assert.equal(reply.peerCallId, CALL.callId);
    assert.notEqual(reply.callId, 0);
    assert.equal(reply.errorCode, 0);
    assert(reply.receiveWindowSize > 0 && reply.connectSpeed > 0);
    const [session] = await server.sessions();
    assert.deepEqual([session?.callId, session?.peerCallId], [reply.callId, CALL.callId]);
    assert.equal(session?.pppdPid, server.pppdNotes()[0]?.pid);
    assert.equal(`${session?.peer.address}:${session?.peer.port}`, client.name);
  });

  test('for a second call is refused with error 4, and the first stays', async (t) => {
    await startServer(t);
    const { client } = await Client.call();
    client.send({ ...CALL, callId: 0x4321 });
    assert.deepEqual(await client.next('OutgoingCallReply'), { ...CALL_REFUSED, peerCallId: 0x4321, errorCode: 4 });
    await client.echo();
  });

  const badValues = [{ bearerType: 4 }, { framingType: 0x10000 }, { phoneNumberLength: 65 }] as const;
  test('with a value that RFC 2637 does not know is refused with error 3, and a good one may follow', async (t) => {
    await startServer(t);
    const client = await Client.start();
    for (const badValue of badValues) {
      client.send({ ...CALL, ...badValue });
      assert.deepEqual(await client.next('OutgoingCallReply'), { ...CALL_REFUSED, errorCode: 3 });
    }
    client.send(CALL);
    assert.equal((await client.next('OutgoingCallReply')).resultCode, 1);
  });

  test('is served with bearer and framing type 0, and with octets behind it: at level debug that is told', async (t) => {
    const server = await startServer(t, { log: { level: 'debug' } });
    const client = await Client.connect();
    client.sendBytes(lengthened(START, 4));
    assert.equal((await client.next('StartControlConnectionReply')).resultCode, 1);
    client.sendBytes(lengthened({ ...CALL, bearerType: 0, framingType: 0 }, 52));
    assert.equal((await client.next('OutgoingCallReply')).resultCode, 1);
    await answered(server, client);
    const told = server.log.all.filter(({ level, peer }) => level === 'debug' && peer === client.name);
    assert.deepEqual(
      told.flatMap((line) => line['surplus'] ?? []),
      [4, 52],
    );
    assert.deepEqual(
      told.flatMap((line) => (line['tolerated'] === undefined ? [] : line.msg)),
      ['bearerType', 'framingType'].map(
        (field) => `a call request is accepted although it has ${field} 0 of OutgoingCallRequest, not 1 to 3`,
      ),
    );
  });

  test('is refused with error 6 when pppd cannot be run any more', async (t) => {
    const server = await startServer(t);
    await server.reconfigure({ pppd: { path: `${STAND_IN_PPPD}-that-is-not-there` } });
    const client = await Client.start();
    client.send(CALL);
    assert.deepEqual(await client.next('OutgoingCallReply'), { ...CALL_REFUSED, errorCode: 6 });
    await server.waitForLog(
      'why',
      ({ reason, detail }) => reason === 'pppdFailed' && String(detail).includes('that-is-not-there'),
    );
  });
});

test('Incoming-Call-Request is answered with result 3: a server is no PNS', async (t) => {
  await startServer(t);
  const client = await Client.start();
  client.send({
    type: 'IncomingCallRequest',
    callId: 77,
    callSerialNumber: 1,
    bearerType: 1,
    physicalChannelId: 0,
    dialedNumberLength: 0,
    dialingNumberLength: 0,
    dialedNumber: '',
    dialingNumber: '',
    subaddress: '',
  });
  const reply = await client.next('IncomingCallReply');
  assert.deepEqual([reply.peerCallId, reply.resultCode, reply.errorCode], [77, 3, 0]);
  await client.echo();
});

describe('Call-Clear-Request', () => {
  test('ends the call with result 4, and the client can call again; nothing piles up', async (t) => {
    const server = await startServer(t);
    const { client, reply } = await Client.call();
    const [session] = await server.sessions();
    const descriptors = (): number => readdirSync(`/proc/${session?.pid}/fd`).length;
    const before = descriptors();
    for (let round = 1; round <= 4; round += 1) {
      client.send({ type: 'CallClearRequest', callId: CALL.callId });
      const notice = await client.next('CallDisconnectNotify');
      assert.deepEqual([notice.callId, notice.resultCode], [reply.callId, 4]);
      // pppd was waited for before the client was told.
      assert.equal(server.pppdNotes().filter(({ event }) => event === 'ended').length, round);
      assert.deepEqual(
        namespaceProcesses().filter(({ zombie }) => zombie),
        [],
      );
      client.send(CALL);
      assert.equal((await client.next('OutgoingCallReply')).resultCode, 1);
    }
    // Before, our own question may still have held one.
    await until(`at most ${before} descriptors`, () => descriptors() <= before);
  });

  test('without a call harms nothing', async (t) => {
    await startServer(t);
    const client = await Client.start();
    client.send({ type: 'CallClearRequest', callId: CALL.callId });
    await client.echo();
  });
});

test('Set-Link-Info, WAN-Error-Notify, replies to nothing and unknown types change nothing for the session', async (t) => {
  const server = await startServer(t);
  const { client } = await Client.call();
  const unknown = Buffer.from([0, 14, 0, 1, 0x1a, 0x2b, 0x3c, 0x4d, 0, 99, 0, 0, 1, 2]);
  for (let round = 0; round < 5; round += 1) {
    client.send({ type: 'SetLinkInfo', peerCallId: 0, sendAccm: 0, receiveAccm: 0 });
    client.send({
      type: 'WanErrorNotify',
      peerCallId: 0,
      crcErrors: 1,
      framingErrors: 0,
      hardwareOverruns: 0,
      bufferOverruns: 0,
      timeoutErrors: 0,
      alignmentErrors: 0,
    });
    client.send({ type: 'StopControlConnectionReply', resultCode: 1, errorCode: 0 });
    client.sendBytes(unknown);
  }
  await answered(server, client);
  assert.equal(
    server.log.all.filter(({ msg }) => msg.includes('unknown control message type 99')).length,
    1,
    'logged once',
  );
});

test('what is no PPTP closes the connection, and no other', async (t) => {
  const server = await startServer(t);
  const bystander = await Client.start(CLIENT_ADDRESSES[1]);
  const messages: Readonly<Record<string, Buffer>> = {
    'a wrong magic cookie': withWord({ type: 'EchoRequest', identifier: 1 }, MAGIC_WORD, 0x1a2c),
    'a length that is too short': withWord({ type: 'EchoRequest', identifier: 1 }, LENGTH_WORD, 15),
    'a length of 0': withWord({ type: 'EchoRequest', identifier: 1 }, LENGTH_WORD, 0),
    'a length of 65535': withWord({ type: 'EchoRequest', identifier: 1 }, LENGTH_WORD, 65535),
    'a call request with 53 octets more': lengthened(CALL, 53),
    'a management message': withWord({ type: 'EchoRequest', identifier: 1 }, MESSAGE_TYPE_WORD, 2),
    'another protocol': Buffer.from('GET / HTTP/1.1\r\nHost: vpn.example\r\n\r\n'),
  };
  for (const [what, bytes] of Object.entries(messages)) {
    await t.test(what, async () => {
      // In a session, and as the first that is sent.
      const talker = await Client.start();
      talker.sendBytes(bytes);
      const stranger = await Client.connect();
      stranger.sendBytes(bytes);
      await Promise.all([talker.closed, stranger.closed]);
      await server.waitForLog('the end', ({ reason, peer }) => reason === 'protocolError' && peer === talker.name);
      await server.waitForSessions(1);
      await bystander.echo();
    });
  }
  const { peer, detail } = await server.waitForLog('the strangers', ({ cause }) => cause === 'notPptp');
  assert.match(`${peer}`, /^198\.51\.100\.1:\d+$/);
  assert.match(String(detail), /magic cookie 0x1a2c3c4d/);
});

test('a client that never calls is told and closed after timeouts.establish', async (t) => {
  const server = await startServer(t, { timeouts: { establish: 0.2 } });
  const client = await Client.start();
  assert.equal((await client.next('StopControlConnectionRequest')).reason, 1);
  await client.closed;
  await server.waitForLog('the end', ({ reason, peer }) => reason === 'noCall' && peer === client.name);
});

test('the worker of a call has the title that scripts around pptpd read', async (t) => {
  const server = await startServer(t);
  const { client, reply } = await Client.call();
  const [session] = await server.sessions();
  const hex = (callId: number): string => callId.toString(16).toUpperCase().padStart(4, '0');
  const title = readFileSync(`/proc/${session?.pid}/cmdline`, 'latin1').replaceAll('\0', '').trim();
  assert.equal(title, `pptpd [${client.name.split(':')[0]}:${hex(CALL.callId)} - ${hex(reply.callId)}]`);
});
