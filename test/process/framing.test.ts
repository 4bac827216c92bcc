/**
 * TCP knows no messages: a session's messages cut in two at every byte, and joined, are the same messages. The second part
 * leaves when the server has read the first, so that the cut is one for the server too.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encode } from '../../src/pptp/index.js';
import { CALL, Client, START } from './support/client.js';
import { enterNamespace } from './support/netns.js';
import { CLIENT_ADDRESSES, SERVER_ADDRESS, startServer } from './support/server.js';

enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES);

/** Sends the bytes in two parts, of which the server reads each by itself. */
async function sendCut(client: Client, bytes: Buffer, at: number): Promise<void> {
  client.sendBytes(bytes.subarray(0, at));
  await client.delivered();
  client.sendBytes(bytes.subarray(at));
}

const UNKNOWN_TYPE = Buffer.from([0, 14, 0, 1, 0x1a, 0x2b, 0x3c, 0x4d, 0, 99, 0, 0, 1, 2]);

test('messages of a session, cut at every byte', async (t) => {
  await startServer(t);
  const client = await Client.start();
  const messages = Buffer.concat([
    encode({ type: 'EchoRequest', identifier: 0x1a2b3c4d }),
    encode({ type: 'SetLinkInfo', peerCallId: 0, sendAccm: 0xffffffff, receiveAccm: 0xffffffff }),
    UNKNOWN_TYPE,
    // Refused at once, so that no pppd is started for each cut.
    encode({ ...CALL, framingType: 4 }),
    encode({ type: 'EchoRequest', identifier: 2 }),
  ]);
  for (let at = 1; at < messages.length; at += 1) {
    await sendCut(client, messages, at);
    assert.equal((await client.next('EchoReply')).identifier, 0x1a2b3c4d, `cut at ${at}`);
    assert.equal((await client.next('OutgoingCallReply')).errorCode, 3, `cut at ${at}`);
    assert.equal((await client.next('EchoReply')).identifier, 2, `cut at ${at}`);
  }
});

test('a call request byte by byte, and a hundred messages in one segment', async (t) => {
  await startServer(t);
  const client = await Client.start();
  const echoes = Array.from({ length: 100 }, (_, identifier) => ({ type: 'EchoRequest', identifier }) as const);
  client.send(...echoes);
  for (const { identifier } of echoes) assert.equal((await client.next('EchoReply')).identifier, identifier);
  for (const octet of encode(CALL)) {
    client.sendBytes(Uint8Array.of(octet));
    await client.delivered();
  }
  assert.equal((await client.next('OutgoingCallReply')).resultCode, 1);
});

/** Around the manager's look at the header, the worker's first message, and the next one's header. */
const startCuts = [1, 8, 11, 12, 13, 100, 155, 156, 157, 168];
test('the start request and what follows it, cut where it passes from the manager to the worker', async (t) => {
  await startServer(t, { workers: { spare: 2 } });
  const messages = Buffer.concat([encode(START), encode({ type: 'EchoRequest', identifier: 3 })]);
  for (const at of startCuts) {
    const client = await Client.connect();
    await sendCut(client, messages, at);
    assert.equal((await client.next('StartControlConnectionReply')).resultCode, 1, `cut at ${at}`);
    assert.equal((await client.next('EchoReply')).identifier, 3, `cut at ${at}`);
  }
});
