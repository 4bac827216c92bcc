/** docs/commands.md taken apart: a section for each command, with what was recorded of it. */
import { readFileSync } from 'node:fs';

interface Recording {
  /** Without the program: `sessions`, `--ended`. */
  readonly words: readonly string[];
  /** What the command has printed; long lines are cut by …, and so are long outputs. */
  readonly lines: readonly string[];
}

interface Section {
  readonly prose: string;
  readonly recordings: readonly Recording[];
}

const TEXT = readFileSync('docs/commands.md', 'utf8');
const [, ...SECTIONS] = TEXT.split(/^## /m);

/** Lines of four spaces and more are recorded, and so are empty ones between them. */
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

/** What was recorded of this call of the program. Throws when nothing was. */
export function recorded(...words: readonly string[]): readonly string[] {
  const [name = ''] = words;
  const found = sections.get(name)?.recordings.find((recording) => recording.words.join(' ') === words.join(' '));
  if (found === undefined) throw new Error(`docs/commands.md has no recording of pptpd-ts ${words.join(' ')}`);
  return found.lines;
}

/** The headings of a table, or the columns of any of its lines. */
export const columns = (line = ''): string[] => line.trim().split(/ {2,}/);

/** What stands before the values of a list such as that of `show`: the labels in order, titles of sections included. */
export const labels = (lines: readonly string[]): string[] =>
  lines.flatMap((line) => /^ *(\S+(?: \S+)*)(?: {2,}|$)/.exec(line)?.[1] ?? []);
