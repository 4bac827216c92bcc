/** Terminal settings (termios(3)). */
import { libc } from './libc.js';

const tcgetattr: (fd: number, attributes: Uint8Array) => number = libc.func('tcgetattr', 'int', ['int', 'void *']);
const tcsetattr: (fd: number, when: number, attributes: Uint8Array) => number = libc.func('tcsetattr', 'int', [
  'int',
  'int',
  'void *',
]);
const cfmakeraw: (attributes: Uint8Array) => void = libc.func('cfmakeraw', 'void', ['void *']);
/** Larger than struct termios of any libc, octets. */
const TERMIOS = 128;
const TCSANOW = 0;

/** Turns off all processing by the terminal: echo, line editing, signals, translation. */
export function makeRaw(fd: number): void {
  const attributes = new Uint8Array(TERMIOS);
  tcgetattr(fd, attributes);
  cfmakeraw(attributes);
  tcsetattr(fd, TCSANOW, attributes);
}
