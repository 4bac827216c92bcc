/** What pppd's options mean for login and encryption. Of contradicting options the last one wins. Pure. */
import type { PppdOption } from './pppd-option-table.js';

const REQUIRES_MPPE = /^(?:require-|\+)mppe(?:-40|-128)?$/;

/** The option that requires MPPE; null if none does. Of contradicting options the last one counts. */
export function requiredMppe(options: readonly PppdOption[]): string | null {
  const last = options.findLast(({ name }) => REQUIRES_MPPE.test(name) || name === 'nomppe' || name === '-mppe');
  return last !== undefined && REQUIRES_MPPE.test(last.name) ? last.name : null;
}

/** pppd knows these lengths of MPPE's keys. */
export const MPPE_KEYS = [128, 40] as const;

/** What `require-mppe` allows by version: 2.5 keeps the bits of both lengths in a boolean, and 40 bits are what is left. */
export const keysOfRequireMppe = (version: string): readonly number[] =>
  version.localeCompare('2.5', 'en', { numeric: true }) < 0 ? MPPE_KEYS : [40];

/** The lengths of keys that the options allow, where `require-mppe` allows `any`. */
export function allowedMppeKeys(options: readonly PppdOption[], any: readonly number[]): ReadonlySet<number> {
  let keys = new Set<number>();
  for (const { name } of options) {
    const [whole, verb, bits] = /^(require-|\+|no|-)mppe(?:-(40|128))?$/.exec(name) ?? [];
    if (whole === undefined) continue;
    const isRequired = verb === 'require-' || verb === '+';
    if (bits === undefined) keys = new Set(isRequired ? any : []);
    else if (isRequired) keys.add(Number(bits));
    else keys.delete(Number(bits));
  }
  return keys;
}

/** Login methods, best first, as in the `require-` options. */
export const LOGIN_METHODS = ['mschap-v2', 'mschap', 'chap', 'eap', 'pap'] as const;

export type LoginMethod = (typeof LOGIN_METHODS)[number];

const REQUIRES_LOGIN = new RegExp(`^(?:require-|\\+)(${LOGIN_METHODS.join('|')})$`);

export type Login =
  /** Clients need not log in: `because` of "noauth", or null if no option requires it. */
  | { readonly required: false; readonly because: 'noauth' | null }
  /** Clients log in by one of `methods`; `options` are the ones that require it. */
  | { readonly required: true; readonly methods: readonly LoginMethod[]; readonly options: readonly string[] };

/** How clients must log in. "auth" alone accepts every method. */
export function requiredLogin(options: readonly PppdOption[]): Login {
  const methodOf = (name: string): string | undefined => REQUIRES_LOGIN.exec(name)?.[1];
  const about = options.map(({ name }) => name).filter((name) => /^(?:no)?auth$/.test(name) || methodOf(name));
  const last = about.at(-1);
  if (last === undefined || last === 'noauth') return { required: false, because: last ?? null };
  const named = new Set(about.map(methodOf));
  const methods = LOGIN_METHODS.filter((method) => named.has(method));
  return {
    required: true,
    methods: methods.length === 0 ? LOGIN_METHODS : methods,
    options: [...new Set(about.filter((name) => name !== 'noauth'))],
  };
}
