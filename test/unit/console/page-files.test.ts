import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { loadPageFiles, type PageResponse } from '../../../src/console/page-files.js';

const files = loadPageFiles();
const get = (path: string, acceptEncoding = '', ifNoneMatch = ''): PageResponse | null =>
  files.respond(path, { acceptEncoding, ifNoneMatch });
const text = (response: PageResponse | null): string => Buffer.from(response?.body ?? []).toString();

describe("the page's files", () => {
  test('every view is the same document', () => {
    const document = text(get('/'));
    assert.match(document, /^<!doctype html>/);
    for (const path of ['/login', '/sessions', '/sessions/1kzdpy', '/failures', '/users', '/history', '/server']) {
      assert.equal(text(get(path)), document, path);
    }
  });

  test('what the document refers to exists, and may be kept for ever', () => {
    const paths = Array.from(text(get('/')).matchAll(/(?:href|src)="([^"]+)"/g), ([, path = '']) => path);
    assert.equal(paths.length, 3);
    for (const path of paths) assert.match(get(path)?.headers['cache-control'] ?? '', /immutable/, path);
  });

  test('the script names the licences of the libraries in it', () => {
    const [, script = ''] = /src="([^"]+)"/.exec(text(get('/'))) ?? [];
    const [, licences = ''] = /\/\*! Licences [^*]*(\/assets\/\S+) \*\//.exec(text(get(script))) ?? [];
    const found = get(licences);
    assert.match(found?.headers['content-type'] ?? '', /^text\/plain/);
    for (const [library, author] of [
      ['preact', 'Jason Miller'],
      ['uplot', 'Leon Sorokin'],
    ] as const)
      assert.match(
        text(found),
        new RegExp(`^${library} [\\d.]+\\n[^]*?Copyright \\(c\\) .*${author}[^]*?Permission is hereby`, 'm'),
      );
  });

  test('the document has no inline code or style, and nothing from elsewhere', () => {
    assert.doesNotMatch(text(get('/')), /<script(?![^>]* src="\/)|<style|style=|\son\w+=|https?:/);
  });

  test('compressed when the browser takes it', () => {
    const plain = text(get('/'));
    const br = get('/', 'gzip, deflate, br');
    assert.equal(br?.headers['content-encoding'], 'br');
    assert.equal(brotliDecompressSync(br.body).toString(), plain);
    const gzip = get('/', 'gzip;q=0.5, br;q=0');
    assert.equal(gzip?.headers['content-encoding'], 'gzip');
    assert.equal(gunzipSync(gzip.body).toString(), plain);
    assert.equal(get('/', 'identity')?.headers['content-encoding'], undefined);
  });

  test('a document that the browser has is not sent again', () => {
    const tag = get('/')?.headers['etag'] ?? '';
    assert.notEqual(tag, '');
    assert.equal(get('/', '', tag)?.status, 304);
    assert.equal(get('/', '', '"another"')?.status, 200);
  });

  test('no other path is a file', () => {
    for (const path of [
      '/assets/',
      '/assets/files.json',
      '/assets/../page-files.js',
      '/../../../etc/passwd',
      '/%2e%2e/etc/passwd',
      '/sessions/../etc',
      '/index.html',
      '/__proto__',
      '/constructor',
      '',
    ]) {
      assert.equal(get(path), null, path);
    }
  });

  test('the first view takes less than 300 KB', () => {
    const octets = ['/', ...text(get('/')).matchAll(/(?:href|src)="([^"]+)"/g)].map(
      (path) => get(typeof path === 'string' ? path : (path[1] ?? ''), 'gzip')?.body.length ?? Number.NaN,
    );
    assert.ok(octets.reduce((sum, each) => sum + each, 0) < 300_000, String(octets));
  });
});
