/** The options of `npm run bench:lab`, checked before a guest is started. */
import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Peer, peerOf } from './peers.js';

const SERVERS: readonly string[] = ['kernel', 'builtin', 'ours', 'pptpd'];
const WORKS: readonly string[] = ['fast', 'mppe', 'plain', 'window'];

export interface LabOptions {
  readonly rounds: number;
  readonly publish: boolean;
  readonly servers: readonly string[];
  readonly works: readonly string[];
  /** Folder of another checkout. */
  readonly base: string | null;
  readonly peer: Peer | null;
}

/** Throws an Error that says what is wrong. */
export function labOptions(args: readonly string[]): LabOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '3' },
      servers: { type: 'string' },
      only: { type: 'string' },
      base: { type: 'string' },
      peer: { type: 'string' },
      publish: { type: 'boolean', default: false },
    },
  });
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds ${values.rounds} is no number of rounds`);
  const { publish } = values;
  const isPart = [values.servers, values.only, values.base].some((value) => value !== undefined);
  if (publish && isPart) throw new Error('--publish is for a whole run: leave out --servers, --only and --base');
  const base = values.base === undefined ? null : checkoutOf(values.base);
  const peer = values.peer === undefined ? null : peerOf(values.peer);
  const servers = chosen('--servers', values.servers, SERVERS);
  return {
    rounds,
    publish,
    servers: [...servers, ...(base === null ? [] : ['base']), ...(peer === null ? [] : ['peer'])],
    works: chosen('--only', values.only, WORKS),
    base,
    peer,
  };
}

function chosen(option: string, list: string | undefined, all: readonly string[]): readonly string[] {
  if (list === undefined) return all;
  const names = list.split(',');
  const unknown = names.find((name) => !all.includes(name));
  if (unknown !== undefined) throw new Error(`${option}: there is no '${unknown}'; there are ${all.join(', ')}`);
  return names;
}

function checkoutOf(folder: string): string {
  if (!existsSync(join(folder, 'dist/.built'))) throw new Error(`--base: ${folder} is no checkout that was built`);
  return realpathSync(folder);
}
