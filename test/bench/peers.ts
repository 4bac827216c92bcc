/**
 * Other servers that `npm run bench:lab` can take along, each a folder of test/lab/against-pptpd/peers with its settings and
 * a program `start`, which runs the server given by its path in the foreground. For those that Debian does not have.
 */
import { accessSync, constants, readdirSync, realpathSync } from 'node:fs';

const FOLDER = 'test/lab/against-pptpd/peers';

export interface Peer {
  readonly name: string;
  /** Absolute; the guest sees this machine's files under the same paths. */
  readonly program: string;
}

/** From NAME=PATH. Throws an Error that says what is wrong. */
export function peerOf(argument: string): Peer {
  const [, name = '', path = ''] = /^([^=]*)=(.*)$/s.exec(argument) ?? [];
  const names = readdirSync(FOLDER);
  if (name === '' || path === '') throw new Error(`--peer needs NAME=PATH, not '${argument}'`);
  if (!names.includes(name))
    throw new Error(`--peer: there is no folder ${FOLDER}/${name}; there are ${names.join(', ')}`);
  try {
    const program = realpathSync(path);
    accessSync(program, constants.X_OK);
    return { name, program };
  } catch (error) {
    throw new Error(`--peer: ${path} cannot be run: ${(error as NodeJS.ErrnoException).code}`, { cause: error });
  }
}
