/** The arguments of `pptpd-ts serve`, for the manager and for what root does before it. */
import { parseArgs } from 'node:util';

const DEFAULT_CONFIGURATION = '/etc/pptpd-ts.json';

/** The path of the configuration. Throws a sentence when it is called wrongly. */
export function configurationPath(): string {
  const { values } = parseArgs({ options: { config: { type: 'string', short: 'c' } } });
  return values.config ?? DEFAULT_CONFIGURATION;
}
