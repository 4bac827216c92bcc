/**
 * The engine in the place of recorded servers: whatever the recorded client asked for gets the answer that it got then, octet
 * by octet, but for the differences that are listed. The client's answers to our own requests are always Acks.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EngineSettings } from '../../../../src/ppp/engine/engine.js';
import { type ControlPacket, parseFrame, splitFrame, writeFrame, writePacket } from '../../../../src/ppp/packet.js';
import * as captures from '../captures.js';
import { hex } from '../frames.js';
import { Server } from './peer.js';
import * as recordings from './recordings.js';

interface Recording {
  readonly lines: readonly string[];
  readonly settings: Partial<EngineSettings>;
  /** Requests, as protocol and identifier, that we answer otherwise, and how; the recorded servers' habits are in the comments. */
  readonly differences?: Readonly<Record<string, string>>;
}

const RECORDINGS: Readonly<Record<string, Recording>> = {
  'Windows 2000': {
    lines: recordings.windows2000,
    settings: { local: '192.168.2.1', remote: '192.168.2.2', dns: ['192.168.2.1'] },
  },
  'pptp-linux with 40 and 128 bits': {
    lines: recordings.linuxMppe40And128,
    settings: { local: '172.27.200.1', remote: '172.27.200.10', dns: ['172.27.0.1'] },
  },
  'Windows 7': {
    lines: recordings.windows7,
    settings: { local: '192.168.2.2', remote: '192.168.2.234', dns: [] },
    // pppd ends IPCP with a Terminate-Ack while it waits for CCP.
    differences: { 'IPCP 7': '0407001c810600000000820600000000830600000000840600000000' },
  },
  'Windows 7, another login': {
    lines: recordings.windows7Again,
    settings: { local: '192.168.2.2', remote: '192.168.2.234', dns: [] },
    differences: { 'IPCP 7': '0407001c810600000000820600000000830600000000840600000000' },
  },
  'a Cisco router with PAP': {
    lines: recordings.cisco,
    settings: { authentication: ['pap'], encryption: 'none', local: '17.1.1.118', remote: '17.1.1.122' },
  },
  'pptp-linux': {
    lines: captures.login,
    settings: { local: '198.51.100.1', remote: '198.51.100.11', dns: [] },
  },
};

const digits = (octets: Uint8Array): string => Buffer.from(octets).toString('hex');

/** The control packet of a frame with its header, in hexadecimal. */
function packetOf(frame: Uint8Array): string {
  const split = splitFrame(frame);
  assert.ok(typeof split === 'object');
  return digits(split.information.bytes(frame.length));
}

const isAnswer = (code: number): boolean => code >= 2 && code <= 6 && code !== 5;

function parse(frame: Uint8Array): ControlPacket {
  const packet = parseFrame(frame);
  assert.ok(typeof packet === 'object');
  return packet;
}

/** Answers to Configure- and Terminate-Requests by protocol and identifier; the last one of each. */
function answersIn(frames: readonly Uint8Array[]): Map<string, string> {
  const answers = new Map<string, string>();
  for (const frame of frames) {
    const { protocol, code, identifier } = parse(frame);
    const isNegotiated = protocol !== 'PAP' && protocol !== 'CHAP';
    if (isNegotiated && isAnswer(code)) answers.set(`${protocol} ${identifier}`, packetOf(frame));
  }
  return answers;
}

/** What LCP's Protocol-Rejects say, in hexadecimal. */
const rejectedProtocols = (frames: readonly Uint8Array[]): string[] =>
  frames.map(parse).flatMap(({ protocol, code, body }) => (protocol === 'LCP' && code === 8 ? [body().hex(1500)] : []));

/** Acknowledges every Configure-Request of the engine. */
function acknowledge(server: Server, frames: readonly Uint8Array[]): void {
  for (const frame of frames) {
    const { code, identifier, body } = parse(frame);
    const split = splitFrame(frame);
    if (code !== 1 || typeof split !== 'object' || split.number === CHAP) continue;
    const fields = body();
    const ack = writePacket(2, identifier, fields.bytes(fields.left));
    acknowledge(server, server.recv(writeFrame(split.number, ack)));
  }
}

const CHAP = 0xc223;

/** The response with the identifier of our challenge. */
function respond(server: Server, frame: Uint8Array): Uint8Array {
  const challenge = server.frames.map(parse).find(({ protocol, code }) => protocol === 'CHAP' && code === 1);
  assert.ok(challenge !== undefined);
  const fields = parse(frame).body();
  return writeFrame(CHAP, writePacket(2, challenge.identifier, fields.bytes(fields.left)));
}

for (const [name, { lines, settings, differences = {} }] of Object.entries(RECORDINGS)) {
  test(name, () => {
    const server = new Server(settings).start();
    acknowledge(server, server.frames);
    for (const line of lines.filter((recorded) => recorded.startsWith('>'))) {
      const frame = hex(line.slice(2));
      const { protocol, code } = parse(frame);
      if (protocol !== 'CHAP' && protocol !== 'PAP' && isAnswer(code)) continue;
      acknowledge(server, server.recv(protocol === 'CHAP' ? respond(server, frame) : frame));
    }
    assert.equal(server.said('network')[0]?.remote, settings.remote);
    const theirs = lines.filter((line) => line.startsWith('<')).map((line) => hex(line.slice(2)));
    const recorded = answersIn(theirs);
    const ours = answersIn(server.frames);
    assert.ok(recorded.size >= 3);
    for (const [request, answer] of recorded) assert.equal(ours.get(request), differences[request] ?? answer, request);
    assert.deepEqual(rejectedProtocols(server.frames), rejectedProtocols(theirs));
  });
}
