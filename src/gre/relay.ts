/**
 * The data path of one call: PPP frames between the client's GRE and the port to PPP. Batches throughout: one recvmmsg, one
 * write, one sendmmsg for many packets, in memory that the kernel and the codecs share. Nothing is allocated per packet
 * and a turn's work is bounded, so that the control connection beside it is never late. Full queues drop and count.
 * test/bench's echo, uplink and downlink rows keep it fast.
 */
import { lastError, MSG_DONTWAIT, recvmmsg, sendmmsg } from '../sys/batch-io.js';
import { monotonicMs } from '../sys/clock.js';
import { lastErrorName } from '../sys/libc.js';
import { Poller } from '../sys/poller.js';
import { ACKNOWLEDGMENT_DELAY, Acknowledgment } from './acknowledgment.js';
import { GreSocket } from './gre-socket.js';
import { decodeHeader, emptyHeader, encodeAcknowledgment, encodeDataHeader, type HeaderFault } from './header.js';
import {
  ACKNOWLEDGMENT_MESSAGE,
  LONGEST_FRAME,
  type PacketBuffers,
  RECEIVE_BATCH,
  SEND_BATCH,
} from './packet-buffers.js';
import type { Port, PortFailure } from './port.js';
import { ReceiveSlots } from './receive-slots.js';
import { noneCounted, type RelayCounters } from './relay-counters.js';
import { SendWindow } from './send-window.js';
import { ReceiveSequence } from './sequence.js';
import { SizeLoss } from './size-loss.js';
import { StraySocket } from './stray-socket.js';

export type { RelayCounters } from './relay-counters.js';

export type Direction = 'fromClient' | 'toClient';

export type RelayEvent =
  /**
   * A PPP frame that is not data: LCP, authentication, NCPs, CCP (protocol 0x8000 and above), without FCS, with or
   * without address and control field, as on the wire. `frame` is a view that is valid only during the call.
   */
  | { readonly type: 'control'; readonly direction: Direction; readonly frame: Uint8Array }
  /** Long frames to the client get lost and shorter ones, of up to `arrives` octets, do not; at most once. */
  | { readonly type: 'blackHole'; readonly arrives: number; readonly missing: number }
  /** The relay has ended by itself and is closed; at most once, never after `close`. */
  | { readonly type: 'ended'; readonly failure: RelayFailure };

/** The port's end, or the GRE socket's: what could not be done, and the error's name (errno(3)). */
export type RelayFailure =
  | PortFailure
  | { readonly kind: 'gre'; readonly step: 'receive' | 'send'; readonly code: string };

export type FrameTap = (direction: Direction, frame: Uint8Array) => void;

export interface RelayOptions {
  readonly localAddress: string;
  readonly peerAddress: string;
  /** The call id that the client's packets carry, and the one that ours do. */
  readonly localCallId: number;
  readonly peerCallId: number;
  /** The client's receive window, packets. */
  readonly peerWindow: number;
  /** What the client was told to be ours, packets. */
  readonly receiveWindow?: number;
  /** Whether sending keeps to the congestion window of RFC 2637 §4.2 or only measures it; advise unless told. */
  readonly window?: 'advise' | 'enforce';
  /** The VRF's device. */
  readonly device?: string | undefined;
  /** This relay's alone. */
  readonly buffers: PacketBuffers;
  /** The relay's from now on: it closes it. */
  readonly port: Port;
  readonly onEvent: (event: RelayEvent) => void;
}

/** Packets that a client may send unacknowledged, as its call's reply tells it (RFC 2637 §2.8). */
export const RECEIVE_WINDOW = 64;
/** Batches and reads of one turn; the rest waits until the event loop has been round. */
const ROUNDS_PER_TURN = 4;
const READS_PER_ROUND = 8;
/** PPP: address and control field (RFC 1662 §3.1), the first protocol that is not data (RFC 1661 §2), LCP. */
const ADDRESS = 0xff;
const CONTROL = 0x03;
const FIRST_CONTROL_PROTOCOL = 0x80;

const FAULT_COUNTERS = {
  tooShort: 'rxTooShort',
  wrongVersion: 'rxWrongVersion',
  wrongProtocol: 'rxWrongProtocol',
  wrongFlags: 'rxWrongFlags',
  wrongCallId: 'rxWrongCallId',
  truncated: 'rxTruncated',
  noSequence: 'rxNoSequence',
} as const satisfies Record<HeaderFault, keyof RelayCounters>;

export class Relay {
  readonly #localCallId: number;
  readonly #peerCallId: number;
  readonly #enforce: boolean;
  readonly #onEvent: (event: RelayEvent) => void;
  readonly #buffers: PacketBuffers;
  readonly #octets: Uint8Array;
  readonly #view: DataView;
  readonly #socket: GreSocket;
  /** null as soon as a frame of the client has come. */
  #strays: StraySocket | null;
  readonly #port: Port;
  readonly #poller: Poller;

  readonly #sequence = new ReceiveSequence();
  readonly #acknowledgment: Acknowledgment;
  readonly #sendWindow: SendWindow;
  readonly #sizeLoss = new SizeLoss();
  #blackHoleTold = false;
  readonly #counters = noneCounted();
  readonly #header = emptyHeader();

  readonly #slots: ReceiveSlots;
  /** The port's descriptor is watched for being writable. */
  #portBlocked = false;
  /** The first filled slot that is not sent. */
  #firstFrame = 0;
  #windowClosed = false;
  /** See `holdBack`. */
  #heldBack = false;

  #started = false;
  /** The socket is watched: the port has room. */
  #receiving = false;
  #closed = false;
  /** Somebody was told something in this turn. */
  #told = false;
  #tap: FrameTap | null = null;

  #acknowledgmentTimer: NodeJS.Timeout | null = null;
  #reorderTimer: NodeJS.Timeout | null = null;
  #windowTimer: NodeJS.Timeout | null = null;

  /**
   * Opens the GRE socket and begins to read the port. The socket is first read when the port's first frame was sent: what
   * the client sends before waits in the kernel. Throws SystemCallFailed or RawSocketRefused when the socket cannot be
   * opened; the port is closed then.
   */
  constructor(options: RelayOptions) {
    const { localAddress, peerAddress, localCallId, device, buffers, port } = options;
    this.#localCallId = localCallId;
    this.#peerCallId = options.peerCallId;
    this.#enforce = options.window === 'enforce';
    this.#onEvent = options.onEvent;
    this.#acknowledgment = new Acknowledgment(options.receiveWindow ?? RECEIVE_WINDOW);
    this.#sendWindow = new SendWindow(options.peerWindow);
    this.#buffers = buffers;
    this.#octets = buffers.memory.octets;
    this.#view = buffers.memory.view;
    this.#slots = new ReceiveSlots(buffers);
    this.#port = port;
    let poller: Poller | undefined;
    try {
      poller = new Poller(() => this.#turn());
      poller.watch(port.fd, true, false);
      this.#socket = new GreSocket({ buffers, localAddress, peerAddress, callId: localCallId, device });
      this.#strays = new StraySocket({ localAddress, peerAddress, callId: localCallId, device });
    } catch (error) {
      poller?.close();
      port.close();
      throw error;
    }
    this.#poller = poller;
  }

  /**
   * Whether nothing is sent to the client for now, neither frames, which wait in the port, nor acknowledgments. What comes
   * from it is taken as ever.
   */
  holdBack(isHeld: boolean): void {
    if (this.#closed || this.#heldBack === isHeld) return;
    this.#heldBack = isHeld;
    this.#watchPort();
    if (!isHeld && this.#windowClosed) this.#resumeSending(monotonicMs());
  }

  /** Has every frame shown to `tap`, as the event `control` shows some; null ends it. */
  setTap(tap: FrameTap | null): void {
    this.#tap = tap;
  }

  /** A copy of what was counted so far; the last figures once closed. */
  counters(): RelayCounters {
    // Into the one object: a literal that spreads it and names more is a dictionary for V8, of 14 KB each time.
    const counters = this.#counters;
    counters.rxLost = this.#sequence.lost;
    counters.rxResyncs = this.#sequence.resyncs;
    counters.rxSocketFull = this.#socket.droppedByKernel();
    this.#port.count(counters);
    const { impossible, window, outstanding, timeouts, exceeded, roundTrip, timeout } = this.#sendWindow;
    counters.acksImpossible = impossible;
    counters.window = window;
    counters.outstanding = outstanding;
    counters.windowTimeouts = timeouts;
    counters.windowExceeded = exceeded;
    counters.roundTrip = roundTrip ?? 0;
    counters.timeout = roundTrip === null ? 0 : timeout;
    return { ...counters };
  }

  /**
   * Counts the GRE packets from the client's address that are not of this call, by what is wrong with them, while the client
   * has sent no PPP frame. They may be the traffic of others behind that address: only an explanation of why no frame came
   * asks for them.
   */
  countStrays(): void {
    for (let packet: Uint8Array | null; (packet = this.#strays?.read() ?? null) !== null; ) {
      const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
      const fault = decodeHeader(view, (view.getUint8(0) & 0x0f) * 4, packet.length, this.#localCallId, this.#header);
      if (fault !== null) this.#counters[FAULT_COUNTERS[fault]] += 1;
    }
  }

  #closeStrays(): void {
    this.#strays?.close();
    this.#strays = null;
  }

  /** Stops timers, closes sockets and port. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.countStrays();
    this.#closeStrays();
    for (const timer of [this.#acknowledgmentTimer, this.#reorderTimer, this.#windowTimer]) {
      if (timer !== null) clearTimeout(timer);
    }
    this.#poller.close();
    this.#socket.close();
    this.#port.close();
  }

  #end(failure: RelayFailure): void {
    if (this.#closed) return;
    this.close();
    this.#emit({ type: 'ended', failure });
  }

  #emit(event: RelayEvent): void {
    this.#told = true;
    this.#onEvent(event);
  }

  /** Something can be read or written; returns whether somebody was told something. */
  #turn(): boolean {
    this.#told = false;
    const now = monotonicMs();
    if (this.#portBlocked) this.#flushPort();
    for (let round = 0; round < ROUNDS_PER_TURN && !this.#closed; round += 1) {
      const received = this.#mayReceive() ? this.#recvPackets(now) : 0;
      if (this.#closed) break;
      // Not at the turn's end: a client that keeps to its window goes on while the rest is done.
      if (this.#acknowledgment.isUrgent) this.#sendAcknowledgment();
      const reads = this.#maySend() ? this.#readPort(now) : 0;
      if (received < RECEIVE_BATCH && reads < READS_PER_ROUND) break;
    }
    if (!this.#closed) this.#endTurn(now);
    return this.#told;
  }

  #endTurn(now: number): void {
    if (this.#sizeLoss.isSuspected && !this.#blackHoleTold) {
      this.#blackHoleTold = true;
      this.#emit({ type: 'blackHole', arrives: this.#sizeLoss.arrives, missing: this.#sizeLoss.missing });
    }
    if (this.#sendWindow.expire(now) && this.#windowClosed) this.#resumeSending(now);
    if (this.#acknowledgment.isUrgent) this.#sendAcknowledgment();
    else if (this.#acknowledgment.isDue && this.#acknowledgmentTimer === null) this.#startAcknowledgmentTimer();
    if (this.#sequence.held > 0 && this.#reorderTimer === null) this.#startReorderTimer(now);
  }

  /** Apart, for a function that makes a closure makes its context whenever it is called. */
  #startAcknowledgmentTimer(): void {
    this.#acknowledgmentTimer = setTimeout(() => {
      this.#acknowledgmentTimer = null;
      if (this.#acknowledgment.isDue) this.#sendAcknowledgment();
    }, ACKNOWLEDGMENT_DELAY);
  }

  // From the client to PPP.

  /**
   * Whether the port has room for a batch. If not, packets wait in the kernel, unacknowledged, which is what
   * slows a client that keeps to its window; one that does not loses them there and costs us nothing.
   */
  #mayReceive(): boolean {
    if (!this.#started) return false;
    const mayReceive = this.#port.makeRoom();
    if (this.#receiving !== mayReceive) {
      this.#receiving = mayReceive;
      this.#poller.watch(this.#socket.fd, mayReceive, false);
    }
    return mayReceive;
  }

  /** One batch; returns how many packets it had, full size after an error so that the caller tries again. */
  #recvPackets(now: number): number {
    const buffers = this.#buffers;
    const count = recvmmsg(this.#socket.fd, buffers.receiveMessages, RECEIVE_BATCH, MSG_DONTWAIT, 0);
    if (count < 0) return this.#recvFailed();
    for (let index = 0; index < count; index += 1) this.#recvPacket(index, buffers.receivedLength(index), now);
    if (this.#strays !== null && this.#counters.rxPackets > 0) this.#closeStrays();
    this.#flushPort();
    return count;
  }

  #recvFailed(): number {
    const error = lastError();
    if (error === 'wouldBlock') return 0;
    if (error === 'broken') {
      this.#end({ kind: 'gre', step: 'receive', code: lastErrorName() });
      return 0;
    }
    this.#counters.icmpErrors += 1;
    return RECEIVE_BATCH;
  }

  #recvPacket(index: number, length: number, now: number): void {
    const counters = this.#counters;
    const header = this.#header;
    const view = this.#view;
    const slot = this.#slots.of(index);
    const at = this.#buffers.receiveSlotAt(slot);
    if (length < 0) {
      counters.rxTooLong += 1;
      return;
    }
    // The kernel has checked the IP header; its length is in words of 4 octets.
    const greAt = at + (view.getUint8(at) & 0x0f) * 4;
    const fault = decodeHeader(view, greAt, at + length, this.#localCallId, header);
    if (fault !== null) {
      counters[FAULT_COUNTERS[fault]] += 1;
      return;
    }
    if (header.hasAcknowledgment) {
      counters.acksReceived += 1;
      this.#sendWindow.recvAcknowledgment(header.acknowledgment, now);
      this.#sizeLoss.recvAcknowledgment(header.acknowledgment);
      if (this.#windowClosed) this.#resumeSending(now);
    }
    // RFC 2637 §4.1 has no number without payload; where there is one it was used up, as pptpd takes it too.
    if (!header.hasSequence) return;
    if (header.payloadLength > LONGEST_FRAME) {
      counters.rxTooLong += 1;
      return;
    }
    this.#slots.payloadAt[slot] = header.payloadAt;
    this.#slots.payloadLength[slot] = header.payloadLength;
    this.#recvInSequence(index, slot, header.sequence, now);
  }

  #recvInSequence(index: number, slot: number, number: number, now: number): void {
    const counters = this.#counters;
    const sequence = this.#sequence;
    switch (sequence.receive(number, slot, now)) {
      case 'accepted':
        break;
      case 'held':
        counters.rxHeld += 1;
        this.#slots.hold(index);
        break;
      case 'late':
        counters.rxLate += 1;
        return;
      case 'duplicate':
        counters.rxDuplicate += 1;
        return;
      case 'outside':
        counters.rxOutsideWindow += 1;
        return;
    }
    this.#acknowledgment.recvUpTo(sequence.highest);
    this.#deliverReleased(slot);
  }

  /** Gives what the sequence has released to the port. All slots but the batch's own, `kept`, come free. */
  #deliverReleased(kept: number): void {
    const { released, releasedCount } = this.#sequence;
    const { payloadAt, payloadLength } = this.#slots;
    for (let index = 0; index < releasedCount; index += 1) {
      const slot = released[index] ?? 0;
      this.#deliver(payloadAt[slot] ?? 0, payloadLength[slot] ?? 0);
      if (slot !== kept) this.#slots.release(slot);
    }
    this.#sequence.releasedCount = 0;
  }

  #deliver(at: number, length: number): void {
    const counters = this.#counters;
    if (length === 0) {
      counters.rxEmpty += 1;
      return;
    }
    const isControl = this.#isControl(at);
    if (isControl || this.#tap !== null) this.#tell('fromClient', at, length, isControl);
    if (!this.#port.push(at, length, isControl)) {
      counters.rxPtyFull += 1;
      return;
    }
    counters.rxPackets += 1;
    counters.rxBytes += length;
  }

  /** What the port does not take at once waits until it can be written again. */
  #flushPort(): void {
    if (this.#closed) return;
    this.#port.flush();
    const { isBlocked } = this.#port;
    if (this.#portBlocked === isBlocked) return;
    this.#portBlocked = isBlocked;
    this.#watchPort();
  }

  #watchPort(): void {
    this.#poller.watch(this.#port.fd, this.#maySend(), this.#portBlocked);
  }

  #startReorderTimer(now: number): void {
    const deadline = this.#sequence.deadline();
    if (deadline === null) return;
    this.#reorderTimer = setTimeout(
      () => {
        this.#reorderTimer = null;
        const then = monotonicMs();
        this.#sequence.expire(then);
        this.#deliverReleased(-1);
        this.#flushPort();
        if (!this.#closed && this.#sequence.held > 0) this.#startReorderTimer(then);
      },
      Math.max(1, Math.ceil(deadline - now)),
    );
  }

  // From PPP to the client.

  /** Reads until the port is empty, at most READS_PER_ROUND times; returns how often. */
  #readPort(now: number): number {
    const port = this.#port;
    let reads = 0;
    while (reads < READS_PER_ROUND) {
      const received = port.receive();
      if (this.#closed) return reads;
      if (received === 'none') break;
      if (received !== 'some') {
        // What PPP said last goes out first.
        if (port.frameCount > 0) this.#sendFrames(now);
        this.#end(received);
        return 0;
      }
      if (!port.hasUnread) reads += 1;
      if (port.frameCount === SEND_BATCH && !this.#sendFrames(now)) return reads;
    }
    if (port.frameCount > 0) this.#sendFrames(now);
    return reads;
  }

  /** Sends the port's frames, as far as the window lets it; false when some have to wait. */
  #sendFrames(now: number): boolean {
    const buffers = this.#buffers;
    const counters = this.#counters;
    const count = this.#port.frameCount;
    const first = this.#firstFrame;
    const end = this.#enforce ? Math.min(count, first + this.#sendWindow.allowance) : count;
    for (let index = first; index < end; index += 1) {
      const at = buffers.frameAt(index);
      const length = buffers.frameLength(index);
      const isControl = this.#isControl(at);
      if (isControl || this.#tap !== null) this.#tell('toClient', at, length, isControl);
      const acknowledgment = this.#acknowledgment.ride();
      if (acknowledgment !== null) counters.acksSentWithData += 1;
      const sequence = this.#sendWindow.send(now);
      this.#sizeLoss.send(sequence, length, now);
      const headerAt = encodeDataHeader(this.#view, at, length, this.#peerCallId, sequence, acknowledgment);
      buffers.sendFrom(index, headerAt, at + length - headerAt);
      counters.txPackets += 1;
      counters.txBytes += length;
    }
    if (this.#closed) return false;
    if (!this.#started && end > first) this.#start();
    this.#transmit(first, end);
    if (end < count) {
      this.#firstFrame = end;
      this.#closeWindow(now);
      return false;
    }
    this.#firstFrame = 0;
    this.#port.takeFrames();
    return true;
  }

  /** PPP has sent a frame: a pty is raw from then on, and can be written to. */
  #start(): void {
    this.#started = true;
    this.#receiving = true;
    this.#poller.watch(this.#socket.fd, true, false);
  }

  #transmit(first: number, end: number): void {
    let next = first;
    let refused = -1;
    while (next < end) {
      const sent = sendmmsg(this.#socket.fd, this.#buffers.sendMessages(next), end - next, MSG_DONTWAIT);
      if (sent > 0) {
        next += sent;
        continue;
      }
      switch (lastError()) {
        case 'wouldBlock':
        case 'queueFull':
          this.#counters.txSocketFull += end - next;
          this.#acknowledgment.unsent();
          return;
        case 'broken':
          this.#end({ kind: 'gre', step: 'send', code: lastErrorName() });
          return;
        case 'hungUp':
        case 'told':
          // The first error may be an earlier packet's; the second one is this packet's.
          if (refused === next) {
            this.#counters.txRefused += 1;
            next += 1;
          } else {
            this.#counters.icmpErrors += 1;
            refused = next;
          }
      }
    }
  }

  #maySend(): boolean {
    return !this.#windowClosed && !this.#heldBack;
  }

  #sendAcknowledgment(): void {
    if (this.#heldBack) return;
    const { acknowledgmentEnd } = this.#buffers;
    const at = encodeAcknowledgment(this.#view, acknowledgmentEnd, this.#peerCallId, this.#acknowledgment.sendAlone());
    this.#buffers.sendFrom(ACKNOWLEDGMENT_MESSAGE, at, acknowledgmentEnd - at);
    this.#counters.acksSentAlone += 1;
    this.#transmit(ACKNOWLEDGMENT_MESSAGE, ACKNOWLEDGMENT_MESSAGE + 1);
  }

  // §4.2 enforced: while the window is closed the port is not read, and PPP's queue fills instead of the network's.

  #closeWindow(now: number): void {
    if (!this.#windowClosed) {
      this.#windowClosed = true;
      this.#watchPort();
    }
    const deadline = this.#sendWindow.deadline;
    if (this.#windowTimer !== null || deadline === null) return;
    this.#windowTimer = setTimeout(
      () => {
        this.#windowTimer = null;
        const then = monotonicMs();
        this.#sendWindow.expire(then);
        this.#resumeSending(then);
      },
      Math.max(1, Math.ceil(deadline - now)),
    );
  }

  #resumeSending(now: number): void {
    if (this.#heldBack || !this.#sendFrames(now)) return;
    while (this.#port.hasUnread) {
      this.#port.receive();
      if (!this.#sendFrames(now)) return;
    }
    this.#windowClosed = false;
    this.#watchPort();
  }

  // Both ways.

  /** Whether the frame at `at` is LCP, authentication or another control protocol; data frames cost two looks. */
  #isControl(at: number): boolean {
    const octets = this.#octets;
    const protocolAt = octets[at] === ADDRESS && octets[at + 1] === CONTROL ? at + 2 : at;
    const protocol = octets[protocolAt] ?? 0;
    // An odd first octet is a compressed protocol field, and data.
    return protocol >= FIRST_CONTROL_PROTOCOL && (protocol & 1) === 0;
  }

  #tell(direction: Direction, at: number, length: number, isControl: boolean): void {
    const frame = this.#octets.subarray(at, at + length);
    this.#tap?.(direction, frame);
    if (isControl) this.#emit({ type: 'control', direction, frame });
  }
}
