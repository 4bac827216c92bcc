/** See scenario. Prints `ok NAME` or `not-ok NAME` for each check. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { MPPE_HEADER, Mppe, type MppeMode, UNDECRYPTED } from '../../../src/mschap/mppe.js';
import type { StartKeys } from '../../../src/mschap/start-keys.js';
import { SharedMemory } from '../../../src/sys/shared-memory.js';

const COMPRESSED = '00fd';
const RESET_ACK = '80fd0f010004';
/** A protocol that the kernel gives to pppd; what it sends is IP, as usual. */
const TO_KERNEL = '0053';

const keys: StartKeys = {
  send: Buffer.from('8b7cdc149b993a1ba118cb153f56dccb', 'hex'),
  receive: Buffer.from('d5f0e9521e3ea9589645e86051c82226', 'hex'),
  weak: null,
};
const toHex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex');

const kernel = spawn('python3', [process.argv[2] ?? ''], { stdio: ['pipe', 'pipe', 'inherit'] });
const answers = createInterface({ input: kernel.stdout })[Symbol.asyncIterator]();
async function ask(...words: readonly string[]): Promise<string> {
  kernel.stdin.write(`${words.join(' ')}\n`);
  const { value, done } = await answers.next();
  if (done === true) throw new Error('kernel.py has ended');
  return value;
}

const memory = new SharedMemory();
const mppe = new Mppe(memory);
const at = memory.take(2048) + 16;

/** An IPv4 packet, or what has its form. */
function frame(number: number, protocol: string): string {
  const packet = Buffer.alloc(40 + (number % 60));
  packet.writeUInt16BE(0x4500);
  packet.writeUInt16BE(packet.length, 2);
  packet.writeUInt32BE(number, packet.length - 4);
  return protocol + packet.toString('hex');
}

/** How many frames got through each way, of those that were not lost. */
interface Tally {
  sent: number;
  wrong: number;
  dropped: number;
}

/** To us: `isLost` says which of the kernel's packets are lost; a Reset-Request is answered with the next packet. */
async function receive(count: number, isLost: (number: number) => boolean): Promise<Tally> {
  const tally: Tally = { sent: 0, wrong: 0, dropped: 0 };
  for (let number = 0; number < count; number += 1) {
    const plain = frame(number, '0021');
    const packet = await ask('out', plain);
    if (isLost(number)) continue;
    tally.sent += 1;
    const octets = Buffer.from(packet, 'hex').subarray(COMPRESSED.length / 2);
    memory.octets.set(octets, at);
    const length = packet.startsWith(COMPRESSED) ? mppe.decrypt(at, octets.length) : UNDECRYPTED.invalid;
    if (length === UNDECRYPTED.outOfSync) {
      tally.dropped += 1;
      await ask('out', RESET_ACK);
    } else if (length < 0 || toHex(memory.part(at + MPPE_HEADER, length)) !== plain) tally.wrong += 1;
  }
  return tally;
}

/** To the kernel. What it cannot decrypt it gives to pppd as it is; pppd then sends a Reset-Request. */
async function send(count: number, isLost: (number: number) => boolean): Promise<Tally> {
  const tally: Tally = { sent: 0, wrong: 0, dropped: 0 };
  for (let number = 0; number < count; number += 1) {
    const plain = Buffer.from(frame(number, TO_KERNEL), 'hex');
    memory.octets.set(plain, at);
    const packet = COMPRESSED + toHex(memory.part(at - MPPE_HEADER, mppe.encrypt(at, plain.length)));
    if (isLost(number)) continue;
    tally.sent += 1;
    const given = await ask('in', packet);
    if (given === '' || given.startsWith(COMPRESSED)) {
      tally.dropped += 1;
      mppe.flushNext();
      await ask('in', RESET_ACK);
    } else if (given !== toHex(plain)) tally.wrong += 1;
  }
  return tally;
}

const verdict = (name: string, isOk: boolean, tally: Tally): void => {
  console.log(`${isOk ? 'ok' : 'not-ok'} ${name}: ${JSON.stringify(tally)}`);
};

const MODES: readonly (MppeMode & { option: string })[] = [
  { bits: 128, stateless: true, option: '120601000040' },
  { bits: 40, stateless: true, option: '120601000020' },
  { bits: 128, stateless: false, option: '120600000040' },
  { bits: 40, stateless: false, option: '120600000020' },
];

for (const { option, ...mode } of MODES) {
  const name = `${mode.bits} bits, ${mode.stateless ? 'stateless' : 'stateful'}`;
  const open = async (): Promise<void> => {
    await ask('open', option, toHex(keys.receive), toHex(keys.send));
    mppe.start(keys, mode);
  };
  for (const [way, exchange] of [
    ['to us', receive],
    ['to the kernel', send],
  ] as const) {
    await open();
    // The count wraps.
    const whole = await exchange(4500, () => false);
    verdict(`${name}, ${way}, without losses`, whole.wrong + whole.dropped === 0, whole);
    await open();
    // Single ones, whole rows, and some that answer a reset.
    const lossy = await exchange(2000, (number) => number % 37 === 0 || number % 300 < 20 || number % 38 === 1);
    // Stateless a loss costs nothing else; stateful, one more packet each.
    verdict(`${name}, ${way}, with losses`, lossy.wrong === 0 && lossy.dropped < (mode.stateless ? 1 : 150), lossy);
  }
}
kernel.stdin.end();
