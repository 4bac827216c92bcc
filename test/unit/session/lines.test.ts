/** Messages as lines, over a stream in memory. */
import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { describe, test } from 'node:test';
import { MAX_ANSWER_BYTES, readLines, writeLine, writeText } from '../../../src/session/lines.js';

const MAX_REQUEST_BYTES = 4096;
const MAX_UNREAD_BYTES = 1024 * 1024;

/** One end of a stream. Tests push what the other end sends; `sent` has what this end sends, unless the other does not read. */
class End extends Duplex {
  readonly sent: string[] = [];
  readonly messages: unknown[] = [];
  error: Error | null = null;
  reads = true;

  constructor() {
    super();
    this.on('error', (error) => (this.error = error));
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, taken: () => void): void {
    this.sent.push(chunk.toString('latin1'));
    if (this.reads) taken();
  }

  /** Resolves when everything that was pushed has been read. */
  async receive(...chunks: readonly (string | Buffer)[]): Promise<void> {
    for (const chunk of chunks) this.push(chunk);
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }
}

function reader(limit?: number): End {
  const end = new End();
  readLines(end, (message) => void end.messages.push(message), limit);
  return end;
}

describe('reading', () => {
  test('each line is a message, however the lines are split or joined; empty lines are ignored', async () => {
    const bytes = Buffer.from('{"id":1}\n\n  \n[2]\r\n"drü"\n');
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const end = reader();
      await end.receive(bytes.subarray(0, cut), bytes.subarray(cut));
      assert.deepEqual([end.messages, end.error], [[{ id: 1 }, [2], 'drü'], null], `cut at ${cut}`);
    }
  });

  test('an incomplete line is kept until its end arrives', async () => {
    const end = reader();
    await end.receive('{"id":');
    assert.deepEqual(end.messages, []);
    await end.receive('1}\n');
    assert.deepEqual(end.messages, [{ id: 1 }]);
  });

  test('a line that is not JSON ends the connection, and later lines are not read', async () => {
    const end = reader();
    await end.receive('1\nGET / HTTP/1.1\n2\n');
    assert.deepEqual([end.messages, end.destroyed, end.error?.message], [[1], true, 'not JSON: GET / HTTP/1.1']);
  });

  test('the error shows the beginning of a long line that is not JSON', async () => {
    const end = reader();
    await end.receive(`${'x'.repeat(1000)}\n`);
    assert.equal(end.error?.message, `not JSON: ${'x'.repeat(80)}`);
  });

  test('a line may be as long as the limit, but not longer', async () => {
    for (const [limit, length] of [
      [undefined, MAX_REQUEST_BYTES],
      [MAX_ANSWER_BYTES, MAX_ANSWER_BYTES],
    ] as const) {
      const within = reader(limit);
      await within.receive('x'.repeat(length));
      assert.equal(within.error, null);
      const beyond = reader(limit);
      await beyond.receive('x'.repeat(length + 1));
      assert.equal(beyond.error?.message, `a line longer than ${length} bytes`);
    }
  });

  test('a handler that ends the connection gets no further messages', async () => {
    const end = new End();
    readLines(end, (message) => {
      end.messages.push(message);
      end.destroy();
    });
    await end.receive('1\n2\n');
    assert.deepEqual(end.messages, [1]);
  });
});

describe('writing', () => {
  test('a message is written as a line', () => {
    const end = new End();
    writeLine(end, { id: 1, name: 'ü' });
    writeText(end, '"ascii"', 'latin1');
    assert.equal(Buffer.from(end.sent.join(''), 'latin1').toString(), '{"id":1,"name":"ü"}\n"ascii"\n');
  });

  test('a reader that has stopped reading is disconnected once too much is buffered', () => {
    const end = new End();
    end.reads = false;
    const line = 'x'.repeat(64 * 1024 - 1);
    for (let lines = 0; lines < MAX_UNREAD_BYTES / (64 * 1024); lines += 1) writeText(end, line, 'latin1');
    assert.equal(end.destroyed, false);
    writeText(end, '', 'latin1');
    assert.equal(end.destroyed, true);
  });

  test('writing to a closed end does nothing and is no error', async () => {
    const end = new End();
    end.end();
    writeLine(end, 1);
    await end.receive();
    assert.deepEqual([end.sent, end.error], [[], null]);
  });
});
