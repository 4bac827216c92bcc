// Bundles the console's page into dist/src/console/assets: script, style and icon under names that contain a hash of the
// content, index.html that refers to them, each also compressed, and files.json, the table by which src/console/page-files
// serves them. The script names a file with the licences of the libraries in it, which they demand of every copy; packages.json
// lists these libraries.
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const source = 'src/console/page';
const target = 'dist/src/console/assets';
const TYPES = {
  css: 'text/css; charset=utf-8',
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
  txt: 'text/plain; charset=utf-8',
};
const COMPRESSIONS = {
  br: (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }),
  gzip: (bytes) => gzipSync(bytes, { level: 9 }),
};

const { outputFiles, metafile } = await build({
  entryPoints: [`${source}/main.tsx`, `${source}/page.css`],
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  tsconfig: `${source}/tsconfig.json`,
  charset: 'utf8',
  // Some libraries mark theirs as such comments and some do not: see `licences`.
  legalComments: 'none',
  metafile: true,
  outdir: target,
  write: false,
  logLevel: 'warning',
});
const built = (ending) => outputFiles.find(({ path }) => path.endsWith(ending)).contents;

await rm(target, { recursive: true, force: true });
await mkdir(target, { recursive: true });
const files = {};

async function keep(name, path, content) {
  const ending = name.slice(name.lastIndexOf('.') + 1);
  await writeFile(`${target}/${name}`, content);
  const compressed = [];
  for (const [encoding, compress] of Object.entries(COMPRESSIONS)) {
    await writeFile(`${target}/${name}.${encoding}`, compress(content));
    compressed.push(encoding);
  }
  files[path] = { file: name, type: TYPES[ending], compressed };
  return path;
}

// The name changes with the content, so browsers may keep it for ever.
const hashed = async (name, content) => {
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 12);
  const [stem, ending] = name.split('.');
  return keep(`${stem}-${hash}.${ending}`, `/assets/${stem}-${hash}.${ending}`, content);
};

/** The package.json of each npm package in the script, and its folder. */
async function packages() {
  const folders = Object.keys(metafile.inputs).flatMap((path) => path.match(/^node_modules\/(?:@[^/]+\/)?[^/]+/) ?? []);
  const described = [...new Set(folders)]
    .sort()
    .map(async (folder) => ({ folder, ...JSON.parse(await readFile(`${folder}/package.json`, 'utf8')) }));
  return Promise.all(described);
}

/** Fails if a package has none. */
async function licences(described) {
  const texts = described.map(
    async ({ folder, name, version }) => `${name} ${version}\n\n${(await readFile(`${folder}/LICENSE`, 'utf8')).trim()}\n`,
  );
  return (await Promise.all(texts)).join(`\n${'-'.repeat(72)}\n\n`);
}

const bundled = await packages();
const licencesPath = await hashed('licences.txt', Buffer.from(await licences(bundled)));
const script = Buffer.concat([built('.js'), Buffer.from(`/*! Licences of the libraries in it: ${licencesPath} */\n`)]);

const page = (await readFile(`${source}/index.html`, 'utf8'))
  .replace('@SCRIPT@', await hashed('page.js', script))
  .replace('@STYLE@', await hashed('page.css', built('.css')))
  .replace('@ICON@', await hashed('icon.svg', await readFile(`${source}/icon.svg`)));
await keep('index.html', '/', Buffer.from(page));
await writeFile(`${target}/files.json`, `${JSON.stringify(files, null, 2)}\n`);
// For the bill of materials of the image.
const named = bundled.map(({ name, version, license }) => ({ name, version, license }));
await writeFile(`${target}/packages.json`, `${JSON.stringify(named, null, 2)}\n`);
