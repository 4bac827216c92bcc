/** The arguments of `pptpd-ts serve`, for the manager and for what root does before it. */
import { parseArgs } from 'node:util';

const DEFAULT_CONFIGURATION = '/etc/pptpd-ts.json';

/** The path of the configuration, `-c FILE` or FILE alone. Throws a sentence when it is called wrongly. */
export function configurationPath(args?: string[]): string {
  const { tokens } = parseArgs({
    ...(args === undefined ? {} : { args }),
    options: { config: { type: 'string', short: 'c' } },
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const paths = tokens.flatMap((token) => {
    if (token.kind === 'option-terminator') return [];
    if (token.kind === 'positional') return token.value;
    if (token.name !== 'config') throw new Error(`unknown option '${token.rawName}'`);
    if (token.value === undefined) throw new Error(`${token.rawName} needs a file`);
    return token.value;
  });
  if (paths.length > 1) throw new Error(`more than one configuration file: ${paths.join(', ')}`);
  return paths[0] ?? DEFAULT_CONFIGURATION;
}
