/** Terminal settings (termios(3)). */
import { libc } from './libc.js';

const tcgetattr: (fd: number, attributes: Uint8Array) => number = libc.func('tcgetattr', 'int', ['int', 'void *']);
const tcsetattr: (fd: number, when: number, attributes: Uint8Array) => number = libc.func('tcsetattr', 'int', [
  'int',
  'int',
  'void *',
]);
const cfmakeraw: (attributes: Uint8Array) => void = libc.func('cfmakeraw', 'void', ['void *']);
/** More than any libc's struct termios. */
const TERMIOS = 128;
const TCSANOW = 0;

/** Turns off everything that a terminal does to the octets that pass: echo, line editing, signals, translation. */
export function makeRaw(fd: number): void {
  const attributes = new Uint8Array(TERMIOS);
  tcgetattr(fd, attributes);
  cfmakeraw(attributes);
  tcsetattr(fd, TCSANOW, attributes);
}
