/**
 * pppd as a call's process: what it is told, how its words and its end reach the log and the client, and that whatever
 * it does it is ended and waited for.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { CALL, Client } from './support/client.js';
import { enterNamespace, killChildrenOf } from './support/netns.js';
import { CLIENT_ADDRESSES, SERVER_ADDRESS, type Server, startServer } from './support/server.js';
import { Tunnel } from './support/tunnel.js';

enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES);

const [CLIENT] = CLIENT_ADDRESSES;

/** LCP's protocol number and code (RFC 1661 §5). */
const [LCP, TERMINATE_REQUEST] = [0xc021, 5];

const signals = (server: Server): readonly string[] => server.pppdNotes().flatMap(({ name }) => name ?? []);

/** What a pppd was told, without the arguments that only a stand-in knows. */
async function pppdArguments(server: Server): Promise<readonly string[]> {
  await Client.call();
  const { argv = [] } = await server.waitForPppd('its start', ({ event }) => event === 'started');
  return argv.filter((argument) => !argument.startsWith('stand-in:'));
}

describe('the command line', () => {
  test('is as pptpd gives it, and keeps pppd in the foreground', async (t) => {
    const server = await startServer(t);
    assert.equal(
      (await pppdArguments(server)).join(' '),
      `local 115200 203.0.113.1:203.0.113.10 ipparam ${CLIENT} remotenumber ${CLIENT} nodetach`,
    );
  });

  test('has the options file, the speed and no ipparam where the configuration says so', async (t) => {
    const server = await startServer(t);
    const options = join(server.directory, 'options');
    writeFileSync(options, '');
    await server.reconfigure({ pppd: { options, speed: 9600, ipparam: false } });
    assert.equal(
      (await pppdArguments(server)).join(' '),
      `local file ${options} 9600 203.0.113.1:203.0.113.10 remotenumber ${CLIENT} nodetach`,
    );
  });

  test('has the administrator’s words as they are, whatever a shell would see in them', async (t) => {
    const server = await startServer(t);
    const words = [`it's "$HOME" \\ \`id\` #`, '', '-n', 'two\nlines\n', '* ; exit 3', 'é'];
    await server.reconfigure({}, words);
    await Client.call();
    const { argv = [] } = await server.waitForPppd('its start', ({ event }) => event === 'started');
    assert.deepEqual(
      argv.slice(-words.length),
      words.map((word) => `stand-in:${word}`),
    );
  });

  test('leaves the client’s address to pppd with addresses.delegate', async (t) => {
    const server = await startServer(t, { addresses: { delegate: true } });
    assert((await pppdArguments(server)).includes('203.0.113.1:'));
  });
});

describe('pppd’s end by our hand', () => {
  test('is TERM while the client is there, and the client hears what pppd has to say then', async (t) => {
    const server = await startServer(t, {}, 'goodbye');
    const tunnel = await Tunnel.open(t);
    await tunnel.openLcp();
    server.signal('SIGTERM');
    await server.waitForPppd('TERM', ({ name }) => name === 'SIGTERM');
    const goodbye = await tunnel.nextFrame(LCP);
    assert.equal(goodbye[0], TERMINATE_REQUEST);
    assert.deepEqual(signals(server), ['SIGTERM']);
  });

  test('is a hangup when the client has gone', async (t) => {
    const server = await startServer(t);
    const { client } = await Client.call();
    client.reset();
    await server.waitForPppd('its end', ({ event }) => event === 'ended');
    assert.equal(signals(server)[0], 'SIGHUP');
    await server.waitForSessions(0);
  });

  test('is KILL after pppdExit where TERM does not help, and it is waited for', async (t) => {
    const server = await startServer(t, { timeouts: { pppdExit: 0.2 } }, 'ignore');
    const { client } = await Client.call();
    client.send({ type: 'StopControlConnectionRequest', reason: 1 });
    await client.closed;
    await server.waitForSessions(0);
    const notes = server.pppdNotes();
    assert(
      notes.some(({ name }) => name === 'SIGTERM'),
      'TERM comes first',
    );
    assert(!notes.some(({ event }) => event === 'ended'), 'it did not go by itself');
    // startServer looks that no process is left, and no zombie.
  });
});

test('a call that is cleared while its pppd is silent and ignores TERM: the control connection outlives it', async (t) => {
  const server = await startServer(t, { timeouts: { establish: 2, pppdExit: 2.5 } }, 'silent', 'ignore');
  const client = await Client.start();
  client.send(CALL);
  await server.waitForPppd('its start', ({ event }) => event === 'started');
  client.send({ type: 'CallClearRequest', callId: CALL.callId });
  assert.equal((await client.next('CallDisconnectNotify')).resultCode, 4);
  // The session ends because no other call follows.
  await client.next('StopControlConnectionRequest');
  const { detail } = await server.waitForLog(
    'the end',
    ({ reason, peer }) => reason === 'noCall' && peer === client.name,
  );
  assert.equal(detail, 'no new call within 2 s after clearing the last one');
});

describe('pppd’s own end', () => {
  test('at once, with an error message: the client is refused with error 6, the log has the message', async (t) => {
    const server = await startServer(t, {}, 'say=stand-in: cannot find\nthe tunnel', 'exit=2');
    const client = await Client.start();
    client.send(CALL);
    const reply = await client.next('OutgoingCallReply');
    assert.deepEqual([reply.resultCode, reply.errorCode, reply.peerCallId], [2, 6, CALL.callId]);
    await client.next('StopControlConnectionRequest');
    await client.closed;
    const { detail, peer } = await server.waitForLog('the end', ({ reason }) => reason === 'pppdFailed');
    assert.match(String(detail), /stand-in: cannot find the tunnel/);
    assert.match(String(detail), /exit code 2/);
    assert.equal(peer, client.name);
  });

  test('at once and without a word: the same, with the exit code', async (t) => {
    const server = await startServer(t, {}, 'exit=1');
    const client = await Client.start();
    client.send(CALL);
    assert.equal((await client.next('OutgoingCallReply')).errorCode, 6);
    await client.closed;
    const { detail } = await server.waitForLog('the end', ({ reason }) => reason === 'pppdFailed');
    assert.match(String(detail), /exit code 1/);
  });

  test('while a second call is refused: each request has its own answer', async (t) => {
    await startServer(t, {}, 'exit=1');
    const client = await Client.start();
    client.send(CALL, { ...CALL, callId: 2 });
    const busy = await client.next('OutgoingCallReply');
    assert.deepEqual([busy.peerCallId, busy.errorCode], [2, 4]);
    const failed = await client.next('OutgoingCallReply');
    assert.deepEqual([failed.peerCallId, failed.errorCode], [CALL.callId, 6]);
  });

  test('in service: the client hears Call-Disconnect-Notify 1 and a stop', async (t) => {
    const server = await startServer(t, {}, 'leave');
    const tunnel = await Tunnel.open(t);
    const { client, reply } = tunnel;
    // LCP opens, and the stand-in goes.
    await tunnel.openLcp();
    const notice = await client.next('CallDisconnectNotify');
    assert.deepEqual([notice.callId, notice.resultCode], [reply.callId, 1]);
    assert.equal((await client.next('StopControlConnectionRequest')).reason, 1);
    await client.closed;
    await server.waitForLog('the end', ({ reason, peer }) => reason === 'pppdExited' && peer === client.name);
  });

  test('just after a frame: the frame still goes out, however late the worker looks', async (t) => {
    const server = await startServer(t, {}, 'goodbye');
    const tunnel = await Tunnel.open(t);
    await tunnel.openLcp();
    const [session] = await server.sessions();
    assert(session?.pppdPid);
    process.kill(session.pid, 'SIGSTOP');
    process.kill(session.pppdPid, 'SIGTERM');
    await server.waitForPppd('its end', ({ event }) => event === 'ended');
    process.kill(session.pid, 'SIGCONT');
    const goodbye = await tunnel.nextFrame(LCP);
    assert.equal(goodbye[0], TERMINATE_REQUEST);
    await tunnel.client.closed;
  });

  test('by KILL: the same', async (t) => {
    const server = await startServer(t);
    const { client, reply } = await Client.call();
    const { pid } = await server.waitForPppd('its start', ({ event }) => event === 'started');
    process.kill(pid, 'SIGKILL');
    const notice = await client.next('CallDisconnectNotify');
    assert.deepEqual([notice.callId, notice.resultCode], [reply.callId, 1]);
    await client.closed;
    const { detail } = await server.waitForLog('the end', ({ reason }) => reason === 'pppdExited');
    assert.match(String(detail), /signal 9/);
  });
});

test('a process that was to become pppd, and was killed before: the client has another', async (t) => {
  const server = await startServer(t);
  const client = await Client.start();
  const [session] = await server.sessions();
  await killChildrenOf(session?.pid);
  await client.echo();
  client.send(CALL);
  assert.equal((await client.next('OutgoingCallReply')).resultCode, 1);
  const { pid } = await server.waitForPppd('its start', ({ event }) => event === 'started');
  assert.equal((await server.sessions())[0]?.pppdPid, pid);
});

test('a pppd that sends no frame within timeouts.establish: the client is refused with error 6', async (t) => {
  const server = await startServer(t, { timeouts: { establish: 3 } }, 'silent');
  const client = await Client.start();
  client.send(CALL);
  const reply = await client.next('OutgoingCallReply');
  assert.deepEqual([reply.resultCode, reply.errorCode, reply.peerCallId], [2, 6, CALL.callId]);
  await client.closed;
  await server.waitForPppd('its end', ({ event }) => event === 'ended');
});

test('a pppd that never sends a frame is ended with its client', async (t) => {
  const server = await startServer(t, {}, 'silent');
  const client = await Client.start();
  client.send(CALL);
  await server.waitForPppd('its start', ({ event }) => event === 'started');
  await client.echo();
  client.end();
  await server.waitForPppd('its end', ({ event }) => event === 'ended');
  await server.waitForSessions(0);
});

test('words before the first frame do not come in its way, and none of them reaches the client', async (t) => {
  await startServer(t, {}, 'say=stand-in: a warning\n');
  const tunnel = await Tunnel.open(t);
  await tunnel.openLcp();
  assert(tunnel.packets.every(({ payload }) => !payload.includes('warning')));
});

const faults = {
  'broken frames': 'noise',
  'a frame of 64 KiB': 'large',
} as const;
for (const [what, option] of Object.entries(faults)) {
  test(`${what} from pppd are dropped and counted, and the session goes on`, async (t) => {
    const server = await startServer(t, {}, option);
    const tunnel = await Tunnel.open(t);
    await tunnel.openLcp();
    await tunnel.assertRelays('still there');
    const [session] = await server.sessions();
    const dropped = Object.entries(session?.counters ?? {}).filter(
      ([name, count]) => name.startsWith('pty') && count > 0,
    );
    assert(dropped.length > 0, JSON.stringify(session?.counters));
  });
}
