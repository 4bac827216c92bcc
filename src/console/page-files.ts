/**
 * The page's files, served from memory. The build makes the table of them (scripts/build.d/page.mjs), so no path of a
 * request ever reaches the file system.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface PageResponse {
  readonly status: 200 | 304;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer>;
}

export interface PageFiles {
  /** null: there is no such file. `headers`: the request's, by names in lower case. */
  respond(
    path: string,
    headers: { readonly acceptEncoding: string; readonly ifNoneMatch: string },
  ): PageResponse | null;
}

/** As scripts/build.d/page.mjs writes it, by path. */
type Table = Readonly<
  Record<string, { readonly file: string; readonly type: string; readonly compressed: readonly string[] }>
>;

interface File {
  readonly type: string;
  /** By Content-Encoding, the best first; the last is `identity`. */
  readonly contents: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

/** The addresses of the views (src/console/page/model/routes): all are the same document. */
const VIEWS = /^\/(?:login|sessions(?:\/[0-9a-z]{1,64})?|failures|users|history|server)?\/?$/;
const YEAR = 31_536_000;
const NOTHING = new Uint8Array(0);

/** @throws the page was not built, or a file of it cannot be read. */
export function loadPageFiles(folder = fileURLToPath(new URL('../console/assets/', import.meta.url))): PageFiles {
  const read = (name: string): Uint8Array<ArrayBuffer> => new Uint8Array(readFileSync(`${folder}/${name}`));
  const table = JSON.parse(readFileSync(`${folder}/files.json`, 'utf8')) as Table;
  const files = new Map<string, File>(
    Object.entries(table).map(([path, { file, type, compressed }]) => [
      path,
      {
        type,
        contents: new Map([
          ...compressed.map((encoding) => [encoding, read(`${file}.${encoding}`)] as const),
          ['identity', read(file)],
        ]),
      },
    ]),
  );
  // The document's ETag is made of the names of the files that it refers to, so a new build changes it.
  const tag = `"${Object.keys(table)
    .toSorted()
    .join('')
    .replaceAll(/[^0-9a-z]/g, '')}"`;
  return {
    respond: (path, { acceptEncoding, ifNoneMatch }) => {
      const isView = VIEWS.test(path);
      const file = files.get(isView ? '/' : path);
      if (file === undefined) return null;
      const caching: Record<string, string> = isView
        ? { 'cache-control': 'no-cache', etag: tag }
        : { 'cache-control': `public, max-age=${YEAR}, immutable` };
      if (isView && ifNoneMatch === tag) return { status: 304, headers: caching, body: NOTHING };
      const [encoding, body] = chosen(file, acceptEncoding);
      return {
        status: 200,
        headers: {
          ...caching,
          'content-type': file.type,
          'content-length': String(body.length),
          vary: 'accept-encoding',
          ...(encoding === 'identity' ? {} : { 'content-encoding': encoding }),
        },
        body,
      };
    },
  };
}

/** `br;q=0` refuses it. */
function chosen({ contents }: File, acceptEncoding: string): readonly [string, Uint8Array<ArrayBuffer>] {
  const accepted = new Set(
    acceptEncoding
      .toLowerCase()
      .split(',')
      .filter((each) => !/;\s*q=0(?:\.0*)?\s*$/.test(each))
      .map((each) => (each.split(';')[0] ?? '').trim()),
  );
  for (const [encoding, body] of contents)
    if (encoding === 'identity' || accepted.has(encoding)) return [encoding, body];
  return ['identity', NOTHING];
}
