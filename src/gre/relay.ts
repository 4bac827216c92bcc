/**
 * The data path of one call: PPP frames between the client's GRE packets and the port to PPP. It works in batches, in
 * memory shared by the kernel and the codecs, and allocates nothing per packet. The work per turn is bounded, so that
 * the control connection in the same process is never delayed; full queues drop and count. test/bench's echo, uplink
 * and downlink rows measure its speed.
 */
import { lastError, MSG_DONTWAIT, recvmmsg, sendmmsg } from '../sys/batch-io.js';
import { monotonicMs } from '../sys/clock.js';
import { lastErrorName } from '../sys/libc.js';
import { Poller } from '../sys/poller.js';
import { ACKNOWLEDGMENT_DELAY, Acknowledgment } from './acknowledgment.js';
import { BurstLimit, PAUSE } from './burst-limit.js';
import { GreSocket } from './gre-socket.js';
import { decodeHeader, emptyHeader, encodeAcknowledgment, encodeDataHeader } from './header.js';
import { ACKNOWLEDGMENT_MESSAGE, MAX_FRAME, type PacketBuffers, RECEIVE_BATCH, SEND_BATCH } from './packet-buffers.js';
import type { Port, PortFailure } from './port.js';
import { ReceiveSlots } from './receive-slots.js';
import { FAULT_COUNTERS, noneCounted, type RelayCounters } from './relay-counters.js';
import { SendWindow } from './send-window.js';
import { ReceiveSequence } from './sequence.js';
import { SizeLoss } from './size-loss.js';
import { StraySocket } from './stray-socket.js';

export type { RelayCounters } from './relay-counters.js';

export type Direction = 'fromClient' | 'toClient';

export type RelayEvent =
  /**
   * A PPP frame that is not data: LCP, authentication, NCPs, CCP (protocol 0x8000 and above). It has no FCS, and has
   * the address and control fields only if the sender included them. `frame` is a view that is valid during the call
   * only.
   */
  | { readonly type: 'control'; readonly direction: Direction; readonly frame: Uint8Array }
  /** Long frames to the client are lost, while frames of up to `arrives` octets arrive. Emitted at most once. */
  | { readonly type: 'blackHole'; readonly arrives: number; readonly missing: number }
  /** The relay failed and is closed. Emitted at most once, never after `close`. */
  | { readonly type: 'ended'; readonly failure: RelayFailure };

/** A failure of the port or of the GRE socket: the failed step and the error name (errno(3)). */
export type RelayFailure =
  | PortFailure
  | { readonly kind: 'gre'; readonly step: 'receive' | 'send'; readonly code: string };

export type FrameTap = (direction: Direction, frame: Uint8Array) => void;

export interface RelayOptions {
  readonly localAddress: string;
  readonly peerAddress: string;
  /** The call id in the client's packets, and the one in packets to the client. */
  readonly localCallId: number;
  readonly peerCallId: number;
  /** The client's receive window, packets. */
  readonly peerWindow: number;
  /** The local receive window that was announced to the client, packets. */
  readonly receiveWindow?: number;
  /** Whether sending obeys the congestion window of RFC 2637 §4.2 or only measures it; default: advise. */
  readonly window?: 'advise' | 'enforce';
  /** Whether bursts to the client are bounded (BurstLimit); default: no, as frames of a pty come a few at a time. */
  readonly limitBursts?: boolean;
  /** Name of the VRF device to bind to. */
  readonly device?: string | undefined;
  /** See GreSocketOptions; closed by the relay. */
  readonly socket?: number | undefined;
  /** Used by this relay only. */
  readonly buffers: PacketBuffers;
  /** Closed by the relay. */
  readonly port: Port;
  readonly onEvent: (event: RelayEvent) => void;
}

/** How many packets a client may send unacknowledged, as announced in the Outgoing-Call-Reply (RFC 2637 §2.8). */
export const RECEIVE_WINDOW = 64;
/** Maximum number of batches and reads per turn; the rest waits for the next event loop iteration. */
const ROUNDS_PER_TURN = 4;
const READS_PER_ROUND = 8;
/** PPP: address and control field (RFC 1662 §3.1), and the first protocol number that is not data (RFC 1661 §2). */
const ADDRESS = 0xff;
const CONTROL = 0x03;
const FIRST_CONTROL_PROTOCOL = 0x80;

export class Relay {
  readonly #localCallId: number;
  readonly #peerCallId: number;
  readonly #enforce: boolean;
  readonly #onEvent: (event: RelayEvent) => void;
  readonly #buffers: PacketBuffers;
  readonly #octets: Uint8Array;
  readonly #view: DataView;
  readonly #socket: GreSocket;
  /** null once the client has sent a PPP frame. */
  #strays: StraySocket | null;
  readonly #port: Port;
  readonly #poller: Poller;

  readonly #sequence = new ReceiveSequence();
  readonly #acknowledgment: Acknowledgment;
  readonly #sendWindow: SendWindow;
  readonly #burstLimit: BurstLimit | null;
  readonly #sizeLoss = new SizeLoss();
  #blackHoleReported = false;
  readonly #counters = noneCounted();
  readonly #header = emptyHeader();

  readonly #slots: ReceiveSlots;
  /** The port's descriptor is polled for being writable. */
  #portBlocked = false;
  /** The first filled slot that is not yet sent. */
  #firstFrame = 0;
  #windowClosed = false;
  /** See `holdBack`. */
  #heldBack = false;

  #started = false;
  /** Frames are being received or sent: what is queued meanwhile goes with them. */
  #busy = false;
  /** The socket is polled: the port has room. */
  #receiving = false;
  #closed = false;
  #tap: FrameTap | null = null;

  #acknowledgmentTimer: NodeJS.Timeout | null = null;
  #reorderTimer: NodeJS.Timeout | null = null;
  #windowTimer: NodeJS.Timeout | null = null;

  /**
   * Opens the GRE socket and begins to read the port. The socket is first read after the port's first frame was sent;
   * earlier packets from the client wait in the kernel. Throws SystemCallFailed or RawSocketRefused when the socket
   * cannot be opened, and closes the port.
   */
  constructor(options: RelayOptions) {
    const { localAddress, peerAddress, localCallId, device, buffers, port, socket } = options;
    this.#localCallId = localCallId;
    this.#peerCallId = options.peerCallId;
    this.#enforce = options.window === 'enforce';
    this.#burstLimit = options.limitBursts === true ? new BurstLimit(options.peerWindow) : null;
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
      this.#socket = new GreSocket({ buffers, localAddress, peerAddress, callId: localCallId, device, socket });
      this.#strays = new StraySocket({ localAddress, peerAddress, callId: localCallId, device });
    } catch (error) {
      poller?.close();
      port.close();
      throw error;
    }
    this.#poller = poller;
  }

  /**
   * Stops or resumes sending to the client: frames wait in the port, and no acknowledgment is sent. What the client sends is
   * received as before.
   */
  holdBack(isHeld: boolean): void {
    if (this.#closed || this.#heldBack === isHeld) return;
    this.#heldBack = isHeld;
    this.#watchPort();
    if (!isHeld && this.#windowClosed) this.#resumeSending(monotonicMs());
    if (!isHeld) this.sendQueued();
  }

  /**
   * Sends what the port has queued of its own accord, which makes no descriptor readable: the link's control frames.
   * During an event of a frame from the client they are sent at the end of the batch.
   */
  sendQueued(): void {
    if (!this.#closed && !this.#busy && this.#port.hasUnread && this.#maySend()) this.#turn();
  }

  /** Passes every frame to `tap` (the event `control` has only some of them); null removes the tap. */
  setTap(tap: FrameTap | null): void {
    this.#tap = tap;
  }

  /** A copy of the counters; after `close`, the final values. */
  counters(): RelayCounters {
    // Assigned to one object: a literal with a spread and more keys becomes a V8 dictionary of 14 KB on each call.
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
   * Counts, by fault, the GRE packets from the client's address that do not belong to this call, as long as the client
   * has sent no PPP frame. They may belong to other hosts behind that address, so only an explanation of a missing
   * first frame uses them.
   */
  countStrays(): void {
    this.#strays?.countInto(this.#counters);
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
    this.#onEvent({ type: 'ended', failure });
  }

  /** Handles a readable or writable descriptor. */
  #turn(): void {
    const now = monotonicMs();
    this.#busy = true;
    if (this.#portBlocked) this.#flushPort();
    for (let round = 0; round < ROUNDS_PER_TURN && !this.#closed; round += 1) {
      const received = this.#mayReceive() ? this.#recvPackets(now) : 0;
      if (this.#closed) break;
      // Not at the end of the turn: a client that is waiting for its window can continue while the rest is done.
      if (this.#acknowledgment.isUrgent) this.#sendAcknowledgment();
      const reads = this.#maySend() ? this.#readPort(now) : 0;
      if (received < RECEIVE_BATCH && reads < READS_PER_ROUND) break;
    }
    if (!this.#closed) this.#endTurn(now);
    this.#busy = false;
  }

  #endTurn(now: number): void {
    if (this.#sizeLoss.isSuspected && !this.#blackHoleReported) {
      this.#blackHoleReported = true;
      this.#onEvent({ type: 'blackHole', arrives: this.#sizeLoss.arrives, missing: this.#sizeLoss.missing });
    }
    if (this.#sendWindow.expire(now) && this.#windowClosed) this.#resumeSending(now);
    if (this.#acknowledgment.isUrgent) this.#sendAcknowledgment();
    else if (this.#acknowledgment.isDue && this.#acknowledgmentTimer === null) this.#startAcknowledgmentTimer();
    if (this.#sequence.held > 0 && this.#reorderTimer === null) this.#startReorderTimer(now);
  }

  /** A separate method, because a method that contains a closure allocates its context on every call. */
  #startAcknowledgmentTimer(): void {
    this.#acknowledgment.delay();
    this.#acknowledgmentTimer = setTimeout(() => {
      this.#acknowledgmentTimer = null;
      if (!this.#acknowledgment.isDue) return;
      this.#acknowledgment.expire();
      this.#sendAcknowledgment();
    }, ACKNOWLEDGMENT_DELAY);
  }

  // From the client to PPP.

  /**
   * Whether the port has room for a batch. If not, packets wait in the kernel unacknowledged, which slows a client that
   * keeps to its window; a client that does not loses packets there.
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

  /**
   * Receives one batch; returns its number of packets, or a full batch after an ICMP error, so that the caller tries
   * again.
   */
  #recvPackets(now: number): number {
    const buffers = this.#buffers;
    const count = recvmmsg(this.#socket.fd, buffers.receiveMessages, RECEIVE_BATCH, MSG_DONTWAIT, 0);
    if (count < 0) return this.#recvFailed();
    for (let index = 0; index < count; index += 1) this.#recvPacket(index, buffers.receivedLength(index), now);
    if (this.#strays !== null && this.#counters.rxPackets > 0) this.#closeStrays();
    this.#flushPort();
    if (this.#windowClosed && !this.#closed) this.#resumeSending(now);
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
    // The kernel has checked the IP header; its length field counts words of 4 octets.
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
    }
    // RFC 2637 §4.1 defines no sequence number without payload. Such a number counts as used, as in pptpd.
    if (!header.hasSequence) return;
    if (header.payloadLength > MAX_FRAME) {
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

  /** Passes released packets to the port and frees their slots, except `kept`, which the batch still uses. */
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
    if (isControl || this.#tap !== null) this.#show('fromClient', at, length, isControl);
    if (!this.#port.push(at, length, isControl)) {
      counters.rxPtyFull += 1;
      return;
    }
    counters.rxPackets += 1;
    counters.rxBytes += length;
  }

  /** Frames that the port cannot write now wait until it is writable again. */
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
        this.#busy = true;
        this.#sequence.expire(then);
        this.#deliverReleased(-1);
        this.#flushPort();
        this.#busy = false;
        if (!this.#closed && this.#sequence.held > 0) this.#startReorderTimer(then);
        this.sendQueued();
      },
      Math.max(1, Math.ceil(deadline - now)),
    );
  }

  // From PPP to the client.

  /** Reads until the port is empty, at most READS_PER_ROUND times; returns the number of reads. */
  #readPort(now: number): number {
    const port = this.#port;
    let reads = 0;
    while (reads < READS_PER_ROUND) {
      const received = port.receive();
      if (this.#closed) return reads;
      if (received === 'none') break;
      if (received !== 'some') {
        // Send the last frames from PPP first.
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

  /** Sends the port's frames as far as the window allows; false when some must wait. */
  #sendFrames(now: number): boolean {
    const buffers = this.#buffers;
    const counters = this.#counters;
    const count = this.#port.frameCount;
    const first = this.#firstFrame;
    const end = Math.min(count, first + this.#allowance(now));
    this.#burstLimit?.send(end - first, this.#sendWindow.outstanding, now);
    for (let index = first; index < end; index += 1) {
      const at = buffers.frameAt(index);
      const length = buffers.frameLength(index);
      const isControl = this.#isControl(at);
      if (isControl || this.#tap !== null) this.#show('toClient', at, length, isControl);
      const acknowledgment = this.#acknowledgment.piggyback();
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

  /** How many packets may be sent now. */
  #allowance(now: number): number {
    const { allowance, outstanding } = this.#sendWindow;
    const ofWindow = this.#enforce ? allowance : Number.POSITIVE_INFINITY;
    return this.#burstLimit === null ? ofWindow : Math.min(ofWindow, this.#burstLimit.allowance(outstanding, now));
  }

  /** PPP has sent its first frame: the pty is in raw mode and can be written to. */
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
        case 'icmpError':
          // The first error may concern an earlier packet; a second one concerns this packet.
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

  // While the window of §4.2 is enforced and closed, or a burst was too long, the port is not read, so that frames
  // queue in PPP instead of in the network.

  #closeWindow(now: number): void {
    if (!this.#windowClosed) {
      this.#windowClosed = true;
      this.#watchPort();
    }
    const deadline = this.#enforce && this.#sendWindow.allowance === 0 ? this.#sendWindow.deadline : now + PAUSE;
    if (this.#windowTimer === null && deadline !== null) this.#startWindowTimer(deadline - now);
  }

  /** A separate method, as #startAcknowledgmentTimer. */
  #startWindowTimer(wait: number): void {
    this.#windowTimer = setTimeout(
      () => {
        this.#windowTimer = null;
        const then = monotonicMs();
        this.#sendWindow.expire(then);
        this.#resumeSending(then);
      },
      Math.max(1, Math.ceil(wait)),
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

  // Both directions.

  /** Whether the frame at `at` is LCP, authentication or another control protocol. Reads two or three octets. */
  #isControl(at: number): boolean {
    const octets = this.#octets;
    const protocolAt = octets[at] === ADDRESS && octets[at + 1] === CONTROL ? at + 2 : at;
    const protocol = octets[protocolAt] ?? 0;
    // An odd first octet is a compressed protocol field, which only data frames have.
    return protocol >= FIRST_CONTROL_PROTOCOL && (protocol & 1) === 0;
  }

  #show(direction: Direction, at: number, length: number, isControl: boolean): void {
    const frame = this.#octets.subarray(at, at + length);
    this.#tap?.(direction, frame);
    if (isControl) this.#onEvent({ type: 'control', direction, frame });
  }
}
