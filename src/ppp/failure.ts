/**
 * Diagnoses from the state alone why a link never came up, as a typed value and in words. Order matters: what the peers
 * themselves said comes first, then what they refused, then what they never answered.
 */
import type { MppeOffer } from './options.js';
import type { PppFailure, PppState, Refusal, Side, Termination } from './state.js';

/** Fewer repeated LCP requests are ordinary loss. */
const LCP_REPEATS_SUSPECT = 2;

/** So many unanswered requests are more than loss. */
const UNANSWERED_SUSPECT = 3;

/** Error numbers in Windows's Terminate-Request: one side does not support the required data encryption type. */
const WINDOWS_ENCRYPTION_ERRORS = [741, 742];

/**
 * The texts of pppd 2.4 and 2.5 in Terminate-Requests, verbatim: as good as error numbers. pppd ends every encrypted link
 * with "MPPE disabled", which means something only if there is no network protocol.
 */
const PPPD_REASONS: Readonly<Record<string, 'login' | 'encryption' | 'noEncryptionKeys' | 'address' | 'network'>> = {
  'Authentication failed': 'login',
  'Failed to authenticate ourselves to peer': 'login',
  'MPPE required but peer refused': 'encryption',
  'MPPE required but peer negotiation failed': 'encryption',
  'MPPE disabled by peer': 'encryption',
  'MPPE required but not available': 'noEncryptionKeys',
  'MPPE required but not available in kernel': 'noEncryptionKeys',
  'Unauthorized remote IP address': 'address',
  'No network protocols running': 'network',
  'MPPE disabled': 'network',
};

/** Protocols that a client may reject as a whole when it is to log in by them. */
const LOGIN_PROTOCOLS = ['PAP', 'CHAP', 'EAP'];

/** An address option that asks the peer for an address (RFC 1332 §3.3). */
const UNSPECIFIED = '0.0.0.0';

type Evidence = Omit<PppState, 'failure' | 'phase'>;

const BOTH_SIDES = ['client', 'server'] as const;
const otherSide = (side: Side): Side => (side === 'client' ? 'server' : 'client');

/** The cause as far as the state shows it; null if the link is or was up as both sides wanted, or nothing has failed yet. */
export function diagnose(state: Evidence): PppFailure | null {
  const { authentication, lcp, times } = state;
  if (times.up !== null) return lcp.termination === null ? null : diagnoseAfterUp(state, lcp.termination);
  if (authentication.failure !== null && authentication.result === 'failed') {
    const { code, cause, message } = authentication.failure;
    const { protocol } = authentication;
    return { reason: 'authenticationFailed', user: state.user, protocol, code, cause, message };
  }
  // A refusal alone is not a failure: the peers may still agree on something else.
  if (lcp.termination !== null) return diagnoseTermination(state, lcp.termination);
  if (!lcp.open && lcp.server.repeats >= LCP_REPEATS_SUSPECT) {
    return {
      reason: 'lcpTimeout',
      lost: lostDirection(state),
      clientRequests: lcp.client.requests,
      serverRequests: lcp.server.requests,
    };
  }
  return null;
}

/**
 * One side may reject the result of IPCP after it was agreed. And Windows negotiates IPCP and CCP at the same time: the link
 * may be up before Windows finds that there is no encryption.
 */
function diagnoseAfterUp(state: Evidence, termination: Termination): PppFailure | null {
  if (isAboutEncryption(termination)) return diagnoseEncryption(state, termination);
  return diagnoseAddresses(state);
}

function diagnoseTermination(state: Evidence, termination: Termination): PppFailure {
  const encryption = diagnoseEncryption(state, termination);
  return (
    diagnoseLogin(state, termination) ??
    diagnoseSilence(state, termination) ??
    // If neither side mentions the refused encryption, it may have been optional.
    (isAboutEncryption(termination) ? encryption : null) ??
    diagnoseAddresses(state) ??
    encryption ??
    diagnoseNetwork(state, termination) ?? { reason: 'terminated', ...termination }
  );
}

function diagnoseLogin(state: Evidence, termination: Termination): PppFailure | null {
  for (const by of BOTH_SIDES) {
    const refusal = findRefusal(state, by, 'LCP', 'authentication');
    if (refusal === undefined || state.lcp[otherSide(by)].agreed?.authentication !== undefined) continue;
    return {
      reason: 'authProtocolRefused',
      by,
      protocol: textOf(refusal.asked),
      proposed: textOf(refusal.proposed),
    };
  }
  const { result, protocol, challenges, responses } = state.authentication;
  const isRejected = LOGIN_PROTOCOLS.some((name) => findRefusal(state, 'client', name, null) !== undefined);
  if (result === 'pending' && isRejected)
    return { reason: 'authProtocolRefused', by: 'client', protocol, proposed: null };
  const isUnanswered = result === 'pending' && responses === 0 && termination.by === 'server';
  if (isUnanswered) return { reason: 'loginUnanswered', protocol, challenges };
  // The client's own login did not fail, so the server's did, which the reader does not follow.
  const asked = state.lcp.client.agreed?.authentication;
  return asked !== undefined && PPPD_REASONS[termination.text] === 'login'
    ? { reason: 'serverLoginRefused', protocol: asked }
    : null;
}

function diagnoseSilence({ ccp, ipcp }: Evidence, { by }: Termination): PppFailure | null {
  if (by === 'client') return null;
  for (const [protocol, { client, server }] of [
    ['CCP', ccp],
    ['IPCP', ipcp],
  ] as const) {
    const requests = server.requests - client.answers;
    if (server.agreed === null && requests >= UNANSWERED_SUSPECT)
      return { reason: 'negotiationTimeout', protocol, requests };
  }
  return null;
}

function isAboutEncryption({ text, windowsError }: Termination): boolean {
  const reason = PPPD_REASONS[text];
  return (
    reason === 'encryption' ||
    reason === 'noEncryptionKeys' ||
    (windowsError !== null && WINDOWS_ENCRYPTION_ERRORS.includes(windowsError))
  );
}

/** Judges by what both sides requested in CCP: the side that hangs up is not always the one that refused. */
function diagnoseEncryption(state: Evidence, termination: Termination): PppFailure | null {
  const { ccp, encryption, authentication, lcp } = state;
  if (encryption?.method === 'mppe') return null;
  const { by } = termination;
  if (PPPD_REASONS[termination.text] === 'noEncryptionKeys') {
    const bothWays = BOTH_SIDES.every((side) => lcp[side].agreed?.authentication !== undefined);
    return { reason: 'encryptionUnavailable', by, protocol: authentication.protocol, bothWays };
  }
  const offers = { client: offerOf(ccp.client), server: offerOf(ccp.server) };
  const { client, server } = offers;
  if (client !== null && server !== null && !canAgree(client, server)) {
    return { reason: 'encryptionModesDiffer', client, server };
  }
  const refuser = encryption?.refusedBy ?? (isAboutEncryption(termination) ? otherSide(by) : null);
  return refuser === null ? null : { reason: 'encryptionRefused', by: refuser, asked: offers[otherSide(refuser)] };
}

/** The MPPE that a side requested last; null: none, or only compression. */
const offerOf = ({ requested }: Evidence['ccp']['client']): MppeOffer | null => {
  const offer = requested?.mppe;
  return offer === undefined || offer.keys.length === 0 ? null : offer;
};

/** RFC 3078 §2: both must name the same key length, in the same mode. */
const canAgree = (one: MppeOffer, other: MppeOffer): boolean =>
  one.stateless === other.stateless && one.keys.some((key) => other.keys.includes(key));

function diagnoseAddresses(state: Evidence): PppFailure | null {
  const { ipcp, user, authentication, refusals, times } = state;
  const { termination } = ipcp;
  const text = termination?.text ?? '';
  // Clients may close IPCP when they hang up; the server closes it only if something is wrong.
  if (times.up !== null && (termination === null || (termination.by === 'client' && text === ''))) return null;
  if (termination?.by === 'server' && PPPD_REASONS[text] === 'address') {
    const address = ipcp.client.agreed?.address ?? null;
    return { reason: 'addressNotAllowed', user, protocol: authentication.protocol, address };
  }
  for (const whose of BOTH_SIDES) {
    // A side that accepted another address has agreed on it.
    if (ipcp[whose].agreed?.address !== undefined) continue;
    const by = otherSide(whose);
    const refusal = refusals.find(
      (each) => each.by === by && each.protocol === 'IPCP' && each.option === 'address' && each.asked !== UNSPECIFIED,
    );
    if (refusal === undefined) continue;
    return {
      reason: 'addressRefused',
      by,
      whose,
      address: textOf(refusal.asked),
      proposed: textOf(refusal.proposed),
      text,
    };
  }
  if (termination === null || (termination.by === 'client' && times.up !== null)) return null;
  return { reason: 'addressRefused', by: termination.by, whose: null, address: null, proposed: null, text };
}

/** The login succeeded, but one side does not request IPv4, or does not support it. */
function diagnoseNetwork(state: Evidence, { by, text }: Termination): PppFailure | null {
  const { authentication, ipcp, ipv6cp } = state;
  if (authentication.result === 'pending' || ipv6cp.open) return null;
  const rejecter = BOTH_SIDES.find((side) => findRefusal(state, side, 'IPCP', null) !== undefined);
  const silent = BOTH_SIDES.filter((side) => ipcp[side].requests === 0);
  if (rejecter !== undefined) return { reason: 'noNetworkProtocol', by: rejecter };
  const [lacking] = silent;
  if (lacking === undefined || PPPD_REASONS[text] !== 'network') return null;
  // pppd without a network protocol hangs up at once, perhaps before the other side could request one.
  return { reason: 'noNetworkProtocol', by: silent.length > 1 ? by : lacking };
}

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);

/** The direction in which frames get lost if LCP is not agreed; null: it does not show. */
function lostDirection({ frames, lcp }: Evidence): 'toClient' | 'fromClient' | null {
  if (frames.fromClient === 0) return 'fromClient';
  // A single request may come from a client that hangs; only repeated ones show that it does not hear us.
  return lcp.client.requests > 1 && lcp.client.answers === 0 ? 'toClient' : null;
}

function findRefusal(state: Evidence, side: Side, name: string, option: string | null): Refusal | undefined {
  return state.refusals.find(
    (refusal) => refusal.by === side && refusal.protocol === name && refusal.option === option,
  );
}

const SIDES: Readonly<Record<Side, string>> = { client: 'the client', server: 'the server' };

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);

/** `128 bit stateless`, `40 or 128 bit stateful`. */
const offerText = ({ keys, stateless }: MppeOffer): string =>
  `${keys.join(' or ')} bit ${stateless ? 'stateless' : 'stateful'}`;

/** Who speaks PPP for the server. */
export type PppEngine = 'pppd' | 'builtin';

/** Where the server's settings are, for remedies. */
export interface SettingPlaces {
  readonly engine: PppEngine;
  /** pppd's options file. */
  readonly optionsFile: string;
  /** Keys of the section `ppp` that are written: pppd is given them after its options file, so that they win. */
  readonly written: ReadonlySet<string>;
  /** The builtin engine's file of users and passwords, `ppp.secrets`. */
  readonly secrets: string;
  /** RADIUS judges the logins of the builtin engine. */
  readonly radius: boolean;
}

/** A setting that a remedy changes: in pppd's options file, or in the section `ppp`. */
interface Setting {
  /** A key of the section `ppp`. */
  readonly key: string;
  readonly inOptions: (file: string) => string;
  readonly inSection: Readonly<Record<PppEngine, string>>;
}

const withBoth = (remedy: string): Setting['inSection'] => ({ pppd: remedy, builtin: remedy });

const SETTINGS = {
  otherLogin: {
    key: 'authentication',
    inOptions: (file) => `require another protocol (require-mschap-v2, require-chap, …) in ${file}`,
    inSection: withBoth('add another protocol to ppp.authentication'),
  },
  loginWithKeys: {
    key: 'authentication',
    inOptions: (file) => `put require-mschap-v2 into ${file}`,
    inSection: withBoth('set ppp.authentication to ["ms-chap-v2"]'),
  },
  noEncryption: {
    key: 'encryption',
    inOptions: (file) => `remove require-mppe-128 from ${file}`,
    inSection: { pppd: 'set ppp.encryption to "none"', builtin: 'set ppp.encryption to "prefer"' },
  },
  encryption: {
    key: 'encryption',
    inOptions: (file) => `put require-mschap-v2 and require-mppe-128 into ${file}; the kernel needs ppp_mppe`,
    inSection: {
      pppd: 'set ppp.encryption to "require"; the kernel needs ppp_mppe',
      builtin: 'set ppp.encryption to "require"',
    },
  },
  longKeys: {
    key: 'encryptionKeys',
    inOptions: (file) => `put require-mppe-128 into ${file}, without nomppe-128`,
    inSection: withBoth('add 128 to ppp.encryptionKeys'),
  },
  statefulKeys: {
    key: 'statefulEncryption',
    inOptions: (file) => `put mppe-stateful into ${file}`,
    inSection: withBoth('set ppp.statefulEncryption to true'),
  },
  statelessKeys: {
    key: 'statefulEncryption',
    inOptions: (file) => `remove the option that requests it from ${file}`,
    inSection: withBoth('set ppp.statefulEncryption to false'),
  },
} as const satisfies Record<string, Setting>;

const isInSection = ({ engine, written }: SettingPlaces, key: string): boolean =>
  engine === 'builtin' || written.has(key);

function change(name: keyof typeof SETTINGS, places: SettingPlaces): string {
  const { key, inOptions, inSection }: Setting = SETTINGS[name];
  return isInSection(places, key) ? inSection[places.engine] : inOptions(places.optionsFile);
}

/** The file with the passwords of a login by `protocol`. */
export const secretsFile = ({ engine, secrets }: SettingPlaces, protocol: string | null): string => {
  if (engine === 'builtin') return `${secrets} (ppp.secrets)`;
  return protocol === 'PAP' ? '/etc/ppp/pap-secrets' : '/etc/ppp/chap-secrets';
};

/** pppd supports 40 and 128 bits, the builtin engine also 56. */
const KEY_LENGTHS: Readonly<Record<PppEngine, readonly number[]>> = { pppd: [128, 40], builtin: [128, 56, 40] };

function modesRemedy(client: MppeOffer, server: MppeOffer, places: SettingPlaces): string {
  if (client.keys.some((key) => server.keys.includes(key)))
    return client.stateless
      ? `allow the stateful mode in the client, or ${change('statelessKeys', places)}`
      : `allow the stateless mode in the client, or ${change('statefulKeys', places)}`;
  const allow = `allow a key of ${server.keys.join(' or ')} bit in the client`;
  const possible = KEY_LENGTHS[places.engine].filter((bits) => client.keys.some((key) => key === bits));
  if (possible.includes(128)) return `${change('longKeys', places)}; or ${allow}`;
  if (possible.length === 0) return allow;
  return isInSection(places, 'encryptionKeys')
    ? `${allow}, or add ${possible.join(' or ')} to ppp.encryptionKeys`
    : `${allow}, or put require-mppe, for any length, into ${places.optionsFile}`;
}

export interface ProblemAndRemedy {
  readonly problem: string;
  /** An imperative; null: src/ppp knows none. */
  readonly remedy: string | null;
}

/** After a login by MS-CHAP, whose keys need more than the login. */
const LACKING: Readonly<Record<PppEngine, ProblemAndRemedy>> = {
  pppd: {
    problem: 'the kernel has no MPPE, or RADIUS sent no keys',
    remedy: 'modprobe ppp_mppe, or have the RADIUS server send MS-MPPE-Send-Key and MS-MPPE-Recv-Key',
  },
  builtin: {
    problem: 'the login provides no key of a length in ppp.encryptionKeys (MS-CHAPv1: only 128 bit)',
    remedy: 'set ppp.authentication to ["ms-chap-v2"], or add 128 to ppp.encryptionKeys',
  },
};

const LACKING_FROM_RADIUS: ProblemAndRemedy = {
  problem: 'the RADIUS server sent no keys, or none of a length in ppp.encryptionKeys',
  remedy: 'have the RADIUS server send MS-MPPE-Send-Key and MS-MPPE-Recv-Key (FreeRADIUS: use_mppe = yes)',
};

/** MPPE's keys come from MS-CHAP (RFC 3079), and from a login in one direction. */
function unavailableText(
  by: Side,
  protocol: string | null,
  bothWays: boolean,
  places: SettingPlaces,
): ProblemAndRemedy {
  if (bothWays) {
    return {
      problem: 'the two sides log in to each other, but only the client may',
      remedy: "turn off the server's login in the client",
    };
  }
  if (protocol === null || !protocol.startsWith('MS-CHAP')) {
    return {
      problem: `the client ${protocol === null ? 'did not log in' : `logged in by ${protocol}`}, but only MS-CHAPv2 provides the keys`,
      remedy: `${change('loginWithKeys', places)}, and allow it in the client`,
    };
  }
  if (by === 'client')
    return {
      problem: 'its kernel has no MPPE, or it has lost the keys of the login',
      remedy: "see the client's own log (Linux: modprobe ppp_mppe)",
    };
  return places.engine === 'builtin' && places.radius ? LACKING_FROM_RADIUS : LACKING[places.engine];
}

/** The server offers no IPv4. */
const WITHOUT_IPV4: Readonly<Record<PppEngine, (file: string) => ProblemAndRemedy>> = {
  pppd: (file) => ({ problem: 'the server offers no IPv4 (IPCP)', remedy: `remove noip from ${file}` }),
  builtin: () => ({
    problem: 'the client hung up before the server could offer IPv4 (IPCP)',
    remedy: "see the client's own log",
  }),
};

const GIVE_ADDRESSES: Readonly<Record<PppEngine, string>> = {
  pppd: 'give pppd an address pair: addresses in the configuration, or Framed-IP-Address from RADIUS',
  builtin: 'give the server an address: addresses.local in the configuration',
};

type Describers = {
  readonly [F in PppFailure as F['reason']]: (failure: F, places: SettingPlaces) => ProblemAndRemedy;
};

const DESCRIBERS: Describers = {
  authenticationFailed: ({ user, protocol, code, cause, message }) => {
    const number = code === null ? '' : ` (E=${code})`;
    const said = message === null ? '' : `; the server said "${message}"`;
    return {
      problem: `${protocol ?? 'login'}: ${cause}${number} for user ${user === null ? 'unknown' : `"${user}"`}${said}`,
      remedy: null,
    };
  },
  loginUnanswered: ({ protocol, challenges }) => ({
    problem:
      (challenges === 0
        ? `the client never sent its name for ${protocol ?? 'the login'}`
        : `the client never answered our ${protocol ?? 'challenge'} challenge, sent ${times(challenges)}`) +
      ': it waits for a password to be typed, or hangs',
    remedy: 'enter the password in the client, or see its log',
  }),
  authProtocolRefused: ({ by, protocol, proposed }, places) => {
    const name = protocol ?? 'the requested protocol';
    if (by === 'server') {
      return {
        problem: `the server refused to log in to the client by ${name}`,
        remedy: "turn off the server's login in the client",
      };
    }
    return {
      problem: `the client refused to log in by ${name}${proposed ? ` and wants ${proposed}` : ''}`,
      remedy: `allow ${name} in the client, or ${change('otherLogin', places)}`,
    };
  },
  serverLoginRefused: ({ protocol }) => ({
    problem: `the client asked the server to log in to it by ${protocol}, and refused the login`,
    remedy: "turn off the server's login in the client",
  }),
  negotiationTimeout: ({ protocol, requests }) => ({
    problem:
      `the client did not answer ${requests} ${protocol} Configure-Requests of the server: it hangs or is gone, or frames are ` +
      'lost on the way',
    remedy: null,
  }),
  encryptionRefused: ({ by, asked }, places) => {
    const refused = `${SIDES[by]} refused MPPE encryption${asked ? ` (${offerText(asked)})` : ''}`;
    return by === 'client'
      ? {
          problem: `${refused}, which the server requires`,
          remedy: `allow MPPE in the client, or ${change('noEncryption', places)}`,
        }
      : {
          problem: `${refused}, which the client requires`,
          remedy: change('encryption', places),
        };
  },
  encryptionModesDiffer: ({ client, server }, places) => ({
    problem: `the two sides want different MPPE encryption, the client ${offerText(client)}, the server ${offerText(server)}`,
    remedy: modesRemedy(client, server, places),
  }),
  encryptionUnavailable: ({ by, protocol, bothWays }, places) => {
    const { problem, remedy } = unavailableText(by, protocol, bothWays, places);
    return { problem: `${SIDES[by]} requires MPPE encryption but cannot provide it: ${problem}`, remedy };
  },
  addressNotAllowed: ({ user, protocol, address }, places) => ({
    problem:
      `the server does not allow ${user === null ? 'this user' : `user "${user}"`} ` +
      (address === null ? 'any address in the tunnel' : `the address ${address}`),
    remedy:
      places.engine === 'builtin' && places.radius
        ? 'have the RADIUS server send a Framed-IP-Address that a client can have, or set addresses.delegate to false'
        : `put ${address === null ? 'an address' : 'that address'}, its network or * into the fourth column of the ` +
          `user's line in ${secretsFile(places, protocol)}; a line of three columns allows none`,
  }),
  addressRefused: ({ by, whose, address, proposed, text }, places) => {
    if (whose === 'server') {
      const ours = address === null ? '' : `, ${address}`;
      return {
        problem: `the client refused our address in the tunnel${ours}${proposed ? `, and wants ${proposed}` : ''}`,
        remedy:
          "have the client accept the server's address (Linux: no address after the colon in its pppd options, or " +
          'ipcp-accept-remote)',
      };
    }
    if (whose === 'client') {
      const remedy = 'have the client accept the address that the server assigns';
      if (address === null) return { problem: 'the client requested no address in the tunnel', remedy };
      return {
        problem: `the client insists on the address ${address}${proposed ? `, but the server assigns ${proposed}` : ''}`,
        remedy:
          places.engine === 'builtin' && places.radius
            ? remedy
            : `${remedy}, or assign it that address in the fourth column of ${secretsFile(places, null)}`,
      };
    }
    return {
      problem: `${SIDES[by]} refused the IP addresses in IPCP${text === '' ? '' : `: "${text}"`}`,
      remedy:
        by === 'client' ? 'have the client accept the address that the server assigns' : GIVE_ADDRESSES[places.engine],
    };
  },
  noNetworkProtocol: ({ by }, { engine, optionsFile }) =>
    by === 'client'
      ? {
          problem: 'the client logged in and requested no IPv4 address',
          remedy: 'turn on IPv4 (IPCP) in the client',
        }
      : WITHOUT_IPV4[engine](optionsFile),
  lcpTimeout: ({ lost, clientRequests, serverRequests }) => {
    const cause = {
      fromClient: 'no PPP frame arrived from the client',
      toClient:
        'the client repeats its first request and answers none of ours: GRE (IP protocol 47) is blocked from the server to the client',
      unknown: 'LCP was never agreed: frames are lost on the way, or one side hangs',
    }[lost ?? 'unknown'];
    return {
      problem: `${cause} (LCP Configure-Requests sent: client ${clientRequests}, server ${serverRequests})`,
      remedy: null,
    };
  },
  terminated: ({ by, text, windowsError }) => {
    const error = windowsError === null ? '' : ` (Windows error ${windowsError})`;
    return {
      problem: `${SIDES[by]} ended the link before it was up: ${text === '' ? 'it gave no reason' : `"${text}"`}${error}`,
      remedy: null,
    };
  },
};

/** The failure in words. A failure that an older worker reports lacks newer fields: they are undefined. */
export function problemAndRemedy(failure: PppFailure, places: SettingPlaces): ProblemAndRemedy {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the key picks the describer of this very type
  return (DESCRIBERS[failure.reason] as (failure: PppFailure, places: SettingPlaces) => ProblemAndRemedy)(
    failure,
    places,
  );
}

/** The same as one sentence: `PROBLEM; remedy: REMEDY`. */
export function describeFailure(failure: PppFailure, places: SettingPlaces): string {
  const { problem, remedy } = problemAndRemedy(failure, places);
  return remedy === null ? problem : `${problem}; remedy: ${remedy}`;
}
