/** A certificate of its own for an address, made by openssl. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface MadeCertificate {
  /** Files. */
  readonly files: { readonly certificate: string; readonly key: string };
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
}

export function makeCertificate(folder: string, name: string, address: string): MadeCertificate {
  const files = { certificate: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const names = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=IP:${address}`];
  const output = ['-keyout', files.key, '-out', files.certificate];
  execFileSync('openssl', ['req', ...kind, ...names, ...output], { stdio: 'pipe' });
  return { files, certificate: readFileSync(files.certificate, 'utf8'), key: readFileSync(files.key, 'utf8') };
}
