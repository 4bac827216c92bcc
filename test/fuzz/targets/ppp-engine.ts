/** The PPP engine as a server: any frames of a client, verdicts and time between them. */
import assert from 'node:assert/strict';
import { parseFrame } from '../../../src/ppp/packet.js';
import * as captures from '../../unit/ppp/captures.js';
import { ACCEPT, REFUSE, Server } from '../../unit/ppp/engine/peer.js';
import * as recordings from '../../unit/ppp/engine/recordings.js';
import { hex } from '../../unit/ppp/frames.js';
import { surrounded } from '../surroundings.js';
import type { Target } from '../target.js';

/** The first octet: settings and verdict; then steps, each with two octets before it: what it is, and its length. */
const TAKE = { frame: 0, answer: 1, tick: 2, reset: 3 } as const;
const LENGTH = 0x01ff;

/** First octet of its protocol number. */
const CHAP = 0xc2;

/** More than any packet or tick causes. */
const MAX_ANSWERS = 5;

/** The client's frames of a recording, with an Ack of whatever the engine asks for after each. */
function client(lines: readonly string[]): Uint8Array {
  const steps = lines
    .filter((line) => line.startsWith('>'))
    .flatMap((line) => {
      const frame = hex(line.slice(2));
      return [step(TAKE.frame, frame), step(TAKE.answer, Uint8Array.of(2))];
    });
  return Buffer.concat([Uint8Array.of(0), step(TAKE.answer, Uint8Array.of(2)), ...steps]);
}

function step(what: number, octets: Uint8Array): Uint8Array {
  const head = Buffer.alloc(2);
  head.writeUInt16BE((what << 14) | octets.length);
  return Buffer.concat([head, octets]);
}

/** Our last frame as the client gives it back: with another code, its options cut or not. */
function answerOf(server: Server, code: number): Uint8Array {
  const own = server.frames.findLast((frame) => frame[4] === 1 && frame[2] !== CHAP);
  const answer = Uint8Array.from(own ?? []);
  if (answer.length > 4) answer[4] = code;
  return answer;
}

/** A CHAP response is one to our own challenge, so that recorded and changed ones come past the login. */
function asResponse(server: Server, frame: Uint8Array): Uint8Array {
  const packet = parseFrame(frame);
  if (typeof packet === 'string' || packet.protocol !== 'CHAP') return frame;
  const challenge = server.frames.findLast((sent) => sent[2] === CHAP && sent[4] === 1);
  const response = Uint8Array.from(frame);
  response[frame[0] === 0xff ? 5 : 3] = challenge?.[5] ?? 0;
  return response;
}

function observe(input: Uint8Array): string {
  const choice = input[0] ?? 0;
  const server = new Server({
    encryption: (['require', 'prefer', 'none'] as const)[choice % 3] ?? 'require',
    authentication: (choice & 4) === 0 ? ['ms-chap-v2'] : ['ms-chap-v2', 'chap-md5', 'pap'],
    encryptionKeys: (choice & 8) === 0 ? [128] : [128, 56, 40],
    ipv6: (choice & 16) !== 0,
    statelessOnly: (choice & 32) !== 0,
  });
  server.judge = (choice & 64) === 0 ? () => ACCEPT : () => REFUSE;
  server.start();
  const view = new DataView(input.buffer, input.byteOffset, input.length);
  for (let at = 1; at + 2 <= input.length; ) {
    const head = view.getUint16(at);
    const end = Math.min(input.length, at + 2 + (head & LENGTH));
    const octets = input.subarray(at + 2, end);
    at = end;
    const before = server.frames.length;
    switch (head >> 14) {
      case TAKE.frame:
        server.engine.recv(asResponse(server, octets), server.now);
        break;
      case TAKE.answer:
        server.engine.recv(answerOf(server, octets[0] ?? 2), server.now);
        break;
      case TAKE.tick:
        if (server.engine.deadline !== null) server.tick();
        break;
      default:
        server.engine.requestReset(server.now);
    }
    assert.ok(server.frames.length - before <= MAX_ANSWERS);
  }
  for (const frame of server.frames) assert.equal(typeof parseFrame(frame), 'object', 'we sent a malformed frame');
  server.engine.terminate('end', server.now);
  while (server.engine.deadline !== null) server.tick();
  assert.equal(server.types.at(-1), 'ended');
  assert.equal(server.said('ended').length, 1);
  return `${[...new Set(server.types)].join()} ${server.end?.kind}`;
}

export const pppEngine: Target = {
  covers: ['/src/ppp/engine/'],
  seeds: () => [...Object.values(captures), ...Object.values(recordings)].map(client),
  run: (input) => surrounded(input, observe),
};
