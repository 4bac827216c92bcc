/** Reads a password from the terminal, without showing it, or from standard input; other users could see arguments. */
import { isUtf8 } from 'node:buffer';
import { passwordFault } from '../../users/user.js';

const ENTER = new Set(['\r', '\n', '\u0004']);
const INTERRUPT = '\u0003';
const ERASE = new Set(['\u007f', '\b']);

/** `faultOf`: what is wrong with a password. Rejects with a sentence. */
export async function readPassword(name: string, faultOf = passwordFault): Promise<string> {
  const text = process.stdin.isTTY ? await askTwice(name) : await firstLine();
  const fault = faultOf(text);
  if (fault !== null) throw new Error(fault);
  return text;
}

/** The terminal stops echoing before the first question. */
async function askTwice(name: string): Promise<string> {
  process.stdin.setRawMode(true);
  try {
    const first = await ask(`Password of ${JSON.stringify(name)}: `);
    if ((await ask('The same again: ')) !== first) throw new Error('the two passwords differ; nothing was changed');
    return first;
  } finally {
    process.stdin.setRawMode(false);
  }
}

/** The first line of standard input. */
async function firstLine(): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of process.stdin) {
    parts.push(part as Buffer);
    if ((part as Buffer).includes('\n')) break;
  }
  const octets = Buffer.concat(parts);
  if (!isUtf8(octets)) throw new Error('the password on standard input is not UTF-8; nothing was changed');
  const text = new TextDecoder().decode(octets);
  return (text.split('\n')[0] ?? '').replace(/\r$/, '');
}

async function ask(question: string): Promise<string> {
  const { stdin, stderr } = process;
  stderr.write(question);
  stdin.setEncoding('utf8');
  stdin.resume();
  return new Promise((resolve, reject) => {
    let text = '';
    const end = (settle: () => void): void => {
      stdin.off('data', take);
      stdin.pause();
      stderr.write('\n');
      settle();
    };
    const take = (typed: string): void => {
      for (const character of typed) {
        if (ENTER.has(character)) {
          end(() => resolve(text));
          return;
        }
        if (character === INTERRUPT) {
          end(() => reject(new Error('interrupted; nothing was changed')));
          return;
        }
        text = ERASE.has(character) ? Array.from(text).slice(0, -1).join('') : text + character;
      }
    };
    stdin.on('data', take);
  });
}
