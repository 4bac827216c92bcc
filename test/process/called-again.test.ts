/**
 * A client that lost its connection without a word calls again while its last session is still there, with the same address
 * and call id: what the old session's pppd says would reach the new session, and its LCP Terminate-Request would end it.
 */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { CALL, Client } from './support/client.js';
import { GrePeer } from './support/gre-peer.js';
import { enterNamespace } from './support/netns.js';
import { CLIENT_ADDRESSES, type LogLine, type Server, SERVER_ADDRESS, startServer } from './support/server.js';
import { IPV4, parseFrame, Tunnel } from './support/tunnel.js';
import { until } from './support/wait.js';

enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES);

const [HERE, THERE] = CLIENT_ADDRESSES;
/** As older pptp-linux call. */
const CALL_ID = 0;
const LCP = 0xc021;
const TERMINATE_REQUEST = 5;

/** All GRE that comes to an address, whosesoever it is. */
class Wire {
  readonly #peer: GrePeer;

  constructor(t: TestContext, address: string) {
    this.#peer = new GrePeer(address, SERVER_ADDRESS, 0);
    t.after(() => this.#peer.close());
  }

  get frames(): readonly { readonly protocol: number; readonly data: Buffer }[] {
    return this.#peer.payloads.flatMap((payload) => parseFrame(payload) ?? []);
  }

  get terminations(): number {
    return this.frames.filter(({ protocol, data }) => protocol === LCP && data[0] === TERMINATE_REQUEST).length;
  }

  has(text: string): boolean {
    return this.frames.some(({ protocol, data }) => protocol === IPV4 && data.toString() === text);
  }
}

async function tunnel(t: TestContext, from: string): Promise<Tunnel> {
  const opened = await Tunnel.open(t, from, CALL_ID);
  await opened.openLcp();
  return opened;
}

const endOf = async (server: Server, { name }: Client): Promise<LogLine> =>
  server.waitForLog('the end', ({ msg, peer }) => peer === name && msg.startsWith('session ended'));

/** pppds that take leave of their clients. */
const serve = async (t: TestContext): Promise<Server> => startServer(t, {}, 'goodbye');

test('a client that shows no sign of life on its old connection: that ends without a word to the new session', async (t) => {
  const server = await serve(t);
  const wire = new Wire(t, HERE);
  const bystander = await tunnel(t, THERE);
  const old = await tunnel(t, HERE);
  const asked = old.client.next('EchoRequest');
  const next = await Tunnel.call(t, await Client.start(HERE), HERE, CALL_ID);
  await asked;
  // What the old pppd has to send meanwhile waits too.
  await old.sendFrame(IPV4, Buffer.from('to the old session'));
  const { reason, detail } = await endOf(server, old.client);
  assert.deepEqual([reason, detail], ['calledAgain', 'no Echo-Reply within 3 s']);
  const failure = await server.waitForLog('why', ({ cause }) => cause === 'calledAgain');
  assert.equal(failure.level, 'warn');
  await server.waitForSessions(2);
  await next.openLcp();
  await next.assertRelays('to the new session');
  await bystander.assertRelays('to the bystander');
  for (const { client } of [next, bystander]) await client.echo();
  assert.deepEqual([wire.terminations, wire.has('to the old session')], [0, false]);
});

test('a client that answers on both: both stay, and one warning says so', async (t) => {
  const server = await serve(t);
  const wire = new Wire(t, HERE);
  const old = await tunnel(t, HERE);
  old.client.answersEchoes = true;
  const next = await Tunnel.call(t, await Client.start(HERE), HERE, CALL_ID);
  const warning = await server.waitForLog('the warning', ({ cause }) => cause === 'callIdShared');
  assert.deepEqual([warning.level, warning.peer], ['warn', old.client.name]);
  const states = await server.sessions();
  const at = ({ client }: Tunnel) => states.find(({ peer }) => `${peer.address}:${peer.port}` === client.name);
  assert.equal(at(old)?.warning?.cause, 'callIdShared');
  assert.equal(at(next)?.warning, null);
  assert.equal(warning['other'], at(next)?.session);
  for (const each of [old, next]) {
    await each.sendFrame(IPV4, Buffer.from(each.client.name));
    await until(`what goes to ${each.client.name}`, () => wire.has(each.client.name));
  }
  // The third one has both asked; only the one that had not warned yet does.
  next.client.answersEchoes = true;
  await Tunnel.call(t, await Client.start(HERE), HERE, CALL_ID);
  await server.waitForLog(
    'the next warning',
    ({ cause, peer }) => cause === 'callIdShared' && peer === next.client.name,
  );
  for (const { client } of [old, next]) {
    client.answersEchoes = false;
    await client.echo();
  }
  assert.equal(server.log.all.filter(({ cause }) => cause === 'callIdShared').length, 2);
});

test('any other message is a sign of life too', async (t) => {
  const server = await serve(t);
  const old = await tunnel(t, HERE);
  await Tunnel.call(t, await Client.start(HERE), HERE, CALL_ID);
  await old.client.next('EchoRequest');
  old.client.send({ ...CALL, callId: 7 });
  // There is one call at a time.
  assert.equal((await old.client.next('OutgoingCallReply')).resultCode, 2);
  await server.waitForLog('the warning', ({ cause }) => cause === 'callIdShared');
  await old.client.echo();
});
