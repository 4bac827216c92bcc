/**
 * `pptpd-ts serve` if it cannot work: each error of the configuration and of the machine has its message and exit code, and
 * nothing is left behind.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { TCP_PORT } from '../../src/pptp/index.js';
import { enterNamespace, namespaceProcesses } from './support/netns.js';
import { SERVER_ADDRESS, Server, type Settings } from './support/server.js';

enterNamespace(SERVER_ADDRESS);

interface Failure {
  readonly code: number | null;
  /** The lines on standard error. */
  readonly sentences: readonly string[];
  readonly server: Server;
}

/** Starts a server that must fail, waits for its end, and checks that it has left nothing. */
async function fail(
  t: TestContext,
  prepare: Settings | ((server: Server) => void),
  ...prefix: readonly string[]
): Promise<Failure> {
  const server = new Server();
  t.after(() => server.cleanUp());
  if (typeof prepare === 'function') prepare(server);
  else server.configure(prepare);
  server.start(...prefix);
  const { code } = await server.closed();
  assert.deepEqual(server.log.all, [], 'nothing is logged, standard error is the place');
  await server.nothingLeft();
  assert.deepEqual(namespaceProcesses(), []);
  return { code, sentences: server.words.split('\n').filter((line) => line !== ''), server };
}

describe('a wrong configuration ends with exit code 2', () => {
  test('every error is reported at once, with key and value', async (t) => {
    const { code, sentences, server } = await fail(t, (each) =>
      writeFileSync(
        each.configurationFile,
        JSON.stringify({
          runDirectory: each.runDirectory,
          listen: { port: 70_000 },
          addresses: { remote: '203.0.113.9-3', local: '192.0.2.300' },
          timeouts: { echoReply: 'soon' },
          log: { level: 'loud' },
          pppd: { sped: 115_200 },
          limts: {},
        }),
      ),
    );
    assert.equal(code, 2);
    const mistakes: readonly (readonly [key: string, value: string])[] = [
      ['listen.port', '70000'],
      ['addresses.remote', '203.0.113.9-3'],
      ['addresses.local', '192.0.2.300'],
      ['timeouts.echoReply', 'soon'],
      ['log.level', 'loud'],
      ['pppd', 'sped'],
      ['', 'limts'],
    ];
    for (const [key, value] of mistakes) {
      assert(
        sentences.some((sentence) => sentence.includes(key) && sentence.includes(value)),
        `${key} ${value} in:\n${sentences.join('\n')}`,
      );
    }
    assert(!existsSync(server.runDirectory));
  });

  test('a file that is not JSON', async (t) => {
    const { code, sentences } = await fail(t, (server) => writeFileSync(server.configurationFile, '{ "listen": '));
    assert.equal(code, 2);
    assert.equal(sentences.length, 1);
    assert.match(sentences[0] ?? '', /pptpd-ts\.json/);
  });

  test('a missing file', async (t) => {
    const { code, sentences, server } = await fail(t, () => undefined);
    assert.equal(code, 2);
    assert.equal(sentences.length, 1);
    assert(sentences[0]?.includes(server.configurationFile), sentences[0]);
  });
});

describe('a machine that is not ready ends with exit code 1 and one message', () => {
  test('the port is taken', async (t) => {
    const other = createServer().listen(TCP_PORT, SERVER_ADDRESS);
    t.after(() => other.close());
    await once(other, 'listening');
    const { code, sentences } = await fail(t, {});
    assert.deepEqual([code, sentences.length], [1, 1]);
    assert.match(sentences[0] ?? '', /192\.0\.2\.1:1723.*another program/);
  });

  test('the port of the metrics is taken', async (t) => {
    const other = createServer().listen(9723, SERVER_ADDRESS);
    t.after(() => other.close());
    await once(other, 'listening');
    const { code, sentences } = await fail(t, { metrics: { address: SERVER_ADDRESS } });
    assert.deepEqual([code, sentences.length], [1, 1]);
    assert.match(sentences[0] ?? '', /for metrics on 192\.0\.2\.1:9723.*another program/);
  });

  test('the address is not this machine’s', async (t) => {
    const { code, sentences } = await fail(t, { listen: { address: '192.0.2.99' } });
    assert.deepEqual([code, sentences.length], [1, 1]);
    assert.match(sentences[0] ?? '', /192\.0\.2\.99:1723.*no such address/);
  });

  test('the file system of the run directory is read-only', async (t) => {
    const readOnly = ['unshare', '--mount', 'sh', '-c', 'mount -t tmpfs -o ro tmpfs "$0" && exec "$@"'];
    const folder = mkdtempSync(join(tmpdir(), 'pptpd-ts-read-only-'));
    t.after(() => rmSync(folder, { recursive: true }));
    for (const settings of [{}, { user: 'nobody' }]) {
      const runDirectory = join(folder, 'run');
      const { code, sentences } = await fail(t, { runDirectory, ...settings }, ...readOnly, folder);
      assert.deepEqual([code, sentences.length], [1, 1], sentences.join('\n'));
      assert.match(sentences[0] ?? '', /its file system is read-only; remedy: mount a writable one there/);
    }
  });

  test('there is no pppd', async (t) => {
    const { code, sentences } = await fail(t, { pppd: { path: '/nowhere/pppd' } });
    assert.deepEqual([code, sentences.length], [1, 1]);
    assert.match(sentences[0] ?? '', /\/nowhere\/pppd/);
  });

  test('the options file is missing', async (t) => {
    const server = new Server();
    const options = join(server.directory, 'options.missing');
    await server.cleanUp();
    const { code, sentences } = await fail(t, (each) => each.configure({ pppd: { options } }));
    assert.deepEqual([code, sentences.length], [1, 1]);
    assert(sentences[0]?.includes(options), sentences[0]);
  });

  test('root without capabilities', async (t) => {
    const { code, sentences } = await fail(t, {}, 'setpriv', '--bounding-set', '-all', '--inh-caps', '-all');
    assert.equal(code, 1);
    assert.match(sentences.join('\n'), /root without CAP_NET_RAW; remedy: /);
  });

  test('the kernel has no PPP for a real pppd', async (t) => {
    if (existsSync('/dev/ppp') || existsSync('/sys/module/ppp_generic')) {
      t.skip('this kernel has PPP');
      return;
    }
    const { code, sentences } = await fail(t, (server) => {
      const pppd = join(server.directory, 'pppd');
      writeFileSync(pppd, '#!/bin/sh\necho "pppd version 2.4.9"\n', { mode: 0o755 });
      server.configure({ pppd: { path: pppd, args: [] } });
    });
    assert.equal(code, 1);
    assert.match(sentences.join('\n'), /PPP/);
  });
});
