/** Parses pptpd's command line as getopt_long(3) does: options in any place, combined letters, abbreviated names. */
import { type Notes, quoted, type Source } from './import-notes.js';
import { COMMAND_LINE_OPTIONS, type Option, OPTIONS, type Setting, type Settings } from './import-options.js';

/** `commandLine`: pptpd's arguments without the program's name. Of a repeated option the last one counts. */
export function readCommandLine(commandLine: readonly string[], notes: Notes): Settings {
  const settings = new Map<Option, Setting>();
  const words = commandLine.values();
  const sourceOf = (word: string): Source => ({ text: `command line, ${word}`, line: Number.MAX_SAFE_INTEGER });
  const take = (option: Option, word: string, attached: string | undefined): void => {
    const source = sourceOf(word);
    const value = OPTIONS[option].hasValue ? (attached ?? words.next().value) : '';
    if (value === undefined) {
      notes.fault(source, 'the value is missing; pptpd would not start');
      return;
    }
    const earlier = settings.get(option);
    if (earlier !== undefined && earlier.value !== value) {
      notes.remark(source, `given twice; ${quoted(value)} counts, as in pptpd`);
    }
    settings.set(option, { value, source, from: 'command line' });
  };

  for (const word of words) {
    if (word === '--') {
      for (const rest of words) notes.remark(sourceOf(rest), 'follows --; pptpd ignores it');
    } else if (word.startsWith('--')) {
      const [name = '', ...parts] = word.slice(2).split('=');
      const option = longOption(name);
      const attached = parts.length === 0 ? undefined : parts.join('=');
      if (option === null)
        notes.fault(sourceOf(word), 'not an option of pptpd, or an ambiguous abbreviation; pptpd would not start');
      else if (attached !== undefined && !OPTIONS[option].hasValue) {
        notes.fault(sourceOf(word), 'takes no value; pptpd would not start');
      } else take(option, `--${option}`, attached);
    } else if (word.startsWith('-') && word !== '-') {
      takeLetters(word, take, (letter) =>
        notes.fault(sourceOf(letter), 'not an option of pptpd; pptpd would not start'),
      );
    } else {
      notes.remark(sourceOf(word), 'not an option; pptpd ignores it');
    }
  }
  return settings;
}

function takeLetters(
  word: string,
  take: (option: Option, word: string, attached: string | undefined) => void,
  unknown: (letter: string) => void,
): void {
  for (let at = 1; at < word.length; at += 1) {
    const letter = word.charAt(at);
    const option = COMMAND_LINE_OPTIONS.find((name) => OPTIONS[name].letter === letter);
    if (option === undefined) {
      unknown(`-${letter}`);
      continue;
    }
    const rest = word.slice(at + 1);
    take(option, `-${letter}`, rest === '' ? undefined : rest);
    if (OPTIONS[option].hasValue) return;
  }
}

function longOption(name: string): Option | null {
  const exact = COMMAND_LINE_OPTIONS.find((option) => option === name);
  if (exact !== undefined) return exact;
  const [only, ...others] = name === '' ? [] : COMMAND_LINE_OPTIONS.filter((option) => option.startsWith(name));
  return only === undefined || others.length > 0 ? null : only;
}
