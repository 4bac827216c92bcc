/** Judges a login: secret, and the address that the account lets the client have. */
import { randomBytes } from 'node:crypto';
import { addressGiven, fixedAddress, isPermitted, type Rule } from '../accounts/chap-secrets.js';
import { addressNumber, addressText } from '../config/addresses.js';
import type { StartKeys } from '../mschap/start-keys.js';
import type { AccountRecord } from '../radius/protocol.js';
import { addressRules, findAccount } from './accounts-file.js';
import type { MonitorSettings, WireVerdict } from './protocol.js';
import { type Login, verify } from './verifier.js';

/** What a login grants its session. */
export interface Grant {
  /** Printable ASCII. */
  readonly name: string;
  /** The client's address; null: one that `rules` permit. */
  readonly remote: string | null;
  readonly rules: readonly Rule[];
  /** For the account that RADIUS gets. */
  readonly radius?: Pick<AccountRecord, 'name' | 'classes'> & { readonly interim: number | null };
}

/** More networks than a person writes into one line. */
const MOST_CHOICES = 16;
/** RFC 2759 §6. */
export const AUTHENTICATION_FAILURE = 691;
const BACKSLASH = 0x5c;

export interface Judgement {
  readonly verdict: WireVerdict;
  readonly grant: Grant | null;
}

export interface Circumstances {
  readonly settings: MonitorSettings;
  /** The client's address in its lease. */
  readonly remote: string | null;
  /** N of its interface. */
  readonly unit: number | null;
  /** Whether the session may try again after a wrong password. */
  readonly mayRetry: boolean;
}

/** Throws SystemCallFailed when the secrets file cannot be read. */
export async function judge(login: Login, circumstances: Circumstances): Promise<Judgement> {
  const { settings, remote, unit, mayRetry } = circumstances;
  const name = settings.stripDomain ? login.name.subarray(login.name.lastIndexOf(BACKSLASH) + 1) : login.name;
  const account = findAccount(settings.secrets, settings.name, name);
  // An unknown name takes as long as a wrong password.
  const proof = verify(login, account?.secret ?? randomBytes(8).toString('hex'));
  if (account === null || proof === null) {
    const retry = mayRetry && login.method.startsWith('ms-chap');
    const verdict = { accepted: false, code: AUTHENTICATION_FAILURE, retry, message: 'Access denied' } as const;
    return { verdict, grant: null };
  }
  const rules = await addressRules(account, unit);
  const granted = remote === null ? fixedAddress(rules) : addressGiven(rules, addressNumber(remote));
  const address = granted == null ? null : addressText(granted);
  const verdict = {
    accepted: true,
    // RFC 2759 §5.
    message: proof.authenticatorResponse === null ? 'Welcome' : `${proof.authenticatorResponse} M=Welcome`,
    keys: proof.keys === null ? null : keysInHex(proof.keys),
    remote: address,
    remoteChoices: remote === null && address === null ? networksOf(rules) : [],
  } as const;
  return { verdict, grant: { name: account.name, remote: address, rules } };
}

const hex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex');

const keysInHex = ({ send, receive, weak }: StartKeys): { send: string; receive: string; weak: string | null } => ({
  send: hex(send),
  receive: hex(receive),
  weak: weak === null ? null : hex(weak),
});

const networksOf = (rules: readonly Rule[]): string[] =>
  rules
    .flatMap((rule) => ('base' in rule && rule.permits ? `${addressText(rule.base)}/${prefixOf(rule.mask)}` : []))
    .slice(0, MOST_CHOICES);

const prefixOf = (mask: number): number => (mask === 0 ? 0 : 32 - Math.log2(2 ** 32 - mask));

/** Whether the session may use this address of its client's: the lease's or the account's, or one of its networks. */
export function mayUse({ remote, rules }: Grant, lease: string | null, address: string): boolean {
  if (remote !== null) return address === remote;
  const number = addressNumber(address);
  return lease === null && number !== null && isPermitted(rules, number) === true;
}
