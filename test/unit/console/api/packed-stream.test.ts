import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGunzip } from 'node:zlib';
import { acceptsGzip, packedStream } from '../../../../src/console/api/packed-stream.js';

test('each event can be read as soon as it was sent, also by who came later', async () => {
  const events = ['first event\n\n'.repeat(100), 'second\n\n', 'third\n\n'].map((text) =>
    new TextEncoder().encode(text),
  );
  for (const from of [0, 1]) {
    const gunzip = createGunzip();
    let read = '';
    gunzip.setEncoding('utf8').on('data', (text: string) => (read += text));
    let send: ReadableStreamDefaultController<Uint8Array> | undefined;
    const reader = packedStream(new ReadableStream({ start: (controller) => void (send = controller) })).getReader();
    let sent = '';
    gunzip.write((await reader.read()).value);
    for (const event of events.slice(from)) {
      sent += new TextDecoder().decode(event);
      send?.enqueue(event);
      const { value } = await reader.read();
      await new Promise((resolve) => gunzip.write(value, resolve));
      assert.equal(read, sent);
    }
    gunzip.destroy();
  }
});

test('only who asks for gzip gets it', () => {
  for (const yes of ['gzip', 'gzip, deflate, br', 'br, gzip;q=0.5', 'GZIP']) assert.ok(acceptsGzip(yes), yes);
  for (const no of ['', 'br', 'identity', 'gzip;q=0', 'gzip; q=0.0', 'xgzip']) assert.ok(!acceptsGzip(no), no);
});
