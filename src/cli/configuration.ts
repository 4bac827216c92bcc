/** The configuration file as the commands take it: `-c FILE`, and the exit code where it is wrong. */
import { Option } from 'commander';
import { loadConfiguration } from '../config/load.js';
import type { Configuration } from '../config/schema.js';

export const DEFAULT_CONFIGURATION = '/etc/pptpd-ts.json';

/** Exit codes of every command. */
export const EXIT = { ok: 0, failed: 1, wrongCall: 2 } as const;

export const configurationOption = (): Option =>
  new Option('-c, --config <file>', 'the configuration file').default(DEFAULT_CONFIGURATION);

/** The effective configuration; ends the program with every problem named when the file is wrong. */
export function configurationOf(path: string): Configuration {
  const loaded = loadConfiguration(path);
  if (loaded.ok) return loaded.configuration;
  for (const problem of loaded.problems) console.error(`pptpd-ts: ${problem}`);
  process.exit(EXIT.wrongCall);
}
