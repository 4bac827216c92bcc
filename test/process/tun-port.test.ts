/**
 * The relay between a real TUN device and real GRE packets, in a network namespace of its own:
 *
 *     TCP of this kernel ── TUN ── relay 192.0.2.1 ── lo ── 192.0.2.2 test as client ── TUN ── TCP of another namespace
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { afterEach, before, describe, type TestContext, test } from 'node:test';
import { PacketBuffers } from '../../src/gre/packet-buffers.js';
import { Relay, type RelayCounters, type RelayFailure, type RelayOptions } from '../../src/gre/relay.js';
import type { Framing, Network } from '../../src/link/builtin/data-path.js';
import { CIPHER_HEADER, FATAL, type FrameCipher, OUT_OF_SYNC } from '../../src/link/tun/frame-cipher.js';
import { TunPort, type TunPortEvent } from '../../src/link/tun/tun-port.js';
import { SharedMemory } from '../../src/sys/shared-memory.js';
import { openTunDevice } from '../../src/sys/tun-device.js';
import { payloadOf, tcp4, tcp6 } from '../unit/link/tun/packets.js';
import { ECHO_PORT, FarHost } from './support/far-host.js';
import { buildGre, type GreFields, readGre } from './support/gre-packet.js';
import { openGreSocket } from './support/gre-socket.js';
import { enterNamespace } from './support/netns.js';
import { ip } from './support/station.js';
import { until } from './support/wait.js';
import { CLIENT, RELAYED_CALL, SERVER, SERVER_CALL } from './support/relayed-call.js';

/** Inside the tunnel. */
const LOCAL = '198.51.100.1';
const REMOTE = '198.51.100.2';
const REMOTE_NUMBER = 0xc633_6402;
/** Of all tests of a group. */
const TIMEOUT = 200_000;
const MTU = 1400;
const UP: Network = { client: REMOTE_NUMBER, ipv6: true, mtu: MTU };
const LONG: Framing = { compressProtocol: false, compressAddress: false };
const SHORT: Framing = { compressProtocol: true, compressAddress: true };

enterNamespace(SERVER, CLIENT);

before(() => {
  for (const which of ['default', 'all']) writeFileSync(`/proc/sys/net/ipv6/conf/${which}/router_solicitations`, '0');
});

const octets = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const LCP_REQUEST = octets('ff03 c021 0101 000a 0506 deadbeef');
const IPCP_REQUEST = octets('ff03 8021 0101 000a 0306 c0000201');

/** Stands for MPPE: a count, and every octet exclusive-or'ed with it. */
class CountCipher implements FrameCipher {
  readonly #octets: Uint8Array;
  readonly #view: DataView;
  #sent = 0;

  constructor(memory: Uint8Array) {
    this.#octets = memory;
    this.#view = new DataView(memory.buffer, memory.byteOffset, memory.length);
  }

  encrypt(at: number, length: number): number {
    this.#view.setUint16(at - CIPHER_HEADER, this.#sent & 0xffff);
    this.#crypt(at, length, this.#sent);
    this.#sent += 1;
    return length + CIPHER_HEADER;
  }

  decrypt(at: number, length: number): number {
    if (length <= CIPHER_HEADER) return -3;
    const count = this.#view.getUint16(at);
    if (count === 0xfffe) return OUT_OF_SYNC;
    if (count === 0xffff) return FATAL;
    this.#crypt(at + CIPHER_HEADER, length - CIPHER_HEADER, count);
    return length - CIPHER_HEADER;
  }

  #crypt(at: number, length: number, count: number): void {
    const key = (count * 31 + 0x5a) & 0xff;
    for (let each = at; each < at + length; each += 1) this.#octets[each] = (this.#octets[each] ?? 0) ^ key;
  }
}

/** The client's PPP: packets to data frames and back, octet by octet. */
class ClientPpp {
  readonly #encrypts: boolean;
  readonly #framing: Framing;
  #sent = 0;

  constructor(encrypts: boolean, framing: Framing) {
    this.#encrypts = encrypts;
    this.#framing = framing;
  }

  frame(packet: Buffer): Buffer {
    const plain = this.#withProtocol((packet[0] ?? 0) >> 4 === 6 ? 0x57 : 0x21, packet);
    if (!this.#encrypts) return this.#withAddress(plain);
    const encrypted = Buffer.concat([Buffer.alloc(CIPHER_HEADER), plain]);
    encrypted.writeUInt16BE(this.#sent % 0xfff0);
    this.#sent += 1;
    new CountCipher(encrypted).decrypt(0, encrypted.length);
    return this.#withAddress(this.#withProtocol(0xfd, encrypted));
  }

  /** null: not data. Throws for a frame that is not as it was agreed. */
  packet(frame: Buffer): Buffer | null {
    const withoutAddress = this.#framing.compressAddress && frame[0] !== 0xff ? frame : frame.subarray(2);
    assert.equal(withoutAddress.length < frame.length, frame[0] === 0xff);
    const [protocol, rest] = this.#protocolOf(withoutAddress);
    if (protocol >= 0x8000) return null;
    if (!this.#encrypts) return packetOf(protocol, rest);
    assert.equal(protocol, 0xfd);
    const encrypted = Buffer.from(rest);
    new CountCipher(encrypted).decrypt(0, encrypted.length);
    return packetOf(...this.#protocolOf(encrypted.subarray(CIPHER_HEADER)));
  }

  #withAddress = (frame: Buffer): Buffer =>
    this.#framing.compressAddress ? frame : Buffer.concat([Uint8Array.of(0xff, 3), frame]);

  #withProtocol = (protocol: number, rest: Buffer): Buffer =>
    Buffer.concat([Uint8Array.from(this.#framing.compressProtocol ? [protocol] : [0, protocol]), rest]);

  #protocolOf(frame: Buffer): [number, Buffer] {
    if (((frame[0] ?? 0) & 1) === 0) return [frame.readUInt16BE(0), frame.subarray(2)];
    assert.ok(this.#framing.compressProtocol);
    return [frame[0] ?? 0, frame.subarray(1)];
  }
}

function packetOf(protocol: number, packet: Buffer): Buffer {
  assert.equal((packet[0] ?? 0) >> 4, protocol === 0x21 ? 4 : 6);
  return packet;
}

class Call {
  readonly events: TunPortEvent[] = [];
  readonly ends: RelayFailure[] = [];
  readonly frames: Buffer[] = [];
  readonly port: TunPort;
  readonly relay: Relay;
  readonly name: string;
  onFrame: (frame: Buffer) => void = () => {};
  onControl: (frame: Buffer) => void = () => {};
  readonly #memory = new SharedMemory();
  readonly #socket = openGreSocket(CLIENT);
  readonly #acknowledges: boolean;
  #sent = 0;
  #received = 0;

  constructor(options: Partial<RelayOptions> = {}) {
    this.#acknowledges = options.window === 'enforce';
    const buffers = new PacketBuffers(this.#memory);
    const onEvent = (event: TunPortEvent): void => {
      this.events.push('frame' in event ? { ...event, frame: Buffer.from(event.frame) } : event);
    };
    this.port = new TunPort({ memory: this.#memory, buffers, onEvent });
    const { fd, name } = openTunDevice('ppp%d');
    this.name = name;
    this.port.open(fd);
    ip(`address add ${LOCAL} peer ${REMOTE} dev ${name}`);
    ip(`address add 2001:db8::1/64 dev ${name} nodad`);
    ip(`link set ${name} mtu ${MTU} up`);
    this.#socket.on('message', (packet) => this.#recv(packet));
    this.relay = new Relay({
      ...RELAYED_CALL,
      buffers,
      port: this.port,
      limitBursts: true,
      onEvent: (event) => {
        if (event.type === 'ended') this.ends.push(event.failure);
        else if (event.type === 'control' && event.direction === 'fromClient') this.onControl(Buffer.from(event.frame));
      },
      ...options,
    });
  }

  /** LCP's first frame has reached the client, which is what the relay waits for. */
  async started(framing: Framing = LONG, encrypts = false): Promise<this> {
    this.port.queueControl(LCP_REQUEST);
    this.relay.sendQueued();
    await until('the first frame', () => this.frames.length > 0);
    this.port.setFraming(framing);
    this.port.setRequireEncryption(encrypts);
    this.port.setEncryption(encrypts ? new CountCipher(this.#memory.octets) : null);
    return this;
  }

  send(payload: Buffer): void {
    this.#transmit({ sequence: this.#sent, acknowledgment: this.#received, payload });
    this.#sent += 1;
  }

  #transmit(fields: Pick<GreFields, 'sequence' | 'acknowledgment' | 'payload'>): void {
    const packet = buildGre({ from: CLIENT, to: SERVER, callId: SERVER_CALL, ...fields });
    this.#socket.send(packet, 0, packet.length, SERVER, (error) => assert.equal(error, null));
  }

  #recv(packet: Buffer): void {
    const { payload, sequence } = readGre(packet);
    if (sequence === null) return;
    this.#received = sequence;
    if (this.#acknowledges) this.#transmit({ acknowledgment: sequence });
    this.frames.push(payload);
    this.onFrame(payload);
  }

  async counted(name: keyof RelayCounters, count: number): Promise<void> {
    await until(`${name} of ${count}`, () => this.relay.counters()[name] >= count);
    assert.equal(this.relay.counters()[name], count);
  }

  close(): void {
    this.relay.close();
    this.#socket.close();
  }
}

/** Joins the call and a far host. */
async function farHost(t: TestContext, call: Call, ppp: ClientPpp): Promise<void> {
  const far = await FarHost.start(t, {
    address: REMOTE,
    peer: LOCAL,
    address6: '2001:db8::2/64',
    mtu: MTU,
    onPacket: (packet) => call.send(ppp.frame(packet)),
  });
  call.onFrame = (frame) => {
    const packet = ppp.packet(frame);
    if (packet !== null) far.recv(packet);
  };
}

const digest = (text: Buffer): string => createHash('sha256').update(text).digest('hex');

/** Sends `sent` to the echo server while it comes back. */
async function echoed(host: string, sent: Buffer): Promise<Buffer> {
  const socket = connect(ECHO_PORT, host);
  socket.end(sent);
  const parts: Buffer[] = [];
  for await (const part of socket) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

let call: Call;
afterEach(() => call.close());

describe('TCP of two kernels', { timeout: TIMEOUT }, () => {
  for (const [name, host, framing, encrypts] of [
    ['IPv4, as it is', REMOTE, LONG, false],
    ['IPv4, encrypted', REMOTE, LONG, true],
    ['IPv4, encrypted, short headers', REMOTE, SHORT, true],
    ['IPv4, short headers', REMOTE, SHORT, false],
    ['IPv6, encrypted', '2001:db8::2', LONG, true],
  ] as const) {
    test(`${name}: every octet goes and returns, in super packets`, async (t) => {
      call = await new Call().started(framing, encrypts);
      call.port.setNetwork(UP);
      await farHost(t, call, new ClientPpp(encrypts, framing));
      const sent = Buffer.concat(Array.from({ length: 40 }, (_, index) => payloadOf(50_021, index)));
      assert.equal(digest(await echoed(host, sent)), digest(sent));
      const { txCut, rxJoined, ...counters } = call.relay.counters();
      assert.ok(txCut > 500 && rxJoined > 100, `${txCut} cut, ${rxJoined} joined`);
      const faults = Object.entries(counters).filter(
        ([key, count]) => /^rx(Un|Mal|Tun|For)|^tx(Too|Bad)/.test(key) && count,
      );
      assert.deepEqual(faults, []);
      for (const frame of call.frames) assert.ok(frame.length <= MTU + 8);
    });
  }

  test('nothing is sent beyond an enforced window, and nothing is lost by that', async (t) => {
    call = await new Call({ window: 'enforce', peerWindow: 8 }).started();
    call.port.setNetwork(UP);
    await farHost(t, call, new ClientPpp(false, LONG));
    const sent = payloadOf(500_000);
    assert.equal(digest(await echoed(REMOTE, sent)), digest(sent));
    assert.equal(call.relay.counters().windowExceeded, 0);
  });
});

/** As pptp-linux announces it: bursts are the shortest. */
const SHORT_WINDOW = 3;

test('a client that acknowledges nothing receives everything, though in bounded bursts', {
  timeout: TIMEOUT,
}, async (t) => {
  call = await new Call({ peerWindow: SHORT_WINDOW }).started();
  call.port.setNetwork(UP);
  const socket = createSocket('udp4');
  t.after(() => socket.close());
  const numbers = Array.from({ length: 300 }, (_, index) => index);
  for (const number of numbers) socket.send(Buffer.from([number >> 8, number]), 9, REMOTE);
  const udp = (): Buffer[] => call.frames.filter((frame) => frame[3] === 0x21 && frame[13] === 17);
  await until('all', () => udp().length === numbers.length);
  assert.deepEqual(
    udp().map((frame) => frame.readUInt16BE(frame.length - 2)),
    numbers,
  );
});

describe('control frames', { timeout: TIMEOUT }, () => {
  test('are sent at once, as they are, also before the network is up', async () => {
    call = await new Call().started(SHORT, true);
    call.port.queueControl(IPCP_REQUEST);
    call.relay.sendQueued();
    await until('both', () => call.frames.length === 2);
    assert.deepEqual(call.frames, [LCP_REQUEST, IPCP_REQUEST]);
    assert.equal(call.relay.counters().txPackets, 2);
  });

  test('that answer one of the client go with the same turn', async () => {
    call = await new Call().started();
    call.onControl = (frame) => {
      call.port.queueControl(frame);
      call.relay.sendQueued();
    };
    for (let count = 0; count < 20; count += 1) call.send(IPCP_REQUEST);
    await until('the answers', () => call.frames.length === 21);
    assert.deepEqual(
      call.frames.slice(1),
      Array.from({ length: 20 }, () => IPCP_REQUEST),
    );
    assert.equal(call.relay.counters().rxPackets, 20);
  });

  test('are part of bursts, which are bounded', async () => {
    call = await new Call({ peerWindow: SHORT_WINDOW }).started();
    const queue = (): void => {
      for (let count = 0; count < 64; count += 1) call.port.queueControl(IPCP_REQUEST);
      call.relay.sendQueued();
    };
    queue();
    assert.equal(call.relay.counters().txPackets, 65);
    queue();
    // 65 are not acknowledged, so the rate applies, which counts for two milliseconds at most.
    assert.ok(call.relay.counters().txPackets <= 65 + 16);
    await until('all', () => call.frames.length === 129);
  });

  test('wait while the relay is held back, the first of them', async () => {
    call = await new Call().started();
    call.relay.holdBack(true);
    for (let count = 0; count < 100; count += 1) call.port.queueControl(IPCP_REQUEST);
    call.relay.sendQueued();
    assert.deepEqual([call.relay.counters().txPackets, call.relay.counters().txControlFull], [1, 36]);
    call.relay.holdBack(false);
    await until('those that were kept', () => call.frames.length === 65);
  });
});

describe('data frames that are dropped', { timeout: TIMEOUT }, () => {
  const packet = tcp4({ from: REMOTE, to: LOCAL, payload: payloadOf(10) });

  test('before the network protocol is up, both ways', async (t) => {
    call = await new Call().started();
    call.send(Buffer.concat([octets('0021'), packet]));
    call.send(Buffer.concat([octets('57'), tcp6({})]));
    call.send(octets('00fd 9000 1234'));
    await call.counted('rxNotReady', 3);
    call.port.setNetwork({ client: REMOTE_NUMBER, ipv6: false, mtu: MTU });
    call.send(Buffer.concat([octets('57'), tcp6({})]));
    await call.counted('rxNotReady', 4);
    call.port.setNetwork(null);
    const socket = connect(ECHO_PORT, REMOTE);
    t.after(() => socket.destroy());
    await until('SYN', () => call.relay.counters().txNotReady > 0);
    assert.deepEqual(call.frames, [LCP_REQUEST]);
  });

  test('that are not encrypted although they must be', async () => {
    call = await new Call().started(LONG, true);
    call.port.setNetwork(UP);
    call.send(Buffer.concat([octets('ff03 0021'), packet]));
    call.send(Buffer.concat([octets('21'), packet]));
    await call.counted('rxUnencrypted', 2);
    call.port.setRequireEncryption(false);
    call.send(Buffer.concat([octets('21'), packet]));
    await call.counted('rxPackets', 3);
    await call.counted('rxUnencrypted', 2);
  });

  test('that the cipher does not take; it says what is to be done', async () => {
    call = await new Call().started(LONG, true);
    call.port.setNetwork(UP);
    for (const frame of ['00fd 90', 'fd fffe 01', 'ff03 fd ffff 01']) call.send(octets(frame));
    await call.counted('rxUndecryptable', 3);
    assert.deepEqual(call.events, [{ type: 'resetNeeded' }, { type: 'fatal' }]);
  });

  test('that are no IP packet, or of an unknown protocol', async () => {
    call = await new Call().started();
    call.port.setNetwork(UP);
    for (const frame of [
      '00',
      '21',
      '0021 45',
      '0021 60' + '00'.repeat(60),
      '57 45' + '00'.repeat(60),
      '57 60',
      '0000 01',
    ])
      call.send(octets(frame));
    await call.counted('rxMalformed', 7);
    call.send(octets('ff03 002b 0102'));
    call.send(octets('2d 0102'));
    await call.counted('rxUnknownProtocol', 2);
    assert.deepEqual(call.events, [
      { type: 'unknownProtocol', protocol: 0x2b, frame: octets('002b 0102') },
      { type: 'unknownProtocol', protocol: 0x2d, frame: octets('2d 0102') },
    ]);
  });

  test('an encrypted control frame', async () => {
    call = await new Call().started(LONG, true);
    const encrypted = octets('0000 c021 0101 0004');
    new CountCipher(encrypted).decrypt(0, encrypted.length);
    call.send(Buffer.concat([octets('00fd'), encrypted]));
    await call.counted('rxMalformed', 1);
    assert.deepEqual(call.events, []);
  });

  test('while the interface is down', async () => {
    call = await new Call().started();
    call.port.setNetwork(UP);
    ip(`link set ${call.name} down`);
    call.send(Buffer.concat([octets('21'), packet]));
    await call.counted('rxTunRefused', 1);
    assert.deepEqual(call.ends, []);
  });

  test('that exceed what the client takes', async (t) => {
    call = await new Call().started();
    call.port.setNetwork({ ...UP, mtu: 1000 });
    const socket = connect(ECHO_PORT, REMOTE);
    t.after(() => socket.destroy());
    // The answer to the kernel's SYN, which allows segments of 1360 octets.
    const syn = await until('SYN', () => call.frames.find((frame) => frame[13] === 6 && ((frame[37] ?? 0) & 2) !== 0));
    const ports = { fromPort: ECHO_PORT, toPort: syn.readUInt16BE(24) };
    const acknowledgment = syn.readUInt32BE(28) + 1;
    const synAck = { acknowledgment, flags: 0x12, sequence: 99, window: 60_000, options: [2, 4, 0x05, 0x50] };
    call.send(Buffer.concat([octets('21'), tcp4({ from: REMOTE, to: LOCAL, ...ports, ...synAck })]));
    socket.write(Buffer.alloc(5000));
    await until('too long', () => call.relay.counters().txTooLong > 0);
  });
});

test('a packet of another source is passed on and counted', async () => {
  call = await new Call().started();
  call.port.setNetwork(UP);
  call.send(Buffer.concat([octets('21'), tcp4({ from: '203.0.113.9', to: LOCAL })]));
  await call.counted('rxForeignSource', 1);
  await call.counted('rxTunRefused', 0);
});

test('a removed device ends the relay', async () => {
  call = await new Call().started();
  ip(`link delete ${call.name}`);
  await until('the end', () => call.ends.length > 0);
  assert.deepEqual(call.ends, [{ kind: 'closed' }]);
});
