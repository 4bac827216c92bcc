/**
 * Sends mutated GRE packets to the sessions of a running server, usually with valid call ids, so that the kernel passes
 * them to the workers. A session that ends is replaced by a new one.
 */
import { Client } from '../../process/support/client.js';
import { GreFlood } from '../../process/support/gre-flood.js';
import { IP_HEADER } from '../../process/support/gre-packet.js';
import { SERVER_ADDRESS } from '../../process/support/server.js';
import * as captures from '../../unit/ppp/captures.js';
import { mutate } from '../mutate.js';
import type { Random } from '../random.js';

/** Packets from clients in real sessions. */
const FRAMES = Object.values(captures)
  .flat()
  .filter((line) => line.startsWith('>'))
  .map((line) => Buffer.from(line.slice(2), 'hex'));
/** Packets per session before the next session's turn. */
const TURN = 100;
/** Length of the GRE header before sequence and acknowledgment numbers, octets. */
const FIXED_PART = 8;
const JUMP = 600;

type Way = (random: Random, sound: Buffer, payload: Buffer) => Uint8Array;

/** Changes to a valid packet, whose payload was already changed. */
const WAYS: readonly Way[] = [
  (_, sound) => sound,
  (_, sound) => sound,
  (_, sound) => sound,
  // Changes flags, length or numbers; keeps version, protocol and call id.
  (random, sound, payload) => keepAddress(sound, mutate(sound, payload, random)),
  (random, sound, payload) => mutate(sound, payload, random),
];

function keepAddress(sound: Uint8Array, changed: Uint8Array): Uint8Array {
  if (changed.length < FIXED_PART) return changed;
  changed.set(sound.subarray(1, 4), 1);
  changed.set(sound.subarray(6, FIXED_PART), 6);
  return changed;
}

class Victim {
  readonly #from: string;
  #client: Client | null = null;
  #callId = 0;
  #sequence = 0;

  constructor(from: string) {
    this.#from = from;
  }

  /** Ensures that there is a session; returns true if it is new. */
  async attend(): Promise<boolean> {
    if (this.#client !== null) return false;
    const { client, reply } = await Client.call(this.#from);
    client.answersEchoes = true;
    void client.whenClosed.then(() => (this.#client = null));
    this.#client = client;
    this.#callId = reply.callId;
    this.#sequence = 0;
    return true;
  }

  /** Builds one mutated packet with its IP header. */
  packet(gre: GreFlood, random: Random): Buffer {
    const frame = FRAMES[random(FRAMES.length)] ?? Buffer.alloc(1);
    const payload = Buffer.from(random(4) === 0 ? frame : mutate(frame, frame, random));
    this.#sequence += random(50) === 0 ? random(JUMP) : 1;
    const sound = gre.build({
      from: this.#from,
      callId: this.#callId,
      sequence: this.#sequence,
      acknowledgment: random(64),
      payload,
    });
    const way: Way = WAYS[random(WAYS.length)] ?? ((_, packet) => packet);
    return Buffer.concat([sound.subarray(0, IP_HEADER), way(random, sound.subarray(IP_HEADER), payload)]);
  }

  /** Resolves when the worker has answered on the control connection, or the session has ended. */
  async echo(): Promise<void> {
    const client = this.#client;
    if (client === null) return;
    client.send({ type: 'EchoRequest', identifier: this.#sequence });
    await Promise.race([
      client.next('EchoReply', 'CallDisconnectNotify', 'StopControlConnectionRequest'),
      client.whenClosed,
    ]).catch((error: unknown) => {
      if (this.#client !== null) throw error;
    });
  }

  async leave(): Promise<void> {
    const client = this.#client;
    client?.end();
    await client?.closed;
  }
}

export interface GreAttack {
  readonly packets: number;
  readonly sessions: number;
}

/** Sends `count` packets to sessions from the addresses `from`; awaits `between` regularly. */
export async function attackGre(
  from: readonly string[],
  count: number,
  random: Random,
  between: () => Promise<void>,
): Promise<GreAttack> {
  const victims = from.map((address) => new Victim(address));
  const gre = new GreFlood(SERVER_ADDRESS);
  let sessions = 0;
  try {
    for (let turn = 0; gre.sent < count; turn += 1) {
      for (const victim of victims) {
        if (await victim.attend()) sessions += 1;
        await gre.flood(TURN, () => victim.packet(gre, random));
      }
      await Promise.all(victims.map(async (victim) => victim.echo()));
      if (turn % 100 === 0) await between();
    }
    await Promise.all(victims.map(async (victim) => victim.leave()));
    return { packets: gre.sent, sessions };
  } finally {
    gre.close();
  }
}
