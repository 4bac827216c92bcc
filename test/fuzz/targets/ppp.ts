/** The passive reader of the PPP negotiation: any frames in both directions. */
import assert from 'node:assert/strict';
import { describeFailure, PppReader, type PppState, type SettingPlaces } from '../../../src/ppp/reader.js';
import * as captures from '../../unit/ppp/captures.js';
import { INVISIBLE, stringsOf } from '../../unit/ppp/frames.js';
import { surrounded } from '../surroundings.js';
import type { Target } from '../target.js';

/** More events than any link causes. */
const MAX_STATE = 32_768;
/** Two octets before each frame: its direction (the highest bit) and its length. */
const FROM_CLIENT = 0x8000;
const LENGTH = 0x01ff;

function link(frames: readonly string[]): Uint8Array {
  return Buffer.concat(
    frames.flatMap((line) => {
      const frame = Buffer.from(line.slice(2), 'hex');
      const head = Buffer.alloc(2);
      head.writeUInt16BE((line.startsWith('>') ? FROM_CLIENT : 0) | frame.length);
      return [head, frame];
    }),
  );
}

function observe(input: Uint8Array): { state: PppState; events: string; frames: number } {
  const reader = new PppReader();
  const view = new DataView(input.buffer, input.byteOffset, input.length);
  let events = '';
  let frames = 0;
  for (let at = 0; at + 2 <= input.length; frames += 1) {
    const head = view.getUint16(at);
    const end = Math.min(input.length, at + 2 + (head & LENGTH));
    const direction = (head & FROM_CLIENT) === 0 ? 'toClient' : 'fromClient';
    events += JSON.stringify(reader.observe(direction, input.subarray(at + 2, end), frames));
    at = end;
  }
  return { state: reader.state, events, frames };
}

const PLACES: SettingPlaces = {
  engine: 'builtin',
  optionsFile: '/etc/ppp/options',
  written: new Set(),
  secrets: '/etc/ppp/chap-secrets',
  radius: false,
};

export const ppp: Target = {
  covers: ['/src/ppp/'],
  seeds: () => Object.values(captures).map(link),
  run: (input) => {
    const { state, frames } = surrounded(input, observe);
    assert.equal(state.frames.fromClient + state.frames.toClient, frames);
    const json = JSON.stringify(state);
    assert(json.length < MAX_STATE);
    assert.deepEqual(JSON.parse(json), state);
    assert.doesNotMatch(stringsOf(state).join(''), INVISIBLE);
    if (state.failure !== null) assert.match(describeFailure(state.failure, PLACES), /./);
    return state.failure === null ? '' : JSON.stringify(Object.values(state.failure)[0]);
  },
};
