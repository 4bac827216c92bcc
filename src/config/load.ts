/** From a file to the effective configuration, or to everything that is wrong with it at once. */
import { readFileSync } from 'node:fs';
import { type Configuration, configurationSchema } from './schema.js';

export type Loaded =
  | { readonly ok: true; readonly configuration: Configuration }
  | { readonly ok: false; readonly problems: string[] };

/** Reads and checks the file; never throws. A problem names key, value and what is allowed. */
export function loadConfiguration(path: string): Loaded {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    return { ok: false, problems: [`${path}: ${(error as Error).message}`] };
  }
  try {
    const parsed = configurationSchema.safeParse(JSON.parse(text));
    if (parsed.success) return { ok: true, configuration: parsed.data };
    return {
      ok: false,
      problems: parsed.error.issues.map((issue) => `${path}: ${issue.path.join('.')}: ${issue.message}`),
    };
  } catch (error) {
    return { ok: false, problems: [`${path}: ${(error as Error).message}`] };
  }
}
