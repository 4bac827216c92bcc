/**
 * Changed control messages for a running server, many on a connection and many connections at once. What has to become of
 * each connection is known beforehand: the server answers an echo behind messages that are none of its end, and closes
 * behind one that is.
 */
import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { type ControlMessage, encode, Framer, type FramerItem, type MessageOf } from '../../../src/pptp/index.js';
import { Client } from '../../process/support/client.js';
import { ALL_EXAMPLES, EXAMPLES } from '../../unit/pptp/examples.js';
import { mutate } from '../mutate.js';
import { cutAnywhere, type Random } from '../random.js';

/** Messages on one connection, if it lives so long. */
const PER_CONNECTION = 100;
const CONNECTIONS = 12;
/** Segments that a connection's octets are cut into, at most. */
const SEGMENTS = 20;
const HEADER = 12;
/** Between two looks at those who must notice nothing, milliseconds. */
const WATCH_MS = 500;

const ECHO: MessageOf<'EchoRequest'> = { type: 'EchoRequest', identifier: 0xfeed_f00d };

export interface ControlAttack {
  readonly messages: number;
  readonly connections: number;
  /** Connections that the server had to close, and has. */
  readonly closed: number;
}

/** What has to become of a connection on which messages have come. */
type Fate =
  /** It goes on: an echo behind them is answered. */
  | 'answered'
  /** The last message is its end. */
  | 'closed'
  /** The last message says that it is longer than it is: the server waits for the rest. */
  | 'waiting';

interface Messages {
  readonly bytes: readonly Uint8Array[];
  readonly fate: Fate;
}

const isStop = (bytes: Uint8Array): boolean => bytes === EXAMPLES.StopControlConnectionRequest.bytes;
const HARMLESS = ALL_EXAMPLES.map(({ bytes }) => bytes).filter((bytes) => !isStop(bytes));

/** A message with changes anywhere, or, much more often, only behind a header that stays sound. */
function changedMessage(random: Random): Uint8Array {
  const any = (): Buffer => HARMLESS[random(HARMLESS.length)] ?? Buffer.alloc(1);
  const odd = random(40);
  if (odd === 0) return mutate(any(), any(), random);
  const message = Buffer.from(odd === 1 ? EXAMPLES.StopControlConnectionRequest.bytes : any());
  const body = mutate(message.subarray(HEADER), any(), random);
  message.set(body.subarray(0, message.length - HEADER), HEADER);
  return message;
}

function fateOf(message: Uint8Array): Fate {
  const framer = new Framer();
  framer.push(message);
  const isEnd = (item: FramerItem): boolean =>
    item.ok ? item.message.type === 'StopControlConnectionRequest' : item.error.fatal;
  if ([...framer].some(isEnd)) return 'closed';
  framer.push(encode(ECHO));
  const last = [...framer].at(-1);
  return last?.ok === true && isOurEcho(last.message) ? 'answered' : 'waiting';
}

const isOurEcho = (message: ControlMessage): boolean =>
  (message.type === 'EchoRequest' || message.type === 'EchoReply') && message.identifier === ECHO.identifier;

/** The messages of one connection; behind its end nobody would read any. */
function takeMessages(random: Random): Messages {
  const bytes: Uint8Array[] = [];
  while (bytes.length < PER_CONNECTION) {
    const message = changedMessage(random);
    bytes.push(message);
    const fate = fateOf(message);
    if (fate !== 'answered') return { bytes, fate };
  }
  return { bytes, fate: 'answered' };
}

/**
 * Sends `count` messages from `from`; `between` is awaited every now and then, while others go on. Rejects when a connection
 * comes to another end than it has to.
 */
export async function attackControl(
  from: string,
  count: number,
  random: Random,
  between: () => Promise<void>,
): Promise<ControlAttack> {
  const done = { messages: 0, connections: 0, closed: 0 };
  const attacker = async (): Promise<void> => {
    while (done.messages < count) {
      const taken = takeMessages(random);
      done.messages += taken.bytes.length;
      done.connections += 1;
      await attackOnce(from, taken, random);
      if (taken.fate === 'closed') done.closed += 1;
    }
  };
  const watcher = async (): Promise<void> => {
    while (done.messages < count) {
      await between();
      await wait(WATCH_MS);
    }
  };
  await Promise.all([...Array.from({ length: CONNECTIONS }, attacker), watcher()]);
  return done;
}

async function attackOnce(from: string, { bytes, fate }: Messages, random: Random): Promise<void> {
  const client = await Client.start(from);
  try {
    const octets = Buffer.concat([...bytes, ...(fate === 'answered' ? [encode(ECHO)] : [])]);
    for (const part of cutAnywhere(octets, SEGMENTS, random)) client.sendBytes(part);
    if (fate === 'waiting') client.end();
    const how = await Promise.race([client.closed.then(() => 'closed'), answerOf(client)]);
    const last = Buffer.from(bytes.at(-1) ?? []).toString('hex');
    assert.equal(
      how,
      fate === 'answered' ? 'answered' : 'closed',
      `${client.name}: behind ${bytes.length} messages, the last ${last}`,
    );
  } finally {
    client.reset();
  }
}

/** Never rejects: a connection that was closed in its place is told by its end. */
async function answerOf({ messages }: Client): Promise<'answered' | 'no answer'> {
  try {
    await messages.find('the echo', isOurEcho);
    return 'answered';
  } catch {
    return 'no answer';
  }
}
