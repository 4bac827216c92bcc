/**
 * Words of pppd's options and secrets files, as pppd(8) reads them: separated by white space, double or single quotes hold
 * it, a backslash takes the next character as it is, `#` at the beginning of a word starts a comment.
 */

/** The words of the text, line by line; lines without any are left out. An escaped line end joins two lines. */
export function wordLines(text: string): string[][] {
  const lines: string[][] = [];
  let [words, word]: [string[], string | null] = [[], null];
  let quote: string | null = null;
  const endWord = (): void => {
    if (word !== null) words.push(word);
    word = null;
  };
  const endLine = (): void => {
    endWord();
    if (words.length > 0) lines.push(words);
    words = [];
  };
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === '\\') {
      at += 1;
      // An escaped line end is nothing at all.
      if (text[at] !== '\n') word = `${word ?? ''}${text[at] ?? ''}`;
    } else if (quote !== null) {
      if (character === quote) quote = null;
      else word = `${word ?? ''}${character}`;
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= '';
    } else if (character === '#' && word === null) {
      while (at + 1 < text.length && text[at + 1] !== '\n') at += 1;
    } else if (character === '\n') {
      endLine();
    } else if (/\s/.test(character)) {
      endWord();
    } else {
      word = `${word ?? ''}${character}`;
    }
  }
  endLine();
  return lines;
}
