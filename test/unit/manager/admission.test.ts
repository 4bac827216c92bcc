/** Which connections become clients, and what is said of the others: with connections, blocks and sessions in memory. */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { type ConfigurationInput, configurationSchema } from '../../../src/config/schema.js';
import { Admission, type Client } from '../../../src/manager/admission.js';
import { encode } from '../../../src/pptp/index.js';
import { ClientSocket, settled } from '../ctrl/client-socket.js';
import { EXAMPLES } from '../pptp/examples.js';

const START = encode(EXAMPLES.StartControlConnectionRequest.message);
const CALL = encode(EXAMPLES.OutgoingCallRequest.message);
const ADDRESS = '198.51.100.7';

/** An accepted connection, and the client at its other end. */
class Connection extends ClientSocket {
  readonly remoteAddress: string | undefined;
  readonly remotePort = 40_123;
  readonly localAddress = '192.0.2.1';
  /** How often the kernel was told to keep what comes. */
  stopped = 0;
  readonly _handle = { readStop: () => void (this.stopped += 1) };

  constructor(remoteAddress: string | undefined) {
    super();
    this.remoteAddress = remoteAddress;
  }
}

class Fixture {
  readonly clients: Client[] = [];
  readonly refused: (string | undefined)[][] = [];
  readonly blocked: string[] = [];
  readonly sessions: string[] = [];
  readonly admission: Admission;
  readonly #t: TestContext;

  constructor(t: TestContext, configuration: ConfigurationInput = {}) {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    t.mock.method(performance, 'now', () => 1234.5);
    this.#t = t;
    this.admission = new Admission({
      configuration: configurationSchema.parse(configuration),
      refusedClients: { count: (...all) => void this.refused.push(all) },
      isBlocked: (address) => this.blocked.includes(address),
      sessionsOf: (address) => this.sessions.filter((each) => each === address).length,
      onClient: (client) => void this.clients.push(client),
    });
  }

  reconfigure(configuration: ConfigurationInput): void {
    this.admission.reconfigure(configurationSchema.parse(configuration));
  }

  connect(address: string | undefined = ADDRESS): Connection {
    const connection = new Connection(address);
    this.admission.accept(connection as unknown as Socket);
    return connection;
  }

  /** One that has sent its start request, and this behind it. */
  async client(...more: readonly Uint8Array[]): Promise<{ connection: Connection; client: Client }> {
    const connection = this.connect();
    connection.sendBytes(Buffer.concat([START, ...more]));
    await settled();
    const [client] = this.clients.splice(0);
    assert(client !== undefined, 'it is a client');
    return { connection, client };
  }

  get causes(): (string | undefined)[] {
    return this.refused.map(([cause]) => cause);
  }

  pass(seconds: number): void {
    this.#t.mock.timers.tick(seconds * 1000);
  }
}

describe('a connection is closed at once', () => {
  const closed = async (fixture: Fixture, cause: string, address = ADDRESS): Promise<void> => {
    fixture.refused.length = 0;
    const connection = fixture.connect(address);
    assert.equal(connection.destroyed, true);
    await settled();
    assert.deepEqual(fixture.refused, [[cause, `${address}:40123`, undefined]]);
  };
  const waits = (fixture: Fixture, address = ADDRESS): void => {
    fixture.refused.length = 0;
    assert.equal(fixture.connect(address).destroyed, false);
    assert.deepEqual(fixture.refused, []);
  };

  test('if its address is not allowed, as configured now', async (t) => {
    const fixture = new Fixture(t, { access: { deny: [ADDRESS] } });
    await closed(fixture, 'accessDenied');
    waits(fixture, '198.51.100.8');
    fixture.reconfigure({});
    waits(fixture);
  });

  test('if its address is blocked', async (t) => {
    const fixture = new Fixture(t);
    fixture.blocked.push(ADDRESS);
    await closed(fixture, 'blocked');
    waits(fixture, '198.51.100.8');
    fixture.blocked.length = 0;
    waits(fixture);
  });

  test('if its address has as many sessions and connections as limits.perSource allows', async (t) => {
    const fixture = new Fixture(t, { limits: { perSource: 2 } });
    fixture.sessions.push(ADDRESS, '198.51.100.8');
    waits(fixture);
    await closed(fixture, 'perSource');
    waits(fixture, '198.51.100.8');
    fixture.reconfigure({ limits: { perSource: 3 } });
    waits(fixture);
    await closed(fixture, 'perSource');
  });

  test('if its address has one already, with perSource 1', async (t) => {
    const fixture = new Fixture(t, { limits: { perSource: 1 } });
    waits(fixture);
    await closed(fixture, 'perSource');
  });

  test('and never for the number of its address’s sessions with perSource 0', (t) => {
    const fixture = new Fixture(t, { limits: { perSource: 0 } });
    fixture.sessions.push(ADDRESS, ADDRESS);
    for (let count = 0; count < 5; count += 1) waits(fixture);
  });

  for (const missing of ['remoteAddress', 'remotePort', 'localAddress']) {
    test(`and not counted when it has gone already and has no ${missing}`, async (t) => {
      const fixture = new Fixture(t);
      const connection = new Connection(ADDRESS);
      Object.defineProperty(connection, missing, { value: undefined });
      fixture.admission.accept(connection as unknown as Socket);
      assert.equal(connection.destroyed, true);
      await settled();
      assert.deepEqual(fixture.refused, []);
    });
  }
});

describe('a connection without a start request', () => {
  test('is closed after timeouts.firstMessage, whatever it has sent', async (t) => {
    const fixture = new Fixture(t, { timeouts: { firstMessage: 10 } });
    const connection = fixture.connect();
    fixture.pass(9);
    connection.sendBytes(START.subarray(0, -1));
    await settled();
    fixture.pass(0.9);
    assert.deepEqual([fixture.refused, connection.destroyed], [[], false]);
    fixture.pass(0.1);
    assert.deepEqual(fixture.refused, [['noFirstMessage', `${ADDRESS}:40123`, undefined]]);
    assert.equal(connection.destroyed, true);
    await settled();
    assert.equal(fixture.refused.length, 1);
  });

  test('is closed when limits.pending others have come after it', async (t) => {
    const fixture = new Fixture(t, { limits: { pending: 2 } });
    const [first, second] = [fixture.connect(), fixture.connect('198.51.100.8')];
    assert.deepEqual(fixture.refused, []);
    const third = fixture.connect();
    assert.deepEqual(fixture.refused, [['evicted', `${ADDRESS}:40123`, undefined]]);
    assert.deepEqual(
      [first, second, third].map(({ destroyed }) => destroyed),
      [true, false, false],
    );
    await settled();
    fixture.pass(60);
    assert.deepEqual(fixture.causes, ['evicted', 'noFirstMessage', 'noFirstMessage']);
  });

  test('is not closed for others with pending 0', (t) => {
    const fixture = new Fixture(t, { limits: { pending: 0, perSource: 0 } });
    for (let count = 0; count < 20; count += 1) fixture.connect();
    assert.deepEqual(fixture.refused, []);
  });

  test('that has become a client is none of those', async (t) => {
    const fixture = new Fixture(t, { limits: { pending: 1, perSource: 1 } });
    await fixture.client();
    const second = fixture.connect();
    assert.deepEqual(fixture.refused, []);
    fixture.connect('198.51.100.8');
    assert.deepEqual([fixture.causes, second.destroyed], [['evicted'], true]);
  });

  const ends: Readonly<Record<string, (connection: Connection) => void>> = {
    'closes its half': (connection) => connection.sendEnd(),
    'is reset': (connection) => connection.fail('read ECONNRESET'),
    'is closed': (connection) => void connection.destroy(),
  };
  for (const [what, end] of Object.entries(ends)) {
    test(`has left when it ${what}, once, and counts no more`, async (t) => {
      const fixture = new Fixture(t, { limits: { perSource: 1 } });
      const connection = fixture.connect();
      connection.sendBytes(START.subarray(0, 20));
      await settled();
      end(connection);
      await settled();
      assert.deepEqual(fixture.refused, [['left', `${ADDRESS}:40123`, undefined]]);
      assert.equal(connection.destroyed, true);
      fixture.pass(60);
      fixture.connect();
      assert.deepEqual(fixture.causes, ['left']);
    });
  }

  for (const [what, bytes, detail] of [
    ['is no PPTP', Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'), /./],
    ['is another message', CALL, /^OutgoingCallRequest before the start$/],
  ] as const) {
    test(`is closed when what it sends ${what}`, async (t) => {
      const fixture = new Fixture(t);
      const connection = fixture.connect();
      connection.sendBytes(bytes);
      connection.sendBytes(START);
      await settled();
      assert.equal(connection.destroyed, true);
      assert.deepEqual(fixture.causes, ['notPptp']);
      assert.match(fixture.refused[0]?.[2] ?? '', detail);
      assert.deepEqual(fixture.clients, []);
    });
  }

  test('is closed without a word when the manager stops', async (t) => {
    const fixture = new Fixture(t);
    const connections = [fixture.connect(), fixture.connect()];
    fixture.admission.close();
    assert.deepEqual(
      connections.map(({ destroyed }) => destroyed),
      [true, true],
    );
    await settled();
    fixture.pass(60);
    assert.deepEqual(fixture.refused, []);
    fixture.admission.close();
  });
});

describe('a client', () => {
  test('is one that has sent a whole start request, in one piece', async (t) => {
    const fixture = new Fixture(t);
    const { client, connection } = await fixture.client();
    const { socket, peer, localAddress, admittedAt, hasLeft } = client;
    assert.deepEqual(
      { peer, localAddress, admittedAt, hasLeft },
      { peer: { address: ADDRESS, port: 40_123 }, localAddress: '192.0.2.1', admittedAt: 1234.5, hasLeft: false },
    );
    assert.equal(socket, connection);
    assert.deepEqual(client.takeBytes(), START);
    assert.deepEqual(
      [connection.isPaused(), connection.stopped, connection.listenerCount('readable')],
      [true, 1, 0],
      'nothing more is read of it here',
    );
    fixture.pass(60);
    assert.deepEqual([fixture.refused, connection.destroyed], [[], false]);
  });

  test('is one that has sent it byte by byte, and no sooner', async (t) => {
    const fixture = new Fixture(t);
    const connection = fixture.connect();
    for (const byte of START) {
      assert.deepEqual(fixture.clients, []);
      connection.sendBytes(Buffer.of(byte));
      await settled();
    }
    assert.deepEqual(fixture.clients.length, 1);
    assert.deepEqual(fixture.clients[0]?.takeBytes(), START);
  });

  test('loses nothing that comes with the request or while it waits', async (t) => {
    const fixture = new Fixture(t);
    const { client, connection } = await fixture.client(CALL.subarray(0, 10));
    for (const byte of CALL.subarray(10)) {
      connection.sendBytes(Buffer.of(byte));
      await settled();
    }
    assert.equal(client.hasLeft, false);
    assert.deepEqual(client.takeBytes(), Buffer.concat([START, CALL]));
    assert.equal(fixture.clients.length, 0);
  });

  test('has left when it has closed its half, or is gone; nobody counts it twice', async (t) => {
    const fixture = new Fixture(t);
    const closed = await fixture.client();
    closed.connection.sendEnd();
    await settled();
    assert.equal(closed.client.hasLeft, true);
    const broken = await fixture.client();
    broken.connection.fail('read ECONNRESET');
    await settled();
    assert.equal(broken.client.hasLeft, true);
    assert.deepEqual(fixture.refused, []);
  });

  test('has not left when it has closed its half behind words that nobody has read', async (t) => {
    const fixture = new Fixture(t);
    const { client, connection } = await fixture.client();
    connection.sendBytes(CALL);
    connection.sendEnd();
    await settled();
    assert.equal(client.hasLeft, false);
    assert.deepEqual(client.takeBytes(), Buffer.concat([START, CALL]));
  });
});
