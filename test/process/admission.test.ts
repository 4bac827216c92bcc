/**
 * Who is let in before there is a session: access lists, limits, a full server; and what each that is turned away, and
 * the log, are told.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Client, START } from './support/client.js';
import { enterNamespace } from './support/netns.js';
import { CLIENT_ADDRESSES, SERVER_ADDRESS, startServer } from './support/server.js';
import { LIMIT_MS } from './support/wait.js';

enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES);

const [FIRST, SECOND] = CLIENT_ADDRESSES;

test('a full server says so in the protocol, and lets the next in when one leaves', {
  timeout: LIMIT_MS,
}, async (t) => {
  const server = await startServer(t, { limits: { connections: 2 } });
  const inside = await Client.start();
  await Client.start();
  const refused = await Client.connect();
  refused.send(START);
  const { resultCode, errorCode } = await refused.next('StartControlConnectionReply');
  assert.deepEqual({ resultCode, errorCode }, { resultCode: 2, errorCode: 4 });
  await refused.closed;
  const line = await server.waitForLog('the refusal', ({ cause }) => cause === 'full');
  assert.equal(line.peer, refused.name);

  inside.send({ type: 'StopControlConnectionRequest', reason: 1 });
  await inside.closed;
  await server.waitForSessions(1);
  const admitted = async (): Promise<boolean> => {
    const next = await Client.connect();
    next.send(START);
    return (await next.next('StartControlConnectionReply')).resultCode === 1;
  };
  // The manager learns of the end a moment after the client.
  while (!(await admitted()));
});

test('access.deny turns an address away at once, and no other', async (t) => {
  const server = await startServer(t, { access: { deny: [`${FIRST}/32`] } });
  const denied = await Client.connect(FIRST);
  await denied.closed;
  const line = await server.waitForLog('the denial', ({ cause }) => cause === 'accessDenied');
  assert.equal(line.peer, denied.name);
  await (await Client.start(SECOND)).echo();
});

test('access.allow lets in whom it names alone; the longest prefix decides', async (t) => {
  await startServer(t, { access: { allow: [FIRST], deny: ['198.51.100.0/24'] } });
  await (await Client.start(FIRST)).echo();
  const denied = await Client.connect(SECOND);
  await denied.closed;
});

test('limits.perSource counts an address alone, sessions and beginners together', async (t) => {
  const server = await startServer(t, { limits: { perSource: 2 } });
  await Client.start(FIRST);
  await Client.connect(FIRST);
  const third = await Client.connect(FIRST);
  await third.closed;
  await server.waitForLog('the limit', ({ cause }) => cause === 'perSource');
  await (await Client.start(SECOND)).echo();
});

test('silent connections make room for those that come', async (t) => {
  const server = await startServer(t, { limits: { pending: 3 } });
  const silent = [await Client.connect(), await Client.connect(), await Client.connect()];
  const genuine = await Client.start(SECOND);
  await silent[0]?.closed;
  await genuine.echo();
  await server.waitForLog('the eviction', ({ cause, peer }) => cause === 'evicted' && peer === silent[0]?.name);
});

test('many of a kind are one line, not one each', async (t) => {
  const server = await startServer(t, { access: { deny: [FIRST] } });
  for (let count = 0; count < 20; count += 1) await (await Client.connect(FIRST)).closed;
  await server.stop();
  const lines = server.log.all.filter(({ cause }) => cause === 'accessDenied');
  assert.equal(lines.length, 2);
  assert.equal(lines[1]?.['count'], 19);
});

test('the worker of a call has the title that scripts around pptpd read', async (t) => {
  const server = await startServer(t);
  const { reply } = await Client.call();
  const [session] = await server.sessions();
  const hex = (callId: number): string => callId.toString(16).toUpperCase().padStart(4, '0');
  const title = readFileSync(`/proc/${session?.pid}/cmdline`, 'latin1').replaceAll('\0', '').trim();
  assert.equal(title, `pptpd [${FIRST}:${hex(0x1234)} - ${hex(reply.callId)}]`);
});
