/** Judges a login: secret, and the address that the account lets the client have. */
import { randomBytes } from 'node:crypto';
import { addressGiven, fixedAddress, isPermitted, type Rule, visible } from '../accounts/chap-secrets.js';
import { addressNumber, addressText } from '../config/addresses.js';
import { withoutDomain } from '../mschap/ms-chap-v2.js';
import type { StartKeys } from '../mschap/start-keys.js';
import type { AccountRecord } from '../radius/protocol.js';
import { SystemCallFailed } from '../sys/libc.js';
import { type Hindrance, hindranceOf } from '../users/expiry.js';
import type { User } from '../users/user.js';
import type { AccountUsage } from './account-usage.js';
import { type Account, addressRules, findAccount } from './accounts-file.js';
import type { MonitorSettings, WireLimits, WireVerdict } from './protocol.js';
import type { Route } from './iproute.js';
import { type Speed, UNLIMITED } from './speed-limit.js';
import type { UserAccounts } from './user-accounts.js';
import { type Login, type Secret, suffices, verify } from './verifier.js';

/** What a login grants its session. */
export interface Grant {
  /** Printable ASCII. */
  readonly name: string;
  /** The client's address; null: one that `rules` permit. */
  readonly remote: string | null;
  readonly rules: readonly Rule[];
  /** Its name in the accounts file; null: it is one of the secrets file. */
  readonly account: string | null;
  readonly speed: Speed;
  /** Networks behind the client. */
  readonly routes: readonly Route[];
  /** For the account that RADIUS gets. */
  readonly radius?: Pick<AccountRecord, 'name' | 'classes'> & { readonly interim: number | null };
  /** The name of a filter that the administrator's scripts know; left out: none. */
  readonly filter?: string;
}

/** What a login grants that has no account in the accounts file. */
export const NO_ACCOUNT = { account: null, speed: UNLIMITED, routes: [] } as const;

/** More networks than a person writes into one line. */
const MAX_CHOICES = 16;
/** RFC 2759 §6. */
export const AUTHENTICATION_FAILURE = 691;
const HINDRANCES: Readonly<Record<Hindrance, { readonly code: number; readonly message: string }>> = {
  disabled: { code: 647, message: 'Account disabled' },
  expired: { code: 647, message: 'Account expired' },
  quota: { code: 649, message: 'Quota used up' },
};

export interface Judgement {
  readonly verdict: WireVerdict;
  readonly grant: Grant | null;
  /** For the log: why a login was refused, where the verdict does not say it, and what of a grant does not count. */
  readonly notes: readonly string[];
}

export interface LoginContext {
  readonly settings: MonitorSettings;
  readonly users: UserAccounts;
  readonly usage: Pick<AccountUsage, 'use' | 'used'>;
  /** The client's address in its lease. */
  readonly remote: string | null;
  /** N of its interface. */
  readonly unit: number | null;
  /** The challenge for another try after a wrong password, hexadecimal; null: there is none. */
  readonly retryChallenge: string | null;
}

/** Throws SystemCallFailed when the secrets file or the accounts file cannot be read. */
export async function judge(login: Login, context: LoginContext): Promise<Judgement> {
  const { settings, remote, unit } = context;
  const name = settings.stripDomain ? withoutDomain(login.name) : login.name;
  const candidate = await candidateFor(name, context);
  // An unknown name takes as long as a wrong password.
  const proof = verify(login, candidate?.secret ?? { password: randomBytes(8).toString('hex') });
  if (candidate === null || proof === null) {
    const retryChallenge = login.method.startsWith('ms-chap') ? context.retryChallenge : null;
    const notes = candidate !== null && !suffices(candidate.secret, login) ? [NEEDS_PASSWORD] : [];
    return refused({ code: AUTHENTICATION_FAILURE, retryChallenge, message: 'Access denied' }, notes);
  }
  const { hindrance } = candidate;
  if (hindrance !== null) return refused({ ...HINDRANCES[hindrance], retryChallenge: null }, []);
  const { rules, limits, speed, routes } = await candidate.admit(unit);
  const granted = remote === null ? fixedAddress(rules) : addressGiven(rules, addressNumber(remote));
  const address = granted == null ? null : addressText(granted);
  const verdict = {
    accepted: true,
    // RFC 2759 §5.
    message: proof.authenticatorResponse === null ? 'Welcome' : `${proof.authenticatorResponse} M=Welcome`,
    keys: proof.keys === null ? null : keysInHex(proof.keys),
    remote: address,
    remoteChoices: remote === null && address === null ? networksOf(rules) : [],
    limits,
  } as const;
  const grant = { name: visible(Buffer.from(name).toString('latin1')), remote: address, rules };
  return { verdict, grant: { ...grant, account: limits?.account ?? null, speed, routes }, notes: [] };
}

const NEEDS_PASSWORD =
  'CHAP-MD5 needs the password itself, and the account has only its hash. ' +
  'Store it by pptpd-ts users passwd --store-password NAME';

const refused = (
  verdict: Omit<Extract<WireVerdict, { accepted: false }>, 'accepted'>,
  notes: readonly string[],
): Judgement => ({ verdict: { accepted: false, ...verdict }, grant: null, notes });

/** Somebody of the client's name. */
interface Candidate {
  readonly secret: Secret;
  /** Why it cannot log in even with the right password. */
  readonly hindrance: Hindrance | null;
  /** The password was right. */
  admit(unit: number | null): Promise<Admission>;
}

interface Admission {
  readonly rules: readonly Rule[];
  readonly limits: WireLimits | null;
  readonly speed: Speed;
  readonly routes: readonly Route[];
}

/** The accounts file comes first: who is disabled there cannot log in by the secrets file. */
async function candidateFor(name: Uint8Array, context: LoginContext): Promise<Candidate | null> {
  const { settings, users, usage } = context;
  const accounts = await users.current(settings.accounts);
  const user = accounts?.get(Buffer.from(name).toString());
  const account = inSecrets(name, settings, { isNeeded: user === undefined, mayBeMissing: accounts !== null });
  if (user !== undefined) {
    usage.use(settings.accounts);
    const known = users.withFirstLogin(user);
    const hindrance = hindranceOf(known, Date.now(), usage.used(user.name));
    return candidateOf(known, hindrance, context);
  }
  return (
    account && {
      secret: { password: account.secret },
      hindrance: null,
      admit: async (unit) => ({ rules: await addressRules(account, unit), limits: null, speed: UNLIMITED, routes: [] }),
    }
  );
}

function candidateOf(user: User, hindrance: Hindrance | null, { settings, users, remote }: LoginContext): Candidate {
  return {
    secret: user.password === undefined ? { ntHash: Buffer.from(user.ntHash, 'hex') } : { password: user.password },
    hindrance,
    async admit() {
      await users.loggedIn(settings.accounts, user);
      return {
        rules: rulesOfUser(user, remote),
        limits: limitsOf(user),
        speed: speedOf(user),
        routes: (user.routes ?? []).map((network) => ({ network, metric: null })),
      };
    },
  };
}

/** Looked for in any case, so that the time of a login does not tell which file has the name. */
function inSecrets(
  name: Uint8Array,
  settings: MonitorSettings,
  { isNeeded, mayBeMissing }: { readonly isNeeded: boolean; readonly mayBeMissing: boolean },
): Account | null {
  try {
    return findAccount(settings.secrets, settings.name, name);
  } catch (error) {
    const isMissing = error instanceof SystemCallFailed && error.code === 'ENOENT';
    if (isNeeded && !(isMissing && mayBeMissing)) throw error;
    return null;
  }
}

const ANYWHERE: Rule = { permits: true, base: 0, mask: 0, host: '0.0.0.0' };
const WHOLE = 0xff_ff_ff_ff;

/** Without an address of its own it has that of the lease, and none that the client chooses. */
function rulesOfUser({ address }: User, lease: string | null): readonly Rule[] {
  if (address === undefined) return lease === null ? [] : [ANYWHERE];
  return [{ permits: true, base: addressNumber(address) ?? 0, mask: WHOLE, host: address }];
}

export const speedOf = ({ speed }: User): Speed => ({ up: speed?.up ?? null, down: speed?.down ?? null });

const limitsOf = ({ name, sessions, sessionTime, idleTime }: User): WireLimits => ({
  account: name,
  sessions: sessions ?? null,
  sessionTime: sessionTime ?? null,
  idleTime: idleTime ?? null,
});

const hex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex');

const keysInHex = ({ send, receive, weak }: StartKeys): { send: string; receive: string; weak: string | null } => ({
  send: hex(send),
  receive: hex(receive),
  weak: weak === null ? null : hex(weak),
});

const networksOf = (rules: readonly Rule[]): string[] =>
  rules
    .flatMap((rule) => ('base' in rule && rule.permits ? `${addressText(rule.base)}/${prefixOf(rule.mask)}` : []))
    .slice(0, MAX_CHOICES);

const prefixOf = (mask: number): number => (mask === 0 ? 0 : 32 - Math.log2(2 ** 32 - mask));

/** Whether the session may use this address of its client's: the lease's or the account's, or one of its networks. */
export function mayUse({ remote, rules }: Grant, lease: string | null, address: string): boolean {
  if (remote !== null) return address === remote;
  const number = addressNumber(address);
  return lease === null && number !== null && isPermitted(rules, number) === true;
}
