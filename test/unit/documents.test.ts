/**
 * The documents against what they speak of: the schema, the starter file, the lab's files and each other. Whichever
 * changes alone fails here.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { configurationKeys, keysAsMarkdown } from '../../src/config/keys.js';
import { newProgram } from '../../src/cli/program.js';
import { loadConfiguration } from '../../src/config/load.js';
import { routesAsMarkdown } from '../../src/console/api/openapi.js';
import { ALL_ROUTES } from '../../src/console/api/routes.js';

const CONFIGURATION = readFileSync('docs/configuration.md', 'utf8');
const STARTER = 'scripts/etc/pptpd-ts.json';
/** Commands that a running server has no use for, or that make the console's own users: by the command line only. */
const NO_ROUTES = new Set([
  'serve',
  'start',
  'stop',
  'restart',
  'import',
  'completion',
  'completion-words',
  'version',
  'help',
  'reference',
  'monitor',
  'console',
]);
const PAGES = ['README.md', 'CONTRIBUTING.md', 'ARCHITECTURE.md', 'CHANGELOG.md'].concat(
  readdirSync('docs')
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
);

/** Not in the repository: written by the lab, the benchmark and the soak. */
const WRITTEN_BY_RUNS = ['test/lab/results/', 'test/bench/results', 'test/soak/results'];

test('docs/configuration.md has the table that scripts/documents makes of the schema', () => {
  const table = /<!-- scripts\/documents: begin -->\n([^]*?)\n<!-- scripts\/documents: end -->/.exec(
    CONFIGURATION,
  )?.[1];
  assert.equal(table, keysAsMarkdown(configurationKeys()));
});

test('docs/console-api.md has the table that scripts/documents makes of the routes', () => {
  const page = readFileSync('docs/console-api.md', 'utf8');
  const table = /<!-- scripts\/documents: begin -->\n([^]*?)\n<!-- scripts\/documents: end -->/.exec(page)?.[1];
  assert.equal(table, routesAsMarkdown(ALL_ROUTES));
});

test('the table of the routes has every command that shows or changes a running server, and only commands that exist', () => {
  const [commands, named] = [
    newProgram().commands.map((command) => command.name()),
    ALL_ROUTES.flatMap(({ command }) => command?.split(', ') ?? []),
  ];
  const first = new Set(named.map((each) => each.split(' ')[0] ?? ''));
  assert.deepEqual(
    [...first].filter((each) => !commands.includes(each)),
    [],
  );
  const missing = commands.filter((each) => !first.has(each) && !NO_ROUTES.has(each));
  assert.deepEqual(missing, []);
});

test('the starter configuration is valid, and is the one that docs/configuration.md shows', () => {
  assert.ok(loadConfiguration(STARTER).ok);
  const [shown = ''] = /^ {4}\{$[^]*?^ {4}\}$/m.exec(CONFIGURATION) ?? [];
  assert.deepEqual(JSON.parse(shown), JSON.parse(readFileSync(STARTER, 'utf8')));
});

test('the README leads to every page of docs/', () => {
  const linked = new Set(linksOf('README.md').map(({ path }) => path));
  assert.deepEqual(
    PAGES.filter((page) => page.startsWith('docs/') && !linked.has(page)),
    [],
  );
});

test('every link of a document leads to a file, and to a heading that is there', () => {
  const broken = PAGES.flatMap((page) =>
    linksOf(page)
      .filter(({ path, anchor }) => !existsSync(path) || (anchor !== '' && !anchorsOf(path).has(anchor)))
      .map(({ target }) => `${page}: ${target}`),
  );
  assert.deepEqual(broken, []);
});

test('every path of the project that a document names exists', () => {
  const missing = PAGES.filter((page) => page !== 'CHANGELOG.md').flatMap((page) =>
    pathsIn(readFileSync(page, 'utf8'))
      .filter((path) => !existsSync(path) && !WRITTEN_BY_RUNS.some((folder) => path.startsWith(folder)))
      .map((path) => `${page}: ${path}`),
  );
  assert.deepEqual(missing, []);
});

test('every test file that docs/threats.md names exists', () => {
  const files = new Set(readdirSync('test', { recursive: true, encoding: 'utf8' }).map((path) => basename(path)));
  const named = Array.from(readFileSync('docs/threats.md', 'utf8').matchAll(/[\w-]+\.test\.ts/g), ([name]) => name);
  assert.notDeepEqual(named, []);
  assert.deepEqual(
    named.filter((name) => !files.has(name)),
    [],
  );
});

test('every module that ARCHITECTURE.md names exists', () => {
  const folders = new Set(readdirSync('src'));
  const named = Array.from(
    readFileSync('ARCHITECTURE.md', 'utf8').matchAll(/`([a-z]+)(\/[a-z/-]+)`/g),
    ([, folder = '', rest = '']) => ({ folder, path: join('src', folder + rest) }),
  ).filter(({ folder }) => folders.has(folder));
  assert.notDeepEqual(named, []);
  assert.deepEqual(
    named.map(({ path }) => path).filter((path) => !existsSync(`${path}.ts`) && !existsSync(path)),
    [],
  );
});

test('docs/scale-out.md shows the files that the lab runs with', () => {
  const sections = readFileSync('docs/scale-out.md', 'utf8').matchAll(
    /^### \/etc\/(\S+)\n\n((?: {4}.*\n|\n(?= {4}))+)/gm,
  );
  const shown = Array.from(sections, ([, path = '', block = '']) => [path, block.replaceAll(/^ {4}/gm, '')] as const);
  const folder = 'test/lab/scale-out/etc';
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (path) => statSync(join(folder, path)).isFile() && statSync(join(folder, path)).size > 1,
  );
  assert.deepEqual(shown.map(([path]) => path).toSorted(), files.toSorted());
  for (const [path, text] of shown) assert.equal(text, readFileSync(join(folder, path), 'utf8'), path);
});

/** Paths from the project's root. Of `test/lab/…` the folder counts. */
const pathsIn = (text: string): string[] =>
  Array.from(text.matchAll(/(?<![\w./-])(?:src|test|scripts|docs)\/[\w./-]*/g), ([path]) => path.replace(/\.$/, ''));

/** Those to other files and headings of the project. `path` is from its root. */
function linksOf(page: string): { readonly target: string; readonly path: string; readonly anchor: string }[] {
  return Array.from(readFileSync(page, 'utf8').matchAll(/\]\(([^)\s]+)\)/g), ([, target = '']) => target)
    .filter((target) => !/^\w+:/.test(target))
    .map((target) => {
      const [file = '', anchor = ''] = target.split('#');
      return { target, path: file === '' ? page : normalize(join(dirname(page), file)), anchor };
    });
}

/** As GitHub makes them of headings. */
const anchorsOf = (page: string): Set<string> =>
  new Set(
    Array.from(readFileSync(page, 'utf8').matchAll(/^#+ (.*)$/gm), ([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    ),
  );
