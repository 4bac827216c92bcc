import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Preamble } from '../../../../src/link/pppd/preamble.js';

const FRAME = '\u007e\u00ff\u007d\u0023\u00c0';
const FRAME_AT = 1;

/** Chunks (latin1), their text, and the frame's offset in the last chunk. */
const TABLE: readonly (readonly [name: string, chunks: readonly string[], text: string, frameAt: number | null])[] = [
  ['only a frame', [FRAME], '', FRAME_AT],
  ['text only', ['pppd: no such option: foo\r\n'], 'pppd: no such option: foo\r\n', null],
  ['text, then a frame', [`warning\n${FRAME}`], 'warning\n', 8 + FRAME_AT],
  ['text and frame in two chunks', ['warning\n', FRAME], 'warning\n', FRAME_AT],
  ['the flag ends a chunk', ['warning\n~', FRAME.slice(1)], 'warning\n', 0],
  ['a tilde is text', ["can't open ~/.ppprc\n"], "can't open ~/.ppprc\n", null],
  ['a tilde ends a chunk', ["can't open ~", '/.ppprc\n'], "can't open ~/.ppprc\n", null],
  ['a tilde ends a line', ['home is ~\r\n'], 'home is ~\r\n', null],
  ['several flags', [`~~${FRAME}`], '', 2 + FRAME_AT],
  ['an escaped address after the flag', ['~\u007d\u00df'], '', FRAME_AT],
];

describe('Preamble', () => {
  for (const [name, chunks, text, frameAt] of TABLE) {
    test(name, () => {
      const preamble = new Preamble();
      const out = chunks.map((chunk) => preamble.take(Buffer.from(chunk, 'latin1')));
      assert.deepEqual([out.map((each) => each.text).join(''), out.at(-1)?.frameAt], [text, frameAt]);
    });
  }
});
