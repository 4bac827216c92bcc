/**
 * The relay between a real pty and real GRE packets, in a network namespace of its own:
 *
 *     test as pppd ── pty ── relay 192.0.2.1 ── lo ── 192.0.2.2 test as client
 */
import assert from 'node:assert/strict';
import { constants, existsSync, readdirSync, readFileSync } from 'node:fs';
import { afterEach, describe, test } from 'node:test';
import { PacketBuffers } from '../../src/gre/packet-buffers.js';
import { type Direction, Relay, type RelayEvent, type RelayFailure, type RelayOptions } from '../../src/gre/relay.js';
import { PtyPort } from '../../src/link/pppd/pty-port.js';
import { SharedMemory } from '../../src/sys/shared-memory.js';
import { GrePeer } from './support/gre-peer.js';
import { enterNamespace } from './support/netns.js';
import { PtyEnd } from './support/pty-end.js';
import { until } from './support/wait.js';
import { CLIENT, CLIENT_CALL, RELAYED_CALL, SERVER, SERVER_CALL } from './support/relayed-call.js';

const STRANGER = '192.0.2.3';
/** Of all tests of a group. */
const TIMEOUT = 200_000;
// fcntl.h
const O_CLOEXEC = 0o2000000;

enterNamespace(SERVER, CLIENT, STRANGER);

const octets = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const LCP_REQUEST = octets('ff03 c021 0101 000a 0506 deadbeef');
const LCP_ACK = octets('ff03 c021 0201 000a 0506 deadbeef');
/** An IPv4 packet in PPP, as data goes, with every octet value in it. */
const DATA = Buffer.from([0x00, 0x21, ...Array.from({ length: 256 }, (_, octet) => octet)]);
const data = (number: number, length = 64): Buffer => {
  const frame = Buffer.alloc(length, number & 0xff);
  frame.writeUInt16BE(0x0021, 0);
  frame.writeUInt32BE(number, 2);
  return frame;
};
const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** The relay's two neighbours and what it has told. */
class Call {
  readonly pty: PtyEnd;
  peer = new GrePeer(CLIENT, SERVER, SERVER_CALL);
  readonly relay: Relay;
  text = '';
  readonly control: [Direction, string][] = [];
  readonly ends: RelayFailure[] = [];
  onControl: () => void = () => {};

  readonly port: PtyPort;

  constructor(options: Partial<RelayOptions> = {}, pty = new PtyEnd()) {
    this.pty = pty;
    [this.relay, this.port] = this.#open(options);
  }

  /** A second relay on the same pty. */
  another(options: Partial<RelayOptions> = {}): Relay {
    const [relay] = this.#open({ localCallId: SERVER_CALL + 1, ...options });
    return relay;
  }

  #open(options: Partial<RelayOptions>): [Relay, PtyPort] {
    const buffers = new PacketBuffers(new SharedMemory());
    const port = new PtyPort(buffers.memory, buffers);
    port.open(this.pty.master, (chunk) => (this.text += chunk));
    const relay = new Relay({
      ...RELAYED_CALL,
      buffers,
      port,
      onEvent: (event) => this.#recv(event),
      ...options,
    });
    return [relay, port];
  }

  #recv(event: RelayEvent): void {
    if (event.type === 'control') {
      this.control.push([event.direction, Buffer.from(event.frame).toString('hex')]);
      this.onControl();
    } else if (event.type === 'ended') {
      this.ends.push(event.failure);
    }
  }

  /** pppd's first frame has reached the client. */
  async started(): Promise<this> {
    this.pty.makeRaw();
    await this.pty.send(LCP_REQUEST);
    await this.toClient(1);
    return this;
  }

  async toClient(count: number): Promise<Buffer[]> {
    return until(`${count} frames at the client`, () => this.peer.payloads.length >= count && this.peer.payloads);
  }

  async toPppd(count: number): Promise<readonly Buffer[]> {
    return until(`${count} frames at pppd`, () => this.pty.read().length >= count && this.pty.frames);
  }

  async counted(name: keyof ReturnType<Relay['counters']>, least: number): Promise<void> {
    await until(`${name} of ${least}`, () => this.relay.counters()[name] >= least);
  }

  close(): void {
    this.relay.close();
    this.peer.close();
    this.pty.close();
  }
}

/** Without the one that readdir itself has open. */
const descriptors = (): string[] => readdirSync('/proc/self/fd').filter((fd) => existsSync(`/proc/self/fd/${fd}`));

function closedByExec(fd: string): boolean {
  const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '';
  return (Number.parseInt(flags, 8) & O_CLOEXEC) !== 0;
}

let call: Call;
afterEach(() => call.close());

describe('frames', { timeout: TIMEOUT }, () => {
  test('go both ways, every octet value, and are numbered from 0', async () => {
    call = await new Call().started();
    await call.pty.send(DATA, DATA);
    assert.deepEqual(await call.toClient(3), [LCP_REQUEST, DATA, DATA]);
    assert.deepEqual(
      call.peer.packets.filter(({ sequence }) => sequence !== null).map(({ callId, sequence }) => [callId, sequence]),
      [0, 1, 2].map((sequence) => [CLIENT_CALL, sequence]),
    );
    await call.peer.sendAll(7, [LCP_ACK, DATA]);
    assert.deepEqual(await call.toPppd(2), [LCP_ACK, DATA]);
    const { rxPackets, rxBytes, txPackets, txBytes } = call.relay.counters();
    assert.deepEqual([rxPackets, rxBytes], [2, LCP_ACK.length + DATA.length]);
    assert.deepEqual([txPackets, txBytes], [3, LCP_REQUEST.length + 2 * DATA.length]);
  });

  test('data is escaped as the ACCM asks, control frames always fully', async () => {
    call = await new Call().started();
    await call.peer.send({ sequence: 0, payload: DATA });
    await call.toPppd(1);
    const fully = call.pty.octets;
    call.port.setSendAccm(0);
    await call.peer.send({ sequence: 1, payload: DATA });
    await call.toPppd(2);
    const sparsely = call.pty.octets - fully;
    // 32 control characters in the payload, and one in the protocol field.
    assert.equal(fully - sparsely, 33);
    await call.peer.send({ sequence: 2, payload: LCP_ACK });
    await call.toPppd(3);
    // Flags, frame and FCS, and an escape for each octet below 0x20.
    const controls = LCP_ACK.filter((octet) => octet < 0x20).length;
    assert.ok(call.pty.octets - fully - sparsely >= LCP_ACK.length + 4 + controls);
  });

  test('a thousand each way at once, none lost, none out of order', async () => {
    call = await new Call().started();
    const frames = range(1000).map((number) => data(number));
    for (const batch of range(20)) {
      const some = frames.slice(batch * 50, batch * 50 + 50);
      await call.pty.send(...some);
      await call.peer.sendAll(batch * 50, some);
      await call.toPppd(batch * 50 + 50);
    }
    assert.deepEqual(await call.toClient(1001), [LCP_REQUEST, ...frames]);
    assert.deepEqual(await call.toPppd(1000), frames);
  });

  test('a broken frame of pppd is dropped and counted', async () => {
    call = await new Call().started();
    await call.pty.write(octets('7e 0021 4500 1234 7e 7e 0021 45 7d 7e'));
    await call.pty.send(DATA);
    assert.deepEqual(await call.toClient(2), [LCP_REQUEST, DATA]);
    const { ptyBadFcs, ptyAborted } = call.relay.counters();
    assert.deepEqual([ptyBadFcs, ptyAborted], [1, 1]);
  });
});

describe('the start', { timeout: TIMEOUT }, () => {
  test('what the pty says before the first frame is text', async () => {
    call = new Call();
    await call.pty.write(Buffer.from('warning: ~/.ppprc\n'));
    await call.started();
    assert.equal(call.text, 'warning: ~/.ppprc\r\n');
  });

  test("what the client sends before pppd's first frame waits for it", async () => {
    call = new Call();
    await call.peer.sendAll(0, [LCP_REQUEST, DATA]);
    assert.deepEqual([call.pty.read(), call.relay.counters().rxPackets], [[], 0]);
    await call.started();
    assert.deepEqual(await call.toPppd(2), [LCP_REQUEST, DATA]);
  });
});

describe('control frames are told', { timeout: TIMEOUT }, () => {
  test('both ways, and data is not', async () => {
    call = await new Call().started();
    const ipcp = octets('8021 0101 000a 0306 c0000201');
    await call.peer.sendAll(0, [LCP_ACK, DATA, ipcp]);
    await call.toPppd(3);
    await call.pty.send(octets('21 45'), ipcp);
    await call.toClient(3);
    assert.deepEqual(call.control, [
      ['toClient', LCP_REQUEST.toString('hex')],
      ['fromClient', LCP_ACK.toString('hex')],
      ['fromClient', ipcp.toString('hex')],
      ['toClient', ipcp.toString('hex')],
    ]);
  });

  test('and what a listener promises is kept without another event', async () => {
    call = new Call();
    call.pty.makeRaw();
    const told = new Promise<void>((resolve) => {
      call.onControl = resolve;
    });
    await call.pty.send(LCP_REQUEST);
    await told;
  });
});

describe('strangers', { timeout: TIMEOUT }, () => {
  test('wrong address and wrong call id stay in the kernel', async () => {
    call = await new Call().started();
    for (const number of range(50)) {
      await call.peer.send({ sequence: number, payload: DATA, callId: SERVER_CALL + 1 });
      await call.peer.send({ sequence: number, payload: DATA, from: STRANGER });
      await call.peer.send({ sequence: number, payload: DATA, flags: 0x3000 });
    }
    await call.peer.send({ sequence: 0, payload: LCP_ACK });
    assert.deepEqual(await call.toPppd(1), [LCP_ACK]);
    const counters = Object.entries(call.relay.counters());
    const dropped = counters.filter(([name, count]) => /^rx(Too|Wrong|Trunc|No|Late|Dup|Out)/.test(name) && count > 0);
    assert.deepEqual(dropped, []);
  });

  test('while no frame of the client has come they are counted for who asks, a few of them', async () => {
    call = await new Call().started();
    const counted = (): readonly number[] => {
      call.relay.countStrays();
      const { rxWrongVersion, rxWrongProtocol, rxWrongCallId, rxPackets } = call.relay.counters();
      return [rxWrongVersion, rxWrongProtocol, rxWrongCallId, rxPackets];
    };
    await call.peer.send({ sequence: 0, payload: DATA, flags: 0x3000 });
    await call.peer.send({ sequence: 0, payload: DATA, protocol: 0x0800 });
    await call.peer.send({ sequence: 0, payload: DATA, from: STRANGER, flags: 0x3000 });
    for (const callId of [SERVER_CALL + 1, SERVER_CALL + 2])
      await call.peer.send({ sequence: 0, payload: DATA, callId });
    assert.deepEqual(counted(), [1, 1, 2, 0]);
    // More than wait.
    for (const number of range(1000)) await call.peer.send({ sequence: number, payload: DATA, flags: 0x3000 });
    const [versions = 0] = counted();
    assert.ok(versions > 5 && versions < 100, `${versions} of 1000`);
    await call.peer.send({ sequence: 0, payload: LCP_ACK });
    await call.toPppd(1);
    await call.peer.send({ sequence: 1, payload: DATA, flags: 0x3000 });
    assert.deepEqual(counted(), [versions, 1, 2, 1]);
  });

  test('junk with the right call id is counted by reason, and traffic goes on', async () => {
    call = await new Call().started();
    await call.peer.send({ sequence: 0, payload: data(0) });
    for (const number of range(200)) {
      await call.peer.send({ sequence: 1, payload: DATA, flags: 0xb001 });
      await call.peer.send({ sequence: 1, payload: DATA, length: 9999 });
      await call.peer.send({ payload: DATA });
      await call.peer.send({ sequence: 1_000_000 + number * 7919, payload: DATA });
      await call.peer.send({ sequence: 0, payload: DATA });
      await call.peer.send({ acknowledgment: 5_000_000 + number });
      await call.peer.send({ sequence: 1, payload: Buffer.alloc(2200) });
    }
    await call.peer.send({ sequence: 1, payload: data(1) });
    assert.deepEqual(await call.toPppd(2), [data(0), data(1)]);
    const { rxWrongFlags, rxTruncated, rxNoSequence, rxOutsideWindow, rxDuplicate, acksImpossible, rxTooLong } =
      call.relay.counters();
    assert.deepEqual(
      [rxWrongFlags, rxTruncated, rxNoSequence, rxOutsideWindow, rxDuplicate, acksImpossible, rxTooLong],
      range(7).map(() => 200),
    );
  });
});

describe('a client out of reach', { timeout: TIMEOUT }, () => {
  test("ICMP's protocol unreachable is counted and ends nothing", async () => {
    call = await new Call().started();
    call.peer.close();
    for (const errors of [1, 2, 3]) {
      await call.pty.send(DATA);
      await call.counted('icmpErrors', errors);
    }
    call.peer = new GrePeer(CLIENT, SERVER, SERVER_CALL);
    await call.pty.send(LCP_REQUEST);
    assert.deepEqual((await call.toClient(1)).at(-1), LCP_REQUEST);
    await call.peer.send({ sequence: 0, payload: LCP_ACK });
    assert.deepEqual(await call.toPppd(1), [LCP_ACK]);
    assert.deepEqual(call.ends, []);
  });
});

describe('order and acknowledgments', { timeout: TIMEOUT }, () => {
  test('what is missing is waited for, by a timer of its own', async () => {
    call = await new Call().started();
    for (const number of [0, 2, 3]) await call.peer.send({ sequence: number, payload: data(number) });
    assert.deepEqual(await call.toPppd(3), [data(0), data(2), data(3)]);
    assert.equal(call.relay.counters().rxLost, 1);
    for (const number of [5, 4]) await call.peer.send({ sequence: number, payload: data(number) });
    assert.deepEqual((await call.toPppd(5)).slice(3), [data(4), data(5)]);
  });

  test('a number without payload is neither waited for nor lost, and no frame; what it acknowledges counts', async () => {
    call = await new Call().started();
    await call.peer.send({ sequence: 0, payload: data(0) });
    await call.peer.send({ sequence: 1, acknowledgment: 0 });
    await call.peer.send({ sequence: 2, payload: data(2) });
    // Also where it comes before its turn.
    await call.peer.send({ sequence: 4 });
    await call.peer.send({ sequence: 5, payload: data(5) });
    await call.peer.send({ sequence: 3, payload: data(3) });
    await call.peer.send({ sequence: 6 });
    await until('acknowledgment 6', () => call.peer.acknowledgments.includes(6));
    assert.deepEqual(await call.toPppd(4), [data(0), data(2), data(3), data(5)]);
    const { rxPackets, rxBytes, rxEmpty, rxHeld, rxLost, rxLate, rxDuplicate, ...others } = call.relay.counters();
    assert.deepEqual(
      { rxPackets, rxBytes, rxEmpty, rxHeld, rxLost, rxLate, rxDuplicate },
      { rxPackets: 4, rxBytes: 4 * 64, rxEmpty: 3, rxHeld: 2, rxLost: 0, rxLate: 0, rxDuplicate: 0 },
    );
    assert.deepEqual([others.acksReceived, others.outstanding], [1, 0]);
  });

  test('a stream of numbers without payload uses up no slot, and data goes on behind it', async () => {
    call = await new Call().started();
    await call.peer.send({ sequence: 0, payload: data(0) });
    for (let batch = 1; batch < 1001; batch += 50) {
      // Every second pair in the wrong order.
      for (const number of range(50)) await call.peer.send({ sequence: batch + (number ^ ((number >> 1) & 1)) });
      await until(`acknowledgment ${batch + 49}`, () => call.peer.acknowledgments.includes(batch + 49));
    }
    await call.peer.send({ sequence: 1001, payload: data(1) });
    assert.deepEqual(await call.toPppd(2), [data(0), data(1)]);
    const { rxPackets, rxLost, rxOutsideWindow } = call.relay.counters();
    assert.deepEqual([rxPackets, rxLost, rxOutsideWindow], [2, 0, 0]);
  });

  test('one packet is acknowledged though no data goes back', async () => {
    call = await new Call().started();
    await call.peer.send({ sequence: 41, payload: DATA });
    await until('its acknowledgment', () => call.peer.acknowledgments.includes(41));
    assert.deepEqual(call.peer.packets.at(-1)?.sequence, null);
  });

  test('a client that keeps to a window of 64 is never left waiting', async () => {
    call = await new Call().started();
    for (let sent = 0; sent < 640; sent += 64) {
      await call.peer.sendAll(
        sent,
        range(64).map((number) => data(number)),
      );
      await until(`acknowledgment ${sent + 63}`, () => call.peer.acknowledgments.at(-1) === sent + 63);
    }
    assert.equal((await call.toPppd(640)).length, 640);
  });

  test('acknowledgments ride on data', async () => {
    call = await new Call().started();
    await call.peer.send({ sequence: 9, payload: DATA });
    await call.pty.send(DATA);
    const carrier = await until('data with an acknowledgment', () =>
      call.peer.packets.find(({ sequence, acknowledgment }) => sequence === 1 || acknowledgment === 9),
    );
    assert.equal(carrier.acknowledgment ?? 9, 9);
  });

  test('an enforced window holds frames back until they are acknowledged', async () => {
    call = await new Call({ window: 'enforce', peerWindow: 4 }).started();
    await call.peer.send({ acknowledgment: 0 });
    const sending = call.pty.send(...range(200).map((number) => data(number)));
    for (const number of range(200)) {
      await call.toClient(number + 2);
      const { outstanding, window } = call.relay.counters();
      assert.ok(outstanding <= window, `${outstanding} unacknowledged with a window of ${window}`);
      await call.peer.send({ acknowledgment: number + 1 });
    }
    await sending;
    assert.deepEqual(
      call.peer.payloads.slice(1),
      range(200).map((number) => data(number)),
    );
  });

  test('an enforced window holds back more frames than there is room for: those that are read and not taken apart yet', async () => {
    call = await new Call({ window: 'enforce', peerWindow: 2 }).started();
    const frames = range(250).map((number) => data(number, 8));
    const sending = call.pty.send(...frames);
    let sawUnread = false;
    for (const number of range(frames.length)) {
      await call.toClient(number + 1);
      sawUnread ||= call.port.hasUnread;
      await call.peer.send({ acknowledgment: number });
    }
    assert.deepEqual((await call.toClient(frames.length + 1)).slice(1), frames);
    await sending;
    assert(sawUnread, 'no read brought more frames than there are slots');
  });

  test('an enforced window opens by time-out when the client never acknowledges', async () => {
    call = await new Call({ window: 'enforce', peerWindow: 2 }).started();
    await call.pty.send(data(0), data(1));
    assert.deepEqual(await call.toClient(3), [LCP_REQUEST, data(0), data(1)]);
    assert.ok(call.relay.counters().windowTimeouts >= 1);
  });

  test('the same where more frames were read than there are slots: nothing but the time-out moves them on', async () => {
    call = await new Call({ window: 'enforce', peerWindow: 128 }).started();
    // Half of it may be outstanding, and half of that after the time-out.
    const [first, second] = [64, 32];
    // So few that one read takes them all.
    const frames = range(130).map((number) => data(number, 8));
    await call.pty.send(...frames);
    await until('more than the slots hold', () => call.port.hasUnread);
    assert.deepEqual((await call.toClient(first + second)).slice(1), frames.slice(0, first + second - 1));
  });
});

describe('held back', { timeout: TIMEOUT }, () => {
  for (const window of ['advise', 'enforce'] as const) {
    test(`nothing is sent, and all of it afterwards (window: ${window})`, async () => {
      call = await new Call({ window, peerWindow: 2 }).started();
      call.relay.holdBack(true);
      await call.pty.send(data(0), data(1));
      await call.peer.send({ sequence: 0, payload: DATA, acknowledgment: 0 });
      // What comes from the client is taken, long before an acknowledgment of it would be due.
      await call.toPppd(1);
      await call.peer.send({ acknowledgment: 0 });
      await call.counted('acksReceived', 2);
      assert.deepEqual([call.peer.payloads, call.peer.acknowledgments], [[LCP_REQUEST], []]);
      call.relay.holdBack(false);
      assert.deepEqual(await call.toClient(3), [LCP_REQUEST, data(0), data(1)]);
      await until('the acknowledgment', () => call.peer.acknowledgments.includes(0));
    });
  }

  test('what a pppd that ends meanwhile has said last is sent, and its end told, afterwards', async () => {
    call = await new Call().started();
    call.relay.holdBack(true);
    await call.pty.send(data(0));
    call.pty.hangUp();
    assert.deepEqual([call.ends, call.peer.payloads.length], [[], 1]);
    call.relay.holdBack(false);
    assert.deepEqual(await call.toClient(2), [LCP_REQUEST, data(0)]);
    await until('the end', () => call.ends.length > 0);
    assert.deepEqual(call.ends, [{ kind: 'closed' }]);
  });
});

describe('limits', { timeout: TIMEOUT }, () => {
  test('a pppd that does not read costs frames, whole ones, and never the relay', async () => {
    call = await new Call().started();
    let sent = 0;
    const dropped = (): number => {
      const { rxPtyFull, rxSocketFull } = call.relay.counters();
      return rxPtyFull + rxSocketFull;
    };
    while (dropped() === 0) {
      await call.peer.sendAll(
        sent,
        range(50).map((index) => data(sent + index, 1400)),
      );
      sent += 50;
      assert.ok(sent < 10_000, 'the queue never filled');
    }
    await call.pty.send(DATA);
    assert.deepEqual((await call.toClient(2))[1], DATA);
    await until('what was queued', () => {
      // Reading is what makes room for the rest.
      const delivered = call.pty.read().length;
      const { rxPackets } = call.relay.counters();
      return rxPackets + dropped() === sent && delivered === rxPackets;
    });
    assert.equal(call.pty.broken, 0);
    const delivered = call.pty.frames.length;
    await call.peer.send({ sequence: sent, payload: DATA });
    assert.deepEqual((await call.toPppd(delivered + 1)).at(-1), DATA);
  });
});

describe('the end', { timeout: TIMEOUT }, () => {
  test("pppd's end is told once", async () => {
    call = await new Call().started();
    call.pty.hangUp();
    await until('the end', () => call.ends.length > 0);
    call.relay.close();
    assert.deepEqual(call.ends, [{ kind: 'closed' }]);
    assert.equal(call.relay.counters().txPackets, 1);
  });

  test('a pty that the system refuses to read is told with the error', async () => {
    call = new Call({}, new PtyEnd(constants.O_WRONLY));
    await call.pty.write(octets('7e'));
    await until('the end', () => call.ends.length > 0);
    assert.deepEqual(call.ends, [{ kind: 'unreadable', code: 'EBADF' }]);
  });

  test('closing twice leaves no descriptor and tells nothing', async () => {
    call = await new Call().started();
    const before = descriptors();
    const second = call.another();
    second.close();
    second.close();
    await until('the descriptors to go', () => descriptors().length <= before.length);
    assert.deepEqual(call.ends, []);
  });

  test('programs started meanwhile inherit none of its descriptors', async () => {
    call = await new Call().started();
    const before = new Set(descriptors());
    const second = call.another();
    const opened = descriptors().filter((fd) => !before.has(fd));
    // Socket, epoll set, socket for strays and pty.
    assert.deepEqual(opened.map(closedByExec), [true, true, true, true]);
    second.close();
  });

  test('addresses that are not ours are refused in one sentence, and leave nothing behind', async () => {
    call = await new Call().started();
    const before = descriptors();
    assert.throws(
      () => call.another({ localAddress: '198.51.100.1' }),
      /^Error: cannot bind GRE to 198\.51\.100\.1: EADDRNOTAVAIL$/,
    );
    assert.deepEqual(descriptors().length, before.length);
  });
});
