/**
 * An independent judge of the control messages: scapy's PPTP layer, written by others from the same RFC, reads what we
 * write, field by field, and writes what we read. One run of scapy judges all messages.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { type ControlMessage, decode, encode, MAGIC_COOKIE } from '../../src/pptp/index.js';
import { ALL_EXAMPLES, anyMessage } from '../unit/pptp/examples.js';

/** Debian's own, which has python3-scapy; the first on PATH may be another. */
const PYTHON = '/usr/bin/python3';
const SCRIPT = path.resolve(import.meta.dirname, '../../../test/process/judge/pptp.py');

/** Scapy's names where they are not ours in snake case. */
const SCAPY_NAMES: Readonly<Record<string, string>> = {
  vendorName: 'vendor_string',
  receiveWindowSize: 'pkt_window_size',
  packetProcessingDelay: 'pkt_proc_delay',
  packetTransmitDelay: 'pkt_transmit_delay',
  physicalChannelId: 'channel_id',
  phoneNumberLength: 'phone_number_len',
  dialedNumberLength: 'dialed_number_len',
  dialingNumberLength: 'dialing_number_len',
  callStatistics: 'call_statistic',
  timeoutErrors: 'time_out_errors',
};

interface ScapyMessage {
  readonly class: string;
  readonly fields: Readonly<Record<string, string | number>>;
}

interface Verdict {
  readonly read: readonly (ScapyMessage & { readonly rest: string })[];
  readonly build: readonly string[];
}

/** Every type by example, and more of all types with any values; always the same ones. */
const messages: readonly ControlMessage[] = [
  ...ALL_EXAMPLES.map(({ message }) => message),
  ...fc.sample(anyMessage, { numRuns: 300, seed: 2637 }),
];

const missing = spawnSync(PYTHON, ['-c', 'import scapy.layers.pptp']).status !== 0;
const skip = missing ? `${PYTHON} has no scapy (python3-scapy)` : false;

function toScapy({ type, ...fields }: ControlMessage): ScapyMessage {
  const named = Object.entries(fields).map(([name, value]) => [
    SCAPY_NAMES[name] ?? name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    value,
  ]);
  return { class: `PPTP${type.replace('Wan', 'WAN')}`, fields: Object.fromEntries(named) };
}

/** For scapy to build; the length is its own, but for the one that it has wrong (148 where §2.10 draws 24 octets). */
function toBuild(message: ControlMessage): ScapyMessage {
  const { class: name, fields } = toScapy(message);
  return { class: name, fields: message.type === 'IncomingCallReply' ? { ...fields, len: 24 } : fields };
}

function judge(): Verdict {
  const { status, stdout, stderr } = spawnSync(PYTHON, [SCRIPT], {
    input: JSON.stringify({
      read: messages.map((message) => encode(message).toString('hex')),
      build: messages.map((message) => toBuild(message)),
    }),
    encoding: 'utf8',
    maxBuffer: 16 * 1024 * 1024,
  });
  assert.equal(status, 0, stderr);
  const verdict: Verdict = JSON.parse(stdout);
  return verdict;
}

test('the examples have every message type', () => {
  assert.equal(new Set(ALL_EXAMPLES.map(({ message }) => message.type)).size, 15);
});

test('scapy judges the control messages', { skip }, async (t) => {
  const verdict = judge();

  await t.test('it reads every field of every message that we write as we meant it', () => {
    for (const [index, message] of messages.entries()) {
      const { class: name, fields, rest } = verdict.read[index] ?? assert.fail(`no verdict on ${message.type}`);
      const { len, type, magic_cookie: magic, ctrl_msg_type: code, ...own } = fields;
      const reserved = Object.keys(own).filter((field) => field.startsWith('reserved_'));
      const expected = toScapy(message);
      assert.equal(name, expected.class);
      assert.deepEqual([len, type, magic, rest], [encode(message).length, 1, MAGIC_COOKIE, ''], name);
      assert.equal(code, ALL_EXAMPLES.findIndex((example) => example.message.type === message.type) + 1);
      assert.deepEqual(own, { ...Object.fromEntries(reserved.map((field) => [field, 0])), ...expected.fields });
    }
  });

  await t.test('we read every message that it builds as it meant it', () => {
    for (const [index, message] of messages.entries()) {
      const bytes = Buffer.from(verdict.build[index] ?? assert.fail(`no bytes of ${message.type}`), 'hex');
      assert.deepEqual(decode(bytes), { ok: true, message });
    }
  });
});
