/**
 * Converts pptpd's configuration file and command line to our configuration. Both are read by pptpd's own rules, its faults
 * included (observed on pptpd 1.4.0; test/process/import-against-pptpd.test.ts compares), so that the new server does what
 * the old one did. A remark names each line that pptpd ignored, read differently than it looks, or would not start with,
 * and what is written instead. Pure.
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
 * Converts `file` and `commandLine` (pptpd's arguments without the program's name) as pptpd would read them on `host`. If
 * both set an option, the one counts that counts in pptpd. The resulting input is valid by the schema.
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

/** The configuration file that pptpd's command line names, the last one if there are several; null if there is none. */
export function configurationFileOf(commandLine: readonly string[]): string | null {
  return readCommandLine(commandLine, new Notes()).get('conf')?.value ?? null;
}

/**
 * A remark for each line of hosts.allow or hosts.deny that concerns pptpd, which obeys it (libwrap). We do not, and the
 * administrator must know that this protection is lost.
 */
export function remarksOfHostsFile(file: { readonly name: string; readonly text: string }): string[] {
  return file.text.split('\n').flatMap((line, index) => {
    const daemons = /^\s*([^#:]+):/.exec(line)?.[1]?.split(/[\s,]+/) ?? [];
    if (!daemons.includes('pptpd') && !daemons.includes('ALL')) return [];
    return [
      `${file.name}:${index + 1}: not carried over, although pptpd obeys it (${quoted(line.trim())}); use access.allow and access.deny`,
    ];
  });
}

/** As in pptpd the command line overrides the file, except for `connections`, where the file overrides the command line. */
function merge(fromFile: Settings, fromCommandLine: Settings, notes: Notes): Settings {
  const merged = new Map([...fromFile, ...fromCommandLine]);
  for (const [option, ofFile] of fromFile) {
    const given = fromCommandLine.get(option);
    if (given === undefined) continue;
    const isFiles = option === 'connections';
    const [counts, other] = isFiles ? [ofFile, given] : [given, ofFile];
    merged.set(option, counts);
    if (given.value === ofFile.value) continue;
    const remark = isFiles
      ? `the file overrides it with ${quoted(ofFile.value)} (line ${ofFile.source.line}), as in pptpd`
      : `the command line overrides it with ${quoted(given.value)}`;
    notes.remark(other.source, remark);
  }
  return merged;
}
