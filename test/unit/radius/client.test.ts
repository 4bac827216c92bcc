/** A client with servers that answer, are silent, or lie. Time and sockets are the test's. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type Answer,
  type ClientEvent,
  DEAD_MS,
  MAX_WAITING,
  RadiusClient,
  type RadiusServer,
} from '../../../src/radius/client.js';
import { authenticatorOf, decodePacket, encodeReply } from '../../../src/radius/packet.js';
import { TestClock } from './test-clock.js';

const serverAt = (address: string, secret = address): RadiusServer => ({
  address,
  authPort: 1812,
  acctPort: 1813,
  secret: Buffer.from(secret),
  timeout: 3,
  tries: 2,
});
const ONE = serverAt('192.0.2.1');
const TWO = serverAt('192.0.2.2');

type Sent = Extract<ClientEvent, { type: 'send' }>;

class TestClient {
  readonly clock = new TestClock();
  readonly events: ClientEvent[] = [];
  readonly client: RadiusClient;
  #random = 0;

  constructor(servers: readonly RadiusServer[], requireMessageAuthenticator = true) {
    this.client = new RadiusClient({
      servers,
      requireMessageAuthenticator,
      random: (octets) => {
        this.#random += 1;
        return new Uint8Array(octets).map((_, at) => this.#random >> (8 * at));
      },
      now: () => this.clock.now,
      startTimer: this.clock.startTimer,
      onEvent: (event) => this.events.push(event),
    });
  }

  get sent(): Sent[] {
    return this.events.filter((event) => event.type === 'send');
  }

  get dropped(): string[] {
    return this.events.flatMap((event) => (event.type === 'dropped' ? [event.reason] : []));
  }

  ask(): { answer: Answer | null } {
    const result: { answer: Answer | null } = { answer: null };
    void this.client.ask({ service: 'auth', attributes: () => [] }).then((answer) => (result.answer = answer));
    return result;
  }

  reply(
    { server, octets }: Sent,
    { code = 2, isSigned = true, identifier = octets[1] ?? 0, secret = server.secret } = {},
  ): Uint8Array {
    return encodeReply({ code, identifier, attributes: [] }, { secret, request: authenticatorOf(octets), isSigned });
  }

  recv({ server }: Sent, octets: Uint8Array): void {
    this.client.recv(server, 'auth', octets);
  }
}

const last = (client: TestClient): Sent => client.sent.at(-1) ?? assert.fail('nothing was sent');
/** Lets what was resolved run. */
const settle = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a question', () => {
  test('is answered by the first server', async () => {
    const client = new TestClient([ONE, TWO]);
    const asked = client.ask();
    client.recv(last(client), client.reply(last(client)));
    await settle();
    assert.equal(asked.answer?.answered, true);
    assert.deepEqual([client.sent.length, client.clock.timers], [1, 0]);
  });

  test('is repeated with the same octets, and answered then', async () => {
    const client = new TestClient([ONE]);
    const asked = client.ask();
    client.clock.pass(3000);
    const [first, second] = client.sent;
    assert.deepEqual(first?.octets, second?.octets);
    client.recv(last(client), client.reply(last(client)));
    await settle();
    assert.equal(asked.answer?.answered, true);
  });

  test('goes to the next server, signed anew, and that one is asked first as long as the other is dead', async () => {
    const client = new TestClient([ONE, TWO]);
    client.ask();
    client.clock.pass(6000);
    assert.deepEqual(
      client.sent.map(({ server }) => server.address),
      [ONE.address, ONE.address, TWO.address],
    );
    const [first, , third] = client.sent;
    assert.notDeepEqual(
      authenticatorOf(first?.octets ?? new Uint8Array()),
      authenticatorOf(third?.octets ?? new Uint8Array()),
    );
    client.recv(last(client), client.reply(last(client)));
    client.ask();
    assert.equal(last(client).server, TWO);
    client.recv(last(client), client.reply(last(client)));
    client.clock.pass(DEAD_MS);
    client.ask();
    assert.equal(last(client).server, ONE);
    client.recv(last(client), client.reply(last(client)));
    await settle();
    assert.deepEqual(
      client.events.filter(({ type }) => type === 'dead' || type === 'alive').map(({ type }) => type),
      ['dead', 'alive'],
    );
  });

  test('of which a slow server answers a repetition counts; what comes after the next server was asked does not', async () => {
    const client = new TestClient([ONE, TWO]);
    const asked = client.ask();
    const slow = last(client);
    client.clock.pass(3000);
    // The answer to the first try is as good for the second: they are the same request.
    client.recv(slow, client.reply(slow));
    await settle();
    assert.equal(asked.answer?.answered, true);
    const again = client.ask();
    const late = last(client);
    client.clock.pass(6000);
    assert.equal(last(client).server, TWO);
    client.recv(late, client.reply(late));
    await settle();
    assert.deepEqual([again.answer, client.dropped], [null, ['unexpected']]);
    client.recv(last(client), client.reply(last(client)));
    await settle();
    assert.equal(again.answer?.answered, true);
  });

  test('is unanswered when no server answers, also of those that are dead', async () => {
    const client = new TestClient([ONE, TWO]);
    for (const round of [1, 2]) {
      const asked = client.ask();
      client.clock.pass(12_000);
      await settle();
      assert.deepEqual(asked.answer, { answered: false, dropped: new Set() });
      assert.equal(client.sent.length, 4 * round);
    }
    assert.equal(client.clock.timers, 0);
  });

  test('is unanswered when the client is closed', async () => {
    const client = new TestClient([ONE]);
    const asked = client.ask();
    client.client.close();
    await settle();
    assert.equal(asked.answer?.answered, false);
    assert.equal(client.clock.timers, 0);
  });
});

describe('a reply is dropped and counted', () => {
  const cases: Readonly<Record<string, (client: TestClient, sent: Sent) => Uint8Array>> = {
    malformed: () => new Uint8Array(19),
    forged: (client, sent) => client.reply(sent, { secret: Buffer.from('another') }),
    unsigned: (client, sent) => client.reply(sent, { isSigned: false }),
    wrongCode: (client, sent) => client.reply(sent, { code: 5 }),
    unexpected: (client, sent) => client.reply(sent, { identifier: ((sent.octets[1] ?? 0) + 1) & 0xff }),
  };
  for (const [reason, reply] of Object.entries(cases))
    test(reason, async () => {
      const client = new TestClient([ONE]);
      const asked = client.ask();
      client.recv(last(client), reply(client, last(client)));
      assert.deepEqual(client.dropped, [reason]);
      await settle();
      assert.equal(client.clock.timers, 1, 'the right reply may still come');
      client.recv(last(client), client.reply(last(client)));
      await settle();
      assert.equal(asked.answer?.answered, true);
    });

  test('when it comes again, or answers an earlier question of the same identifier', async () => {
    const client = new TestClient([ONE]);
    client.ask();
    const first = last(client);
    const reply = client.reply(first);
    client.recv(first, reply);
    client.recv(first, reply);
    assert.deepEqual(client.dropped, ['unexpected']);
    // 256 questions later.
    for (let count = 0; count < 255; count += 1) {
      client.ask();
      client.recv(last(client), client.reply(last(client)));
    }
    client.ask();
    assert.equal(last(client).octets[1], first.octets[1]);
    client.recv(last(client), reply);
    assert.deepEqual(client.dropped, ['unexpected', 'forged']);
  });

  test('and the failure says why, when no right one comes', async () => {
    const client = new TestClient([ONE]);
    const asked = client.ask();
    client.recv(last(client), client.reply(last(client), { isSigned: false }));
    client.clock.pass(6000);
    await settle();
    assert.deepEqual(asked.answer, { answered: false, dropped: new Set(['unsigned']) });
  });

  test('but not without a signature where none is demanded', async () => {
    const client = new TestClient([ONE], false);
    const asked = client.ask();
    client.recv(last(client), client.reply(last(client), { isSigned: false }));
    await settle();
    assert.equal(asked.answer?.answered, true);
  });
});

test('more questions than identifiers wait, and more than can wait are not asked', async () => {
  const client = new TestClient([ONE]);
  for (let count = 0; count < 256; count += 1) client.ask();
  const identifiers = client.sent.map(({ octets }) => decodePacket(octets)?.identifier);
  assert.equal(new Set(identifiers).size, 256);
  const waits = client.ask();
  assert.equal(client.sent.length, 256);
  const [first = assert.fail()] = client.sent;
  client.recv(first, client.reply(first));
  assert.equal(client.sent.length, 257);
  client.recv(last(client), client.reply(last(client)));
  await settle();
  assert.equal(waits.answer?.answered, true);
  for (let count = 0; count < MAX_WAITING + 1; count += 1) client.ask();
  const tooMany = client.ask();
  await settle();
  assert.equal(tooMany.answer?.answered, false);
});
