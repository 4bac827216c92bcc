/** The link of the builtin engine with a path, a monitor and a client in memory. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { configurationSchema } from '../../../../src/config/schema.js';
import { BuiltinLink } from '../../../../src/link/builtin/builtin-link.js';
import {
  type DataPath,
  type DataPathEvent,
  type DataPathOptions,
  type Network,
  PathNotOpened,
} from '../../../../src/link/builtin/data-path.js';
import type { SessionMonitor } from '../../../../src/link/builtin/session-monitor.js';
import type { EndCause } from '../../../../src/link/end-cause.js';
import type { LinkEvent, LinkKind } from '../../../../src/link/link.js';
import type { MppeBits, MppeMode } from '../../../../src/mschap/mppe.js';
import { settled } from '../../ctrl/client-socket.js';
import { ACCEPT, Client } from '../../ppp/engine/peer.js';

const KEYS = { send: new Uint8Array(16), receive: new Uint8Array(16), weak: null };
const NOT_OPEN: EndCause = { kind: 'device', problem: 'cannot take call id 7 in the kernel: EBUSY' };
const REMOTE = '198.51.100.11';

/** A path that a client of PPP is at the other end of. It writes down what it is told. */
class APath implements DataPath {
  readonly kind: Exclude<LinkKind, 'pppd'>;
  readonly keyLengths: readonly MppeBits[];
  readonly client: Client;
  readonly told: string[] = [];
  readonly #refusal: PathNotOpened | null;
  #onEvent: (event: DataPathEvent) => void = () => undefined;
  network: Network | null = null;

  constructor(
    kind: Exclude<LinkKind, 'pppd'>,
    refusal: PathNotOpened | null = null,
    keyLengths: readonly MppeBits[] = [128, 40],
  ) {
    this.kind = kind;
    this.keyLengths = keyLengths;
    this.#refusal = refusal;
    this.client = new Client({ eager: false, mppe: { keys: keyLengths.slice(0, 1), stateless: true, mppc: false } });
    this.client.onFrame = (frame) => this.emit({ type: 'control', direction: 'fromClient', frame });
  }

  emit(event: DataPathEvent): void {
    setImmediate(() => this.#onEvent(event));
  }

  async open({ onEvent }: DataPathOptions): Promise<string> {
    this.#onEvent = onEvent;
    if (this.#refusal !== null) throw this.#refusal;
    this.client.start(0);
    return Promise.resolve('ppp0');
  }

  send(frame: Uint8Array): void {
    const copy = frame.slice();
    setImmediate(() => this.client.recv(copy, 0));
  }

  flush(): void {}
  setFraming(): void {}
  setRequireEncryption(isRequired: boolean): void {
    this.told.push(isRequired ? 'require encryption' : 'encryption is not required');
  }
  setKeys(): void {
    this.told.push('keys');
  }
  encrypt({ bits }: MppeMode): void {
    this.told.push(`encrypt with ${bits}`);
  }
  stopEncryption(): void {
    this.told.push('stop encryption');
  }
  flushNext(): void {}
  setNetwork(network: Network | null): void {
    this.network = network;
    this.told.push(network === null ? 'no network' : 'network');
  }
  holdBack(): void {}
  setTap(): void {}
  counters(): null {
    return null;
  }
  countStrays(): void {}
  close(): void {
    this.told.push('close');
  }
}

class AMonitor implements SessionMonitor {
  readonly configured: Parameters<SessionMonitor['configure']>[0][] = [];

  async authenticate() {
    const { hasKeys: _, ...accepted } = ACCEPT;
    return Promise.resolve({ ...accepted, keys: KEYS, remote: REMOTE, remoteChoices: [], limits: null });
  }
  async drawChallenge(): Promise<Uint8Array> {
    return Promise.resolve(new Uint8Array(16));
  }
  async openTun(): ReturnType<SessionMonitor['openTun']> {
    return Promise.reject(new Error('the path opens nothing'));
  }
  async openKernel(): ReturnType<SessionMonitor['openKernel']> {
    return Promise.reject(new Error('the path opens nothing'));
  }
  async configure(state: Parameters<SessionMonitor['configure']>[0]): Promise<void> {
    this.configured.push(state);
    return Promise.resolve();
  }
  async close(): Promise<void> {
    return Promise.resolve();
  }
}

class Call {
  readonly events: LinkEvent[] = [];
  readonly monitor = new AMonitor();
  readonly link: BuiltinLink;

  constructor(t: TestContext, path: APath, newFallback: (() => APath) | null = null, ppp: object = {}) {
    this.link = new BuiltinLink(
      {
        configuration: configurationSchema.parse({ ppp: { engine: 'builtin', ...ppp } }),
        session: 'abc123',
        tunnel: { local: '198.51.100.1', remote: null },
        peerAddress: '192.0.2.11',
        localAddress: '192.0.2.1',
        localCallId: 7,
        peerCallId: 9,
        peerWindow: 64,
        onEvent: (event) => this.events.push(event),
      },
      { monitor: this.monitor, path, newFallback },
    );
    t.after(async () => this.link.close({ peerGone: true }));
    this.link.start();
  }

  get types(): string[] {
    return this.events.map(({ type }) => type).filter((type) => type !== 'ppp');
  }
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe('a login', () => {
  test('tells the path its keys before it encrypts, and lets data pass when the interface is configured', async (t) => {
    const path = new APath('kernel');
    const call = new Call(t, path);
    await turns(100);
    const { link, monitor, types } = call;
    assert.deepEqual(path.told, ['require encryption', 'keys', 'require encryption', 'encrypt with 128', 'network']);
    assert.equal(link.interfaceName(), 'ppp0');
    assert.deepEqual(path.network, { client: 0xc633640b, ipv6: false, mtu: 1396 });
    assert.equal(monitor.configured.length, 1);
    assert.deepEqual(types, ['ready']);
  });

  test('offers only the key lengths that the path has', async (t) => {
    const path = new APath('kernel', null, [40]);
    const call = new Call(t, path, null, { encryptionKeys: [128, 40] });
    await turns(100);
    assert.deepEqual(call.types, ['ready']);
    assert(path.told.includes('encrypt with 40'), path.told.join());
  });
});

describe('a path that cannot carry the call', () => {
  test('has another take its place, and the link says so', async (t) => {
    const [first, second] = [new APath('kernel', new PathNotOpened(NOT_OPEN, true)), new APath('tun')];
    const call = new Call(t, first, () => second);
    await settled();
    assert.deepEqual(call.types, ['fellBack', 'ready']);
    assert.deepEqual(call.events[0], {
      type: 'fellBack',
      from: 'kernel',
      to: 'tun',
      because: 'cannot take call id 7 in the kernel: EBUSY',
    });
    assert.equal(call.link.kind, 'tun');
    assert.deepEqual(first.told, ['close']);
    await turns(100);
    assert(second.told.includes('network'));
  });

  for (const [why, isTaken, newFallback] of [
    ['for another reason', false, () => new APath('tun')],
    ['without another', true, null],
  ] as const)
    test(`${why} ends the link`, async (t) => {
      const call = new Call(t, new APath('kernel', new PathNotOpened(NOT_OPEN, isTaken)), newFallback);
      await settled();
      assert.deepEqual(call.events, [{ type: 'ended', cause: NOT_OPEN }]);
    });
});

test('a path that fails ends the link once, with its cause', async (t) => {
  const path = new APath('kernel');
  const call = new Call(t, path);
  await turns(100);
  path.emit({ type: 'ended', cause: NOT_OPEN });
  path.emit({ type: 'ended', cause: { kind: 'undecryptable' } });
  await turns(3);
  assert.deepEqual(
    call.events.filter(({ type }) => type === 'ended'),
    [{ type: 'ended', cause: NOT_OPEN }],
  );
});

test('packets that cannot be decrypted at all end the link', async (t) => {
  const path = new APath('kernel');
  const call = new Call(t, path);
  await turns(100);
  path.emit({ type: 'fatal' });
  await turns(3);
  assert.deepEqual(call.events.at(-1), { type: 'ended', cause: { kind: 'undecryptable' } });
});

describe('the timers of an idle link', () => {
  /** LCP, Echo-Request (RFC 1661 §5.8). */
  const ECHO_REQUEST = Uint8Array.of(0xff, 0x03, 0xc0, 0x21, 9, 1, 0, 8, 1, 2, 3, 4);
  /** How many timers are started while the client asks twice whether the server is there. */
  async function startedByEchoes(t: TestContext, ppp: object): Promise<number> {
    const path = new APath('kernel');
    const call = new Call(t, path, null, ppp);
    await turns(100);
    assert(path.told.includes('network'), call.types.join());
    const sent = t.mock.method(path, 'send');
    const started = t.mock.method(globalThis, 'setTimeout');
    for (let count = 0; count < 2; count += 1)
      path.emit({ type: 'control', direction: 'fromClient', frame: ECHO_REQUEST });
    await turns(3);
    assert.equal(sent.mock.callCount(), 2, 'it answers');
    return started.mock.callCount();
  }

  test('a packet of the client that changes no deadline starts none: the old one would wake the worker, too', async (t) => {
    assert.equal(await startedByEchoes(t, {}), 0);
  });

  test('without LCP echoes none runs', async (t) => {
    const running = (): number => process.getActiveResourcesInfo().filter((type) => type === 'Timeout').length;
    const before = running();
    assert.equal(await startedByEchoes(t, { lcpEcho: { interval: 0, failures: 4 } }), 0);
    assert.equal(running(), before);
  });
});
