/**
 * Writes what makes a layer an image: its configuration, the manifest, the index (OCI image specification 1.0), and manifest.json,
 * which `docker load` reads. Standard input has the instructions of Containerfile's last stage, as scripts/image cuts them:
 * name, tab, arguments. Prints the digest of the image.
 */
import { createHash } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const { DIFF_ID, LAYER, LAYOUT, VERSION, ARCHITECTURE, SOURCE_DATE_EPOCH } = process.env;
const created = new Date(SOURCE_DATE_EPOCH * 1000).toISOString();
const pathOf = (digest) => join('blobs', ...digest.split(':'));
const NANOSECONDS = { s: 1_000_000_000 };

/** What each instruction adds to the configuration. An unknown one must not be lost silently. */
const SETTINGS = {
  LABEL: (text) => {
    const [, name, value] = /^([^=]+)=(.*)$/.exec(text);
    return { Labels: { [name]: JSON.parse(value) } };
  },
  EXPOSE: (port) => ({ ExposedPorts: { [port]: {} } }),
  VOLUME: (text) => ({ Volumes: Object.fromEntries(JSON.parse(text).map((path) => [path, {}])) }),
  STOPSIGNAL: (signal) => ({ StopSignal: signal }),
  ENTRYPOINT: (text) => ({ Entrypoint: JSON.parse(text) }),
  // Not in the OCI specification: Docker reads it all the same, others ignore it.
  HEALTHCHECK: (text) => {
    const [options, command] = text.split(' CMD ');
    const times = options.split(' ').map((option) => {
      const [, name, number] = /^--(interval|timeout|start-period)=(\d+)s$/.exec(option);
      const key = name.replace(/(?:^|-)(.)/g, (_, letter) => letter.toUpperCase());
      return [key, number * NANOSECONDS.s];
    });
    return { Healthcheck: { Test: ['CMD', ...JSON.parse(command)], ...Object.fromEntries(times) } };
  },
};
const STEPS = ['FROM', 'RUN', 'COPY', 'ARG'];

function write(value, mediaType) {
  const text = JSON.stringify(value);
  const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`;
  writeFileSync(join(LAYOUT, pathOf(digest)), text);
  return { mediaType, digest, size: Buffer.byteLength(text) };
}

const config = { Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'], Labels: {} };
for (const line of readFileSync(0, 'utf8').trim().split('\n')) {
  const [name, rest] = line.split('\t', 2);
  if (STEPS.includes(name)) continue;
  if (SETTINGS[name] === undefined) throw new Error(`Containerfile: no setting is known for ${name}; add it to layout.mjs`);
  const { Labels = {}, ...added } = SETTINGS[name](rest);
  Object.assign(config, added);
  Object.assign(config.Labels, Labels);
}
config.Labels['org.opencontainers.image.version'] = VERSION;

const image = write(
  {
    created,
    architecture: ARCHITECTURE,
    os: 'linux',
    config,
    rootfs: { type: 'layers', diff_ids: [DIFF_ID] },
    history: [{ created, created_by: 'scripts/image' }],
  },
  'application/vnd.oci.image.config.v1+json',
);
const manifest = write(
  {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: image,
    layers: [
      { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: LAYER, size: statSync(join(LAYOUT, pathOf(LAYER))).size },
    ],
  },
  'application/vnd.oci.image.manifest.v1+json',
);
const tag = `pptpd-ts:${VERSION}`;
const annotations = { 'org.opencontainers.image.ref.name': VERSION, 'io.containerd.image.name': `docker.io/library/${tag}` };
const platform = { architecture: ARCHITECTURE, os: 'linux' };
writeFileSync(join(LAYOUT, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
writeFileSync(join(LAYOUT, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [{ ...manifest, platform, annotations }] }));
writeFileSync(
  join(LAYOUT, 'manifest.json'),
  JSON.stringify([{ Config: pathOf(image.digest), RepoTags: [tag], Layers: [pathOf(LAYER)] }]),
);
process.stdout.write(`${manifest.digest}\n`);
