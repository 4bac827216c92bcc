/** The data path through a TUN device: a relay between GRE and the device, with MPPE of our own. */
import { PacketBuffers } from '../../gre/packet-buffers.js';
import { type FrameTap, Relay, type RelayEvent } from '../../gre/relay.js';
import { Mppe, type MppeMode } from '../../mschap/mppe.js';
import type { StartKeys } from '../../mschap/start-keys.js';
import { SharedMemory } from '../../sys/shared-memory.js';
import {
  type DataPath,
  type DataPathEvent,
  type DataPathOptions,
  type Framing,
  type Network,
  PathNotOpened,
} from '../builtin/data-path.js';
import { greCause } from '../gre-cause.js';
import type { LinkCounters } from '../link.js';
import { deviceCause } from '../monitor-cause.js';
import { TunPort, type TunPortEvent } from './tun-port.js';

/** Octets of a protocol field, which is odd in the first one if it is compressed (RFC 1661 §6.5). */
const protocolField = (frame: Uint8Array): number => (((frame[0] ?? 0) & 1) === 1 ? 1 : 2);

export class TunPath implements DataPath {
  readonly kind = 'tun';
  readonly keyLengths = [128, 56, 40] as const;
  readonly #buffers = new PacketBuffers(new SharedMemory());
  readonly #mppe = new Mppe(this.#buffers.memory);
  readonly #port = new TunPort({
    memory: this.#buffers.memory,
    buffers: this.#buffers,
    onEvent: (event) => this.#recvPortEvent(event),
  });
  /** null before the device is open, and when the relay could not be opened. */
  #relay: Relay | null = null;
  #onEvent: (event: DataPathEvent) => void = () => undefined;
  #tap: FrameTap | null = null;
  #keys: StartKeys | null = null;

  async open({ monitor, call, onEvent }: DataPathOptions): Promise<string> {
    this.#onEvent = onEvent;
    const { fd, name, socket } = await monitor.openTun().catch((error: unknown) => {
      throw new PathNotOpened(deviceCause(error));
    });
    this.#port.open(fd);
    try {
      this.#relay = this.#openRelay(call, socket);
    } catch (error) {
      throw new PathNotOpened(greCause(error));
    }
    return name;
  }

  #openRelay(call: DataPathOptions['call'], socket: number | undefined): Relay {
    const { configuration, peerAddress, localAddress, localCallId, peerCallId, peerWindow } = call;
    const relay = new Relay({
      localAddress,
      peerAddress,
      localCallId,
      peerCallId,
      peerWindow,
      window: configuration.gre.window,
      device: configuration.listen.vrf,
      socket,
      buffers: this.#buffers,
      port: this.#port,
      limitBursts: true,
      onEvent: (event) => this.#recvRelayEvent(event),
    });
    relay.setTap(this.#tap);
    return relay;
  }

  send(frame: Uint8Array): void {
    this.#port.queueControl(frame);
  }

  flush(): void {
    this.#relay?.sendQueued();
  }

  setFraming(framing: Framing): void {
    this.#port.setFraming(framing);
  }

  setRequireEncryption(isRequired: boolean): void {
    this.#port.setRequireEncryption(isRequired);
  }

  setKeys(keys: StartKeys): void {
    this.#keys = keys;
  }

  encrypt(toClient: MppeMode, fromClient: MppeMode): void {
    if (this.#keys === null) return;
    this.#mppe.start(this.#keys, toClient, fromClient);
    this.#port.setEncryption(this.#mppe);
  }

  stopEncryption(): void {
    this.#port.setEncryption(null);
    this.#mppe.stop();
  }

  flushNext(): void {
    this.#mppe.flushNext();
  }

  setNetwork(network: Network | null): void {
    this.#port.setNetwork(network);
  }

  holdBack(isHeld: boolean): void {
    this.#relay?.holdBack(isHeld);
  }

  setTap(tap: FrameTap | null): void {
    this.#tap = tap;
    this.#relay?.setTap(tap);
  }

  counters(): LinkCounters | null {
    return this.#relay?.counters() ?? null;
  }

  countStrays(): void {
    this.#relay?.countStrays();
  }

  close(): void {
    this.#relay?.close();
    this.#port.close();
    this.#mppe.stop();
  }

  #recvRelayEvent(event: RelayEvent): void {
    if (event.type !== 'ended') {
      this.#onEvent(event);
      return;
    }
    const { failure } = event;
    switch (failure.kind) {
      case 'gre':
        this.#onEvent({
          type: 'ended',
          cause: { kind: 'gre', step: `${failure.step} GRE packets`, problem: failure.code },
        });
        break;
      case 'closed':
        this.#onEvent({ type: 'ended', cause: { kind: 'device', problem: 'its network interface was removed' } });
        break;
      case 'unreadable': {
        const problem = `its network interface cannot be read: ${failure.code}`;
        this.#onEvent({ type: 'ended', cause: { kind: 'device', problem } });
      }
    }
  }

  #recvPortEvent(event: TunPortEvent): void {
    if (event.type !== 'unknownProtocol') {
      this.#onEvent(event);
      return;
    }
    const { type, protocol, frame } = event;
    this.#onEvent({ type, protocol, information: frame.subarray(protocolField(frame)) });
  }
}
