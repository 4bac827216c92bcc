/**
 * From pptpd's configuration file and command line to ours. Both are read by pptpd's own rules, those included that
 * nobody meant (observed on pptpd 1.4.0; test/process/import-against-pptpd.test.ts compares), so that the result does what
 * the old server did. What that server ignored, understood otherwise than it looks, or would not start with, is named
 * with its line and with what is written instead. Pure: text in, configuration and remarks out.
 */
import { carryOver, ELSEWHERE, type PptpdHost } from './import-carry.js';
import { readCommandLine } from './import-command-line.js';
import { readFile } from './import-file.js';
import { Notes, quoted } from './import-notes.js';
import type { Settings } from './import-options.js';
import { checkConfiguration } from './load.js';
import type { ConfigurationInput } from './schema.js';

export type { PptpdHost };

export type Imported =
  | { readonly ok: true; readonly input: ConfigurationInput; readonly remarks: readonly string[] }
  | { readonly ok: false; readonly faults: readonly string[]; readonly remarks: readonly string[] };

/**
 * `file` as pptpd would read it, and pptpd's arguments without its own name, on `host`. Where both name something, the one
 * counts that counts in pptpd. The input has been checked: it passes the schema.
 */
export function importPptpd(
  file: { readonly name: string; readonly text: string },
  commandLine: readonly string[],
  host: PptpdHost = ELSEWHERE,
): Imported {
  const notes = new Notes();
  const { settings: fromFile, lost } = readFile(file, notes);
  const settings = merge(fromFile, readCommandLine(commandLine, notes), notes);
  const { input, origins } = carryOver({ settings, lost, fileName: file.name, host, notes });
  const checked = checkConfiguration(input);
  if (!checked.ok) {
    for (const { key, text } of checked.problems) {
      const origin = [...origins].find(([path]) => key === path || key.startsWith(`${path}[`))?.[1];
      notes.fault(origin ?? { text: file.name, line: 0 }, `${key}: ${text}`);
    }
  }
  const { remarks, faults } = notes;
  return faults.length > 0 ? { ok: false, faults, remarks } : { ok: true, input, remarks };
}

/** The file of pptpd that its command line names, or null; the last one counts. */
export function configurationFileOf(commandLine: readonly string[]): string | null {
  return readCommandLine(commandLine, new Notes()).get('conf')?.value ?? null;
}

/**
 * hosts.allow or hosts.deny, which pptpd obeys (libwrap) and we do not: a remark for each line that concerns it, so that
 * nobody loses that protection unawares.
 */
export function remarksOfHostsFile(file: { readonly name: string; readonly text: string }): string[] {
  return file.text.split('\n').flatMap((line, index) => {
    const daemons = /^\s*([^#:]+):/.exec(line)?.[1]?.split(/[\s,]+/) ?? [];
    if (!daemons.includes('pptpd') && !daemons.includes('ALL')) return [];
    return [
      `${file.name}:${index + 1}: not carried over, and pptpd obeys it (${quoted(line.trim())}); write access.allow and access.deny`,
    ];
  });
}

/** The command line over the file, as pptpd does it: for `connections` it is the other way round. */
function merge(fromFile: Settings, fromCommandLine: Settings, notes: Notes): Settings {
  const merged = new Map([...fromFile, ...fromCommandLine]);
  for (const [option, ofFile] of fromFile) {
    const given = fromCommandLine.get(option);
    if (given === undefined) continue;
    const isFiles = option === 'connections';
    const [counts, other] = isFiles ? [ofFile, given] : [given, ofFile];
    merged.set(option, counts);
    if (given.value === ofFile.value) continue;
    const winner = isFiles
      ? `the file's ${quoted(ofFile.value)} (line ${ofFile.source.line})`
      : `the command line's ${quoted(given.value)}`;
    notes.remark(other.source, `${winner} takes its place${isFiles ? ', as in pptpd' : ''}`);
  }
  return merged;
}
