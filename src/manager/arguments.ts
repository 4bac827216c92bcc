/** The arguments of `pptpd-ts serve`, for the manager and for what root does before it. */
import { parseArgs } from 'node:util';

const DEFAULT_CONFIGURATION = '/etc/pptpd-ts.json';

/** The path of the configuration, `-c FILE` or FILE alone. Throws a sentence when it is called wrongly. */
export function configurationPath(args: readonly string[] = process.argv.slice(2)): string {
  const { tokens } = parseArgs({
    args: [...args],
    options: { config: { type: 'string', short: 'c' } },
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const files: string[] = [];
  // Of several -c the last holds, as with the other commands.
  let named: string | null = null;
  for (const token of tokens) {
    if (token.kind === 'positional') files.push(token.value);
    if (token.kind !== 'option') continue;
    if (token.name !== 'config') throw new Error(`unknown option '${token.rawName}'`);
    if (token.value === undefined) throw new Error(`${token.rawName} needs a file`);
    named = token.value;
  }
  if (named !== null) files.push(named);
  if (files.length > 1) throw new Error(`more than one configuration file: ${files.join(', ')}`);
  return files[0] ?? DEFAULT_CONFIGURATION;
}
