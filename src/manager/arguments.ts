/** The arguments of `pptpd-ts serve`, for the manager and for prepare.ts, which runs before it. */
import { parseArgs } from 'node:util';

const DEFAULT_CONFIGURATION = '/etc/pptpd-ts.json';

/** The configuration file, given as `-c FILE` or FILE. Throws an error for the administrator if the arguments are wrong. */
export function configurationPath(args: readonly string[] = process.argv.slice(2)): string {
  const { tokens } = parseArgs({
    args: [...args],
    options: { config: { type: 'string', short: 'c' } },
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const files: string[] = [];
  // The last -c counts, as with the other commands.
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
