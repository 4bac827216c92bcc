/**
 * Prints the software bill of materials of the image as CycloneDX 1.6 JSON: its Debian packages, Node.js, and the npm packages.
 * It runs in the image, with its Node.js. SOURCE_DATE_EPOCH is the time that it names; without it, it names none.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const HOME = '/usr/lib/pptpd-ts';
const { SOURCE_DATE_EPOCH } = process.env;

const os = Object.fromEntries(
  readFileSync('/etc/os-release', 'utf8')
    .split('\n')
    .filter((line) => line.includes('='))
    .map((line) => line.split('=', 2).map((word) => word.replaceAll('"', ''))),
);

const component = (type, name, version, purl, rest = {}) => ({ type, name, version, 'bom-ref': purl, purl, ...rest });

function debianPackages() {
  const format = ['Package', 'Version', 'Architecture', 'source:Package', 'source:Version'].map((field) => `\${${field}}`);
  const lines = execFileSync('dpkg-query', ['--show', '--showformat', `${format.join('\t')}\n`], { encoding: 'utf8' });
  return lines
    .trim()
    .split('\n')
    .map((line) => {
      const [name, version, architecture, source, sourceVersion] = line.split('\t');
      const qualifiers = `arch=${architecture}&distro=debian-${os.VERSION_ID}`;
      return component('library', name, version, `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?${qualifiers}`, {
        properties: [{ name: 'debian:source', value: `${source} ${sourceVersion}` }],
      });
    });
}

/** A licence is named by an SPDX identifier or an expression of them. */
const licences = (licence) =>
  typeof licence !== 'string' ? [] : / (?:OR|AND|WITH) /.test(licence) ? [{ expression: licence }] : [{ license: { id: licence } }];

/** Packages in a folder node_modules, and in those of the packages. */
function npmPackages(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (!entry.isDirectory()) return [];
    if (entry.name.startsWith('@')) return npmPackages(path);
    const description = join(path, 'package.json');
    if (!existsSync(description)) return [];
    return [npmPackage(JSON.parse(readFileSync(description, 'utf8'))), ...npmPackages(join(path, 'node_modules'))];
  });
}

/** Of its package.json. */
function npmPackage({ name, version, license }) {
  const purl = `pkg:npm/${name.split('/').map(encodeURIComponent).join('/')}@${version}`;
  return component('library', name, version, purl, { licenses: licences(license) });
}

const own = JSON.parse(readFileSync(join(HOME, 'package.json'), 'utf8'));
const node = process.versions.node;
const components = [
  component('operating-system', 'debian', os.VERSION_ID, `pkg:generic/debian@${os.VERSION_ID}`),
  ...debianPackages(),
  component('platform', 'node', node, `pkg:generic/node@${node}`),
  ...npmPackages(join(HOME, 'node_modules')),
  // Those in the console's page, of which node_modules knows nothing.
  ...JSON.parse(readFileSync(join(HOME, 'dist/src/console/assets/packages.json'), 'utf8')).map(npmPackage),
];
const unique = new Map(components.map((each) => [each['bom-ref'], each]));
const sorted = [...unique.values()].sort((a, b) => (a['bom-ref'] < b['bom-ref'] ? -1 : 1));
const timestamp = SOURCE_DATE_EPOCH ? { timestamp: new Date(SOURCE_DATE_EPOCH * 1000).toISOString() } : {};
const bom = {
  bomFormat: 'CycloneDX',
  specVersion: '1.6',
  version: 1,
  metadata: {
    ...timestamp,
    component: component('container', own.name, own.version, `pkg:generic/${own.name}@${own.version}`, {
      licenses: licences(own.license),
    }),
  },
  components: sorted,
};
process.stdout.write(`${JSON.stringify(bom, null, 1)}\n`);
