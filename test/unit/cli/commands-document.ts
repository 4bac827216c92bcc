/** Parses docs/commands.md: a section for each command, with its recorded output. */
import { readFileSync } from 'node:fs';

interface Recording {
  /** The call without the program's name: `sessions`, `--ended`. */
  readonly words: readonly string[];
  /** The output. Long lines and long outputs are cut, and end in …. */
  readonly lines: readonly string[];
}

interface Section {
  readonly prose: string;
  readonly recordings: readonly Recording[];
}

const TEXT = readFileSync('docs/commands.md', 'utf8');
const [, ...SECTIONS] = TEXT.split(/^## /m);

/** Recordings are indented by four spaces or more, and may contain empty lines. */
function recordingsOf(text: string): Recording[] {
  const indented = text.split('\n').filter((line) => line === '' || line.startsWith('    '));
  return indented
    .join('\n')
    .split(/^ {4}\$ /m)
    .slice(1)
    .map((each) => {
      const [command = '', ...lines] = each.split('\n').map((line) => line.replace(/^ {4}/, ''));
      return { words: command.split(' ').slice(1), lines: lines.join('\n').trimEnd().split('\n') };
    });
}

/** By command, in the order of the document. */
export const sections: ReadonlyMap<string, Section> = new Map(
  SECTIONS.map((section) => {
    const end = section.indexOf('\n');
    return [section.slice(0, end), { prose: proseOf(section.slice(end)), recordings: recordingsOf(section) }];
  }),
);

function proseOf(text: string): string {
  return text.replaceAll(/^ {4}.*$/gm, '');
}

/** The recorded output of this call. Throws if there is none. */
export function recorded(...words: readonly string[]): readonly string[] {
  const [name = ''] = words;
  const found = sections.get(name)?.recordings.find((recording) => recording.words.join(' ') === words.join(' '));
  if (found === undefined) throw new Error(`docs/commands.md has no recording of pptpd-ts ${words.join(' ')}`);
  return found.lines;
}

/** The headings of a table, or the columns of any of its lines. */
export const columns = (line = ''): string[] => line.trim().split(/ {2,}/);

/** The labels of a list such as that of `show`, in order, including the titles of sections. */
export const labels = (lines: readonly string[]): string[] =>
  lines.flatMap((line) => /^ *(\S+(?: \S+)*)(?: {2,}|$)/.exec(line)?.[1] ?? []);
