/**
 * Changed control messages and changed GRE packets against a running server, with another session beside it: at the
 * worst a client loses its own. The short form of `npm run fuzz -- --live`, which sets PPTPD_TS_FUZZ (a factor) to 20.
 */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { decode, encode, TCP_PORT } from '../../src/pptp/index.js';
import { connect, type Socket } from 'node:net';
import { mutate } from '../fuzz/mutate.js';
import { type Random, randomFrom } from '../fuzz/random.js';
import * as captures from '../unit/ppp/captures.js';
import { ALL_EXAMPLES } from '../unit/pptp/examples.js';
import { Client, START } from './support/client.js';
import { GreFlood } from './support/gre-flood.js';
import { enterNamespace } from './support/netns.js';
import { CLIENT_ADDRESSES, SERVER_ADDRESS, type Server, startServer } from './support/server.js';
import { Tunnel } from './support/tunnel.js';

const [ATTACKER, BYSTANDER, NEWCOMER] = CLIENT_ADDRESSES;
enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES);

const FACTOR = Number(process.env['PPTPD_TS_FUZZ'] ?? '1');
const SEED = Number(process.env['PPTPD_TS_FUZZ_SEED'] ?? '2637');
const MESSAGES = 5000 * FACTOR;
const PACKETS = 50_000 * FACTOR;
/** Messages on one connection, if it lives so long. */
const PER_CONNECTION = 50;
const PER_TURN = 500;
const HEADER = 12;
const IP_HEADER = 20;
const GRE_HEADER = 8;

const none = new Uint8Array(1);
const SETTINGS = { log: { level: 'info' }, timeouts: { pppdExit: 0.2 } } as const;

/** A message with changes anywhere, or only behind a header that stays sound. */
function changedMessage(random: Random): Uint8Array {
  const any = (): Uint8Array => ALL_EXAMPLES[random(ALL_EXAMPLES.length)]?.bytes ?? none;
  const message = Buffer.from(any());
  if (random(4) === 0) return mutate(message, any(), random);
  const body = mutate(message.subarray(HEADER), any(), random);
  message.set(body.subarray(0, message.length - HEADER), HEADER);
  return message;
}

async function open(): Promise<Socket> {
  const socket = connect({ host: SERVER_ADDRESS, port: TCP_PORT, localAddress: ATTACKER });
  socket.on('error', () => undefined);
  socket.resume();
  return new Promise((resolve) => socket.on('connect', () => resolve(socket)));
}

/** No worker and no manager has died, and both sessions that should live do. */
async function assertUnharmed(t: TestContext, server: Server, bystander: Tunnel): Promise<void> {
  await bystander.client.echo();
  await bystander.assertRelays('beside it');
  const newcomer = await Tunnel.open(t, NEWCOMER, 99);
  await newcomer.openLcp();
  await newcomer.assertRelays('afterwards');
  assert.deepEqual(
    server.log.all.filter(({ level, msg }) => level === 'fatal' || / died|uncaught/i.test(msg)),
    [],
  );
  assert.equal(server.words, '');
}

test(`${MESSAGES} changed control messages`, async (t) => {
  const server = await startServer(t, SETTINGS);
  const bystander = await Tunnel.open(t, BYSTANDER, 2);
  await bystander.openLcp();
  const random = randomFrom(SEED);
  const start = encode(START);
  let [sent, connections] = [0, 0];
  while (sent < MESSAGES) {
    const socket = await open();
    connections += 1;
    const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
    const messages = Array.from({ length: PER_CONNECTION }, () => changedMessage(random));
    // Up to the first that ends the connection: what is behind it nobody reads.
    const lethal = messages.findIndex((message) => {
      const decoded = decode(message);
      return !decoded.ok && decoded.error.fatal;
    });
    const read = lethal === -1 ? messages : messages.slice(0, lethal + 1);
    sent += read.length;
    socket.write(random(20) === 0 ? mutate(start, start, random) : start);
    for (const message of read) socket.write(message);
    socket.end();
    await closed;
  }
  t.diagnostic(`seed ${SEED}: ${sent} messages on ${connections} connections`);
  await assertUnharmed(t, server, bystander);
});

/** What a client sends, as frames: real negotiations, and data. */
const FRAMES = Object.values(captures)
  .flat()
  .filter((line) => line.startsWith('>'))
  .map((line) => Buffer.from(line.slice(2), 'hex'));

test(`${PACKETS} changed GRE packets`, async (t) => {
  const server = await startServer(t, SETTINGS);
  const bystander = await Tunnel.open(t, BYSTANDER, 2);
  await bystander.openLcp();
  const random = randomFrom(SEED);
  const gre = new GreFlood(SERVER_ADDRESS);
  t.after(() => gre.close());
  let { client, reply } = await Client.call(ATTACKER);
  let isClosed = false;
  const watch = (): void => {
    isClosed = false;
    const watched = client;
    void watched.closed.then(() => (isClosed ||= watched === client));
  };
  watch();
  let [sequence, calls] = [0, 1];
  while (gre.sent < PACKETS) {
    if (isClosed) {
      ({ client, reply } = await Client.call(ATTACKER));
      watch();
      sequence = 0;
      calls += 1;
    }
    const { callId } = reply;
    await gre.flood(PER_TURN, () => {
      const payload = FRAMES[random(FRAMES.length)] ?? none;
      const sound = gre.build({
        from: ATTACKER,
        callId,
        sequence: (sequence += 1),
        acknowledgment: random(64),
        payload,
      });
      const changed = mutate(sound.subarray(IP_HEADER), payload, random);
      // Most keep the words by which the kernel sorts them, so that they reach the worker.
      if (changed.length >= GRE_HEADER && random(10) > 0) changed.set(sound.subarray(IP_HEADER + 1, IP_HEADER + 4), 1);
      if (changed.length >= GRE_HEADER && random(10) > 0) changed.set(sound.subarray(IP_HEADER + 6, IP_HEADER + 8), 6);
      return Buffer.concat([sound.subarray(0, IP_HEADER), changed]);
    });
    if (!isClosed && gre.sent % (PER_TURN * 20) === 0) await bystander.assertRelays('amid the packets');
  }
  t.diagnostic(`seed ${SEED}: ${gre.sent} packets in ${calls} calls`);
  client.end();
  await client.closed;
  await assertUnharmed(t, server, bystander);
});
