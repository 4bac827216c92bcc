/**
 * Reads pptpd's configuration file by pptpd's own rules: which lines count, and what their keywords and values are. pptpd
 * ignores unknown keywords silently; `import` reports them.
 */
import { type Notes, quoted, type Source } from './import-notes.js';
import { FILE_OPTIONS, type Option, OPTIONS, type Setting, type Settings } from './import-options.js';
import { editDistance } from './problems.js';

/** pptpd ignores lines of this many octets or more. */
const LONG_LINE = 510;

/** They look like blanks, but are part of the word for pptpd: a byte order mark, a no-break space. */
const INVISIBLE = '\uFEFF\u00A0';

/** Lines without effect in pptpd that are not meant to have one. */
const EMPTY_OR_COMMENT = new RegExp(`^[ \\t\\r${INVISIBLE}]*(?:#|$)`);

export interface ReadFile {
  readonly settings: Settings;
  /** Options that a line was meant to set although pptpd ignores that line. */
  readonly lost: ReadonlyMap<Option, Source>;
}

export function readFile({ name, text }: { readonly name: string; readonly text: string }, notes: Notes): ReadFile {
  const settings = new Map<Option, Setting>();
  const lost = new Map<Option, Source>();
  let hasNul = false;
  for (const [index, whole] of text.split('\n').entries()) {
    const source = { text: `${name}:${index + 1}`, line: index + 1 };
    const [line = '', ...behindNul] = whole.split('\0');
    if (behindNul.length > 0 && !hasNul) {
      hasNul = true;
      notes.remark(source, 'pptpd reads a line only up to a NUL octet, and import does the same (is the file UTF-16?)');
    }
    if (EMPTY_OR_COMMENT.test(line)) continue;
    const obstacle = obstacleOf(line);
    if (obstacle === null) readLine(line, source, settings, notes);
    else {
      notes.remark(source, `pptpd ignores this line, and so does import: ${obstacle}`);
      const meant = meantBy(line);
      if (meant !== null && !lost.has(meant)) lost.set(meant, source);
    }
  }
  return { settings, lost };
}

/** Why pptpd ignores this line; null if it does not. */
function obstacleOf(line: string): string | null {
  if (Buffer.byteLength(line) >= LONG_LINE) return `it is longer than ${LONG_LINE - 1} characters`;
  if (/^[ \t]/.test(line)) return `it begins with a ${line.startsWith(' ') ? 'space' : 'tab'} (${quoted(line.trim())})`;
  const keyword = keywordOf(line);
  return isFileOption(keyword) ? null : unknownKeyword(keyword);
}

const keywordOf = (line: string): string => /^[^ \t]*/.exec(line)?.[0] ?? '';

const isFileOption = (word: string): word is Option => FILE_OPTIONS.some((option) => option === word);

function unknownKeyword(keyword: string): string {
  const bare = keyword.replace(/\r$/, '');
  if (bare !== keyword && isFileOption(bare)) return `the keyword "${bare}" ends in CR (a DOS line end)`;
  const what = `${quoted(bare)} is not a keyword`;
  const meant = meantBy(bare);
  if (bare.startsWith('\uFEFF')) return `${what}: the byte order mark before it is part of the word`;
  if (bare.includes('\u00A0')) return `${what}: the no-break space (\\u00a0) is part of the word`;
  if (meant === null) return what;
  return bare.startsWith(meant) && /^[^a-z]/i.test(bare.slice(meant.length))
    ? `${what}; did you mean "${meant}" followed by a space?`
    : `${what}; did you mean "${meant}"?`;
}

/** The option that a line was meant to set; null if none is similar, or the line looks like a comment. */
function meantBy(line: string): Option | null {
  if (/^[;/!]/.test(line)) return null;
  const word = /[^\s=:;,"]+/.exec(line.replaceAll(new RegExp(`[${INVISIBLE}]`, 'g'), ' '))?.[0].toLowerCase() ?? '';
  const near = (option: Option): boolean => editDistance(word, option) <= Math.max(1, Math.floor(option.length / 3));
  return FILE_OPTIONS.find((option) => option === word) ?? FILE_OPTIONS.find(near) ?? null;
}

function readLine(line: string, source: Source, settings: Map<Option, Setting>, notes: Notes): void {
  const keyword = keywordOf(line) as Option;
  const first = settings.get(keyword);
  if (first !== undefined) {
    notes.remark(
      source,
      `pptpd ignores this line, and so does import: "${keyword}" is already in line ${first.source.line}, and the first one counts`,
    );
    return;
  }
  const rest = line.slice(keyword.length);
  const value = rest.replaceAll(/^[ \t]+|[ \t]+$/g, '');
  const superfluous = OPTIONS[keyword].hasValue ? '' : value.trim();
  if (superfluous !== '') {
    notes.remark(source, `"${keyword}" takes no value; import ignores ${quoted(superfluous)}, as pptpd does`);
  }
  if (/[ \t]$/.test(rest)) notes.remark(source, 'import ignores spaces at the end, as pptpd does');
  settings.set(keyword, { value: OPTIONS[keyword].hasValue ? value : '', source, from: 'file' });
}
