/** The stream of the control connection: framer, header, decoder, description and encoder, with any split. */
import assert from 'node:assert/strict';
import {
  decode,
  describe,
  encode,
  findBadValue,
  Framer,
  type FramerItem,
  inspectStart,
  LINE_LIMIT,
} from '../../../src/pptp/index.js';
import { ALL_EXAMPLES } from '../../unit/pptp/examples.js';
import { cutAnywhere, randomOf } from '../random.js';
import { surrounded } from '../surroundings.js';
import type { Target } from '../target.js';

const MAX_CUTS = 12;
/** The form of an error's detail, which contains numbers of the peer but never its strings. */
const MAX_DETAIL = 120;

function framed(chunks: readonly Uint8Array[]): FramerItem[] {
  const framer = new Framer();
  return chunks.flatMap((chunk) => {
    framer.push(chunk);
    return [...framer];
  });
}

function check(item: FramerItem): void {
  if (!item.ok) {
    assert(item.error.detail.length < MAX_DETAIL && typeof item.error.fatal === 'boolean');
    return;
  }
  const { message } = item;
  assert.match(describe(message), /^[ -~]+$/);
  assert(describe(message).length <= LINE_LIMIT);
  findBadValue(message);
  assert.deepEqual(decode(encode(message)), { ok: true, message });
}

export const pptp: Target = {
  covers: ['/src/pptp/'],
  seeds: () => [...ALL_EXAMPLES.map(({ bytes }) => bytes), Buffer.concat(ALL_EXAMPLES.map(({ bytes }) => bytes))],
  run: (input) => {
    const items = surrounded(input, (view) => framed([view]));
    for (const item of items) check(item);
    assert(
      items.slice(0, -1).every((item) => item.ok || !item.error.fatal),
      'something followed a fatal error',
    );
    assert.deepEqual(framed(cutAnywhere(input, MAX_CUTS, randomOf(input))), items);
    surrounded(input, decode);
    surrounded(input, inspectStart);
    return '';
  },
};
