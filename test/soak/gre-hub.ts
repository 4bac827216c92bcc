/** All clients' GRE through one pair of sockets: what comes goes to the client whose call id it bears. */
import { GreFlood } from '../process/support/gre-flood.js';
import { readGre } from '../process/support/gre-packet.js';
import { openGreSocket } from '../process/support/gre-socket.js';

const MAX_CALL_ID = 0xffff;

/** One call's GRE: numbers and acknowledgments are seen to. */
export class GreCall {
  /** The id that the server's packets bear. */
  readonly callId: number;
  /** Takes each PPP frame that comes. */
  onFrame: (frame: Buffer) => void = () => undefined;
  readonly #hub: GreHub;
  readonly #from: string;
  #peerCallId: number | null = null;
  #sequence = 0;
  #received: number | null = null;
  /** Frames that came before the server's id was known. */
  #early: Buffer[] = [];

  constructor(hub: GreHub, from: string, callId: number) {
    this.#hub = hub;
    this.#from = from;
    this.callId = callId;
  }

  /** The server's id is known: frames can be sent, and those that came already are taken. */
  begin(peerCallId: number): void {
    this.#peerCallId = peerCallId;
    for (const frame of this.#early.splice(0)) this.onFrame(frame);
  }

  send(frame: Buffer): void {
    if (this.#peerCallId === null) return;
    this.#hub.send({
      from: this.#from,
      callId: this.#peerCallId,
      sequence: this.#sequence++,
      ...(this.#received === null ? {} : { acknowledgment: this.#received }),
      payload: frame,
    });
  }

  recv(sequence: number, frame: Buffer): void {
    this.#received = sequence;
    if (this.#peerCallId === null) this.#early.push(frame);
    else this.onFrame(frame);
  }

  close(): void {
    this.#hub.forget(this);
  }
}

export class GreHub {
  readonly #calls = new Map<number, GreCall>();
  readonly #sender: GreFlood;
  readonly #receiver;
  #lastCallId = 0;

  /** Hears what is sent to `network`, of `prefix` bits. */
  constructor(server: string, network: string, prefix: number) {
    this.#sender = new GreFlood(server);
    this.#receiver = openGreSocket(network, prefix);
    this.#receiver.on('message', (packet) => {
      const { callId, sequence, payload } = readGre(packet);
      if (sequence !== null) this.#calls.get(callId)?.recv(sequence, payload);
    });
  }

  /** A call from `from`, under an id that was not used for long. */
  call(from: string): GreCall {
    this.#lastCallId = (this.#lastCallId % MAX_CALL_ID) + 1;
    const call = new GreCall(this, from, this.#lastCallId);
    this.#calls.set(call.callId, call);
    return call;
  }

  send(fields: Parameters<GreFlood['build']>[0]): void {
    this.#sender.send(this.#sender.build(fields));
  }

  forget(call: GreCall): void {
    this.#calls.delete(call.callId);
  }

  close(): void {
    this.#sender.close();
    this.#receiver.close();
  }
}
