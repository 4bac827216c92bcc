/**
 * Prints what `doctor` reads in pppd's files. The scenario compares it with pppd.
 *
 *   node reader.js options FILE                       the server's name, and whether pppd is silent
 *   node reader.js secrets FILE LOGINS ADDRESS        for each line of LOGINS: the address that a client with the lease
 *                                                     ADDRESS gets ("none": refused), and doctor's finding about FILE's line
 */
import { readFileSync } from 'node:fs';
import { addressNumber, addressText } from '../../../src/config/addresses.js';
import { configurationSchema } from '../../../src/config/schema.js';
import { has } from '../../../src/accounts/pppd-option-table.js';
import { effectiveOptions, serverName } from '../../../src/doctor/effective-options.js';
import { thisMachine } from '../../../src/doctor/machine.js';
import { bytesOf, wordsOf } from '../../../src/accounts/pppd-words.js';
import { examine } from '../../../src/doctor/secret-findings.js';
import { addressGiven, entriesOf, entryFor, fileOf, rulesOf, visible } from '../../../src/accounts/chap-secrets.js';

const read = (path: string): string => thisMachine.read(path) ?? '';
const write = (...columns: readonly string[]): boolean => process.stdout.write(`${columns.join('\t')}\n`);

function readOptions(file: string): void {
  const options = effectiveOptions(configurationSchema.parse({ pppd: { options: file } }), thisMachine);
  write(serverName(options, thisMachine), has(options, 'silent') ? 'silent' : 'not silent');
}

/** The address that the client gets; "none" or "unknown". */
function addressOf(text: string, name: string, password: string, method: string, lease: number): string {
  const entry = entryFor(entriesOf(text), name, 'pptpd', (path) => wordsOf(read(path)).length > 0);
  // MS-CHAPv2 includes the name in its calculation, and pppd uses the name in the form in which it compares it.
  const isKnown = method !== 'mschap-v2' || visible(bytesOf(name)) === name;
  if (entry?.secret == null || !isKnown) return 'none';
  const path = fileOf(entry.secret);
  const secret = path === null ? entry.secret.bytes : wordsOf(read(path))[0]?.bytes;
  if (secret !== bytesOf(password)) return 'none';
  const address = addressGiven(rulesOf(entry.addresses), lease);
  if (address === undefined) return 'unknown';
  return address === null ? 'none' : addressText(address);
}

function readSecrets(file: string, logins: string, lent: string): void {
  const text = read(file);
  const lease = addressNumber(lent) ?? 0;
  const { findings } = examine({
    path: file,
    text,
    engine: 'pppd',
    kind: 'chap',
    server: 'pptpd',
    pool: Array.from({ length: 10 }, (_, index) => lease + index),
    local: [],
    hasLogin: false,
    readSecret: (path) => thisMachine.read(path),
  });
  for (const login of readFileSync(logins, 'utf8').split('\n')) {
    if (login === '' || login.startsWith('#')) continue;
    const [line = '', name = '', password = '', method = 'mschap-v2'] = login.split('\t');
    const cause = findings.find((finding) => String(finding.line) === line)?.cause ?? 'nothing';
    write(line, name, password, method, addressOf(text, name, password, method, lease), cause);
  }
}

const [what, file = '', logins = '', lent = ''] = process.argv.slice(2);
if (what === 'options') readOptions(file);
else readSecrets(file, logins, lent);
