/**
 * Sends mutated control messages to a running server, many per connection and on many connections at once. The expected
 * result is known for each connection: the server answers an echo after messages that are not fatal, and closes the
 * connection after one that is.
 */
import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { type ControlMessage, encode, Framer, type FramerItem, type MessageOf } from '../../../src/pptp/index.js';
import { Client } from '../../process/support/client.js';
import { ALL_EXAMPLES, EXAMPLES } from '../../unit/pptp/examples.js';
import { mutate } from '../mutate.js';
import { cutAnywhere, type Random } from '../random.js';

/** Maximum number of messages per connection. */
const PER_CONNECTION = 100;
const CONNECTIONS = 12;
/** Maximum number of segments per connection. */
const SEGMENTS = 20;
const HEADER = 12;
/** Interval between checks of the bystanders, ms. */
const WATCH_MS = 500;

const ECHO: MessageOf<'EchoRequest'> = { type: 'EchoRequest', identifier: 0xfeed_f00d };

export interface ControlAttack {
  readonly messages: number;
  readonly connections: number;
  /** Connections that the server had to close, and closed. */
  readonly closed: number;
}

/** The expected state of a connection after its messages. */
type Fate =
  /** It continues: the server answers an echo. */
  | 'answered'
  /** The last message is fatal. */
  | 'closed'
  /** The last message is shorter than its length field: the server waits for the rest. */
  | 'waiting';

interface Messages {
  readonly bytes: readonly Uint8Array[];
  readonly fate: Fate;
}

const isStop = (bytes: Uint8Array): boolean => bytes === EXAMPLES.StopControlConnectionRequest.bytes;
const HARMLESS = ALL_EXAMPLES.map(({ bytes }) => bytes).filter((bytes) => !isStop(bytes));

/** A message with changes anywhere or, much more often, only after a valid header. */
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

/** The messages of one connection, up to the one that ends it. */
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
 * Sends `count` messages from `from`; awaits `between` regularly while other connections continue. Rejects when a
 * connection does not end as expected.
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
    const how = await Promise.race([client.whenClosed.then(() => 'closed'), answerOf(client)]);
    const last = Buffer.from(bytes.at(-1) ?? []).toString('hex');
    assert.equal(
      how,
      fate === 'answered' ? 'answered' : 'closed',
      `${client.name}: after ${bytes.length} messages, the last ${last}`,
    );
  } finally {
    client.reset();
  }
}

/** Never rejects: a connection that was closed instead is detected by its end. */
async function answerOf({ messages }: Client): Promise<'answered' | 'no answer'> {
  try {
    await messages.find('the echo', isOurEcho);
    return 'answered';
  } catch {
    return 'no answer';
  }
}
