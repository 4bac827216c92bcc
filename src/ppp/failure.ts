/**
 * Why a link never came up: told from the state alone, as a typed value and as a sentence for the log. Order matters:
 * what the peers themselves said comes first, then what they refused, then what they never answered.
 */
import type { MppeOffer } from './options.js';
import type { PppFailure, PppState, Refusal, Side, Termination } from './state.js';

/** Fewer repeated LCP requests than these are ordinary loss. */
const LCP_REPEATS_SUSPECT = 2;

/** So many requests that were not answered are more than loss. */
const UNANSWERED_SUSPECT = 3;

/** Error numbers that Windows puts into its Terminate-Request: "… required data encryption type" of either side. */
const WINDOWS_ENCRYPTION_ERRORS = [741, 742];

/**
 * What pppd 2.4 and 2.5 say in their Terminate-Requests, word for word: as good as error numbers. With encryption up
 * every link of pppd ends with "MPPE disabled", which tells nothing unless there is no network protocol.
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

/** An address option that asks the peer for an address (RFC 1332 §3.3). */
const UNSPECIFIED = '0.0.0.0';

type Evidence = Omit<PppState, 'failure' | 'phase'>;

const BOTH_SIDES = ['client', 'server'] as const;
const otherSide = (side: Side): Side => (side === 'client' ? 'server' : 'client');

/** The cause as far as the state tells it; null when the link is or was up, or nothing has gone wrong so far. */
export function diagnose(state: Evidence): PppFailure | null {
  const { authentication, lcp, times } = state;
  if (times.up !== null) return lcp.termination === null ? null : diagnoseAfterUp(state, lcp.termination);
  if (authentication.failure !== null && authentication.result === 'failed') {
    const { code, cause, message } = authentication.failure;
    const { protocol } = authentication;
    return { reason: 'authenticationFailed', user: state.user, protocol, code, cause, message };
  }
  // Refusals alone are no failure: the peers may still agree on something else.
  if (lcp.termination !== null) return diagnoseTermination(state, lcp.termination);
  if (!lcp.open && lcp.server.repeats >= LCP_REPEATS_SUSPECT) {
    return {
      reason: 'lcpTimeout',
      lost: lostWay(state),
      clientRequests: lcp.client.requests,
      serverRequests: lcp.server.requests,
    };
  }
  return null;
}

/**
 * IPCP may be agreed with an outcome that one side cannot accept. And Windows negotiates it beside CCP, so that the link may
 * be up before Windows finds that there will be no encryption.
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
    // A refusal that nobody complains of may have been taken: encryption was optional.
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
  const isWaitedFor = result === 'pending' && responses === 0 && termination.by === 'server';
  if (isWaitedFor) return { reason: 'loginUnanswered', protocol, challenges };
  // Without a failure of the client's own login it is the other one, which nobody here follows.
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

/** By what both sides have asked for in CCP: who hangs up is not who would have had to give in. */
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

/** The MPPE that a side has last asked for; null: none, or compression alone. */
const offerOf = ({ requested }: Evidence['ccp']['client']): MppeOffer | null => {
  const offer = requested?.mppe;
  return offer === undefined || offer.keys.length === 0 ? null : offer;
};

/** RFC 3078 §2: a key length that both name, in the same mode. */
const canAgree = (one: MppeOffer, other: MppeOffer): boolean =>
  one.stateless === other.stateless && one.keys.some((key) => other.keys.includes(key));

function diagnoseAddresses(state: Evidence): PppFailure | null {
  const { ipcp, user, authentication, refusals, times } = state;
  const { termination } = ipcp;
  const text = termination?.text ?? '';
  // Clients may close IPCP when they hang up; our pppd does so only when something is wrong.
  if (times.up !== null && (termination === null || (termination.by === 'client' && text === ''))) return null;
  if (termination?.by === 'server' && PPPD_REASONS[text] === 'address') {
    const address = ipcp.client.agreed?.address ?? null;
    return { reason: 'addressNotAllowed', user, protocol: authentication.protocol, address };
  }
  for (const whose of BOTH_SIDES) {
    // One that takes what it is given instead has it agreed in the end.
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

/** Logged in, and then nothing to carry: one side does not ask for IPv4, or does not know it. */
function diagnoseNetwork(state: Evidence, { by, text }: Termination): PppFailure | null {
  const { authentication, ipcp, ipv6cp } = state;
  if (authentication.result === 'pending' || ipv6cp.open) return null;
  const rejecter = BOTH_SIDES.find((side) => findRefusal(state, side, 'IPCP', null) !== undefined);
  const silent = BOTH_SIDES.filter((side) => ipcp[side].requests === 0);
  if (rejecter !== undefined) return { reason: 'noNetworkProtocol', by: rejecter };
  const [lacking] = silent;
  if (lacking === undefined || PPPD_REASONS[text] !== 'network') return null;
  // pppd without a network protocol hangs up at once, perhaps before the other side has asked for one.
  return { reason: 'noNetworkProtocol', by: silent.length > 1 ? by : lacking };
}

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);

/** Where frames get lost when LCP is not agreed. */
function lostWay({ frames, lcp }: Evidence): 'toClient' | 'fromClient' | null {
  if (frames.fromClient === 0) return 'fromClient';
  // One request alone may come from a client that hangs: it is the repeating that tells.
  return lcp.client.requests > 1 && lcp.client.answers === 0 ? 'toClient' : null;
}

function findRefusal(state: Evidence, side: Side, name: string, option: string | null): Refusal | undefined {
  return state.refusals.find(
    (refusal) => refusal.by === side && refusal.protocol === name && refusal.option === option,
  );
}

const SIDES: Readonly<Record<Side, string>> = { client: 'the client', server: 'our pppd' };

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);

/** `128 bit stateless`, `40 or 128 bit stateful`. */
const offerText = ({ keys, stateless }: MppeOffer): string =>
  `${keys.join(' or ')} bit ${stateless ? 'stateless' : 'stateful'}`;

/** pppd knows 40 and 128 bit, and takes the stateful mode only when it is told to. */
function modesRemedy(client: MppeOffer, server: MppeOffer, options: string): string {
  if (!client.keys.some((key) => server.keys.includes(key))) {
    const allow = `allow a key of ${server.keys.join(' or ')} bit in the client`;
    if (client.keys.includes(128)) return `put require-mppe-128 into ${options}, without nomppe-128; or ${allow}`;
    return client.keys.includes(40) ? `${allow}, or put require-mppe, for any length, into ${options}` : allow;
  }
  return client.stateless
    ? `allow the stateful mode in the client, or take what asks for it out of ${options}`
    : `allow the stateless mode in the client, or put mppe-stateful into ${options}`;
}

/** MPPE's keys come from MS-CHAP (RFC 3079), and from a login in one direction. */
function unavailableRemedy(by: Side, protocol: string | null, bothWays: boolean, options: string): string {
  if (bothWays)
    return 'the two log in to each other, and only the client may; turn its login of the server off in the client';
  if (protocol === null || !protocol.startsWith('MS-CHAP')) {
    return (
      `the client ${protocol === null ? 'did not log in' : `logged in by ${protocol}`}, and the keys come from MS-CHAPv2; put ` +
      `require-mschap-v2 into ${options}, and allow it in the client`
    );
  }
  return by === 'client'
    ? "its kernel has no MPPE, or something has taken its keys; see the client's own log (Linux: modprobe ppp_mppe)"
    : 'the kernel has no MPPE (modprobe ppp_mppe), or RADIUS sent no keys (MS-MPPE-Send-Key, MS-MPPE-Recv-Key)';
}

type Describers = { readonly [F in PppFailure as F['reason']]: (failure: F, options: string) => string };

const DESCRIBERS: Describers = {
  authenticationFailed: ({ user, protocol, code, cause, message }) => {
    const number = code === null ? '' : ` (E=${code})`;
    const said = message === null ? '' : `; our pppd said "${message}"`;
    return `${protocol ?? 'login'}: ${cause}${number} for user ${user === null ? 'unknown' : `"${user}"`}${said}`;
  },
  loginUnanswered: ({ protocol, challenges }) =>
    (challenges === 0
      ? `the client never sent its name for ${protocol ?? 'the login'}`
      : `the client never answered our ${protocol ?? 'challenge'} challenge, sent ${times(challenges)}`) +
    ': it waits for somebody to type a password, or hangs; enter the password in the client, or see its log',
  authProtocolRefused: ({ by, protocol, proposed }, options) => {
    const name = protocol ?? 'the protocol asked for';
    if (by === 'server') return `our pppd refused to log in to the client by ${name}: let the client ask for no login`;
    const instead = proposed ? ` and wants ${proposed}` : '';
    return (
      `the client refused to log in by ${name}${instead}: allow ${name} in the client, or require another ` +
      `(require-mschap-v2, require-chap, …) in ${options}`
    );
  },
  serverLoginRefused: ({ protocol }) =>
    `the client asked the server to log in to it by ${protocol}, and refused the login: turn that off in the client`,
  negotiationTimeout: ({ protocol, requests }) =>
    `the client left ${requests} ${protocol} Configure-Requests of our pppd unanswered: it hangs or is gone, or frames are ` +
    'lost on the way',
  encryptionRefused: ({ by, asked }, options) =>
    `${SIDES[by]} refused MPPE encryption${asked ? ` (${offerText(asked)})` : ''}, which ` +
    (by === 'client'
      ? `our pppd requires: allow MPPE in the client, or take require-mppe-128 out of ${options}`
      : `the client requires: put require-mschap-v2 and require-mppe-128 into ${options}; the kernel needs ppp_mppe`),
  encryptionModesDiffer: ({ client, server }, options) =>
    `the two sides want different MPPE encryption, the client ${offerText(client)}, our pppd ${offerText(server)}: ` +
    modesRemedy(client, server, options),
  encryptionUnavailable: ({ by, protocol, bothWays }, options) =>
    `${SIDES[by]} requires MPPE encryption and cannot do it: ${unavailableRemedy(by, protocol, bothWays, options)}`,
  addressNotAllowed: ({ user, protocol, address }) => {
    const secrets = protocol === 'PAP' ? 'pap-secrets' : 'chap-secrets';
    const who = user === null ? 'this user' : `user "${user}"`;
    return (
      `pppd does not allow ${who} the address ${address ?? 'that it was given'}: put that address, its network or * into ` +
      `the fourth column of the user's line in /etc/ppp/${secrets}; a line of three columns allows none`
    );
  },
  addressRefused: ({ by, whose, address, proposed, text }) => {
    const instead = proposed === null ? '' : `, and wants ${proposed}`;
    if (whose === 'server' && address !== null) {
      return (
        `the client refused our address in the tunnel, ${address}${instead}: let the client take the server's address ` +
        '(Linux: no address behind the colon in its pppd options, or ipcp-accept-remote)'
      );
    }
    if (whose === 'client' && address !== null) {
      return (
        `the client insists on the address ${address}${proposed === null ? '' : `, and our pppd gives it ${proposed}`}: let the ` +
        'client take the address that the server gives it, or give it its own by the fourth column of ' +
        '/etc/ppp/chap-secrets'
      );
    }
    return (
      `${SIDES[by]} refused the IP addresses in IPCP${text === '' ? '' : `: "${text}"`}: ` +
      (by === 'client'
        ? 'let the client take the address that the server gives it'
        : 'give pppd an address pair: addresses in the configuration, or Framed-IP-Address from RADIUS')
    );
  },
  noNetworkProtocol: ({ by }, options) =>
    by === 'client'
      ? 'the client logged in and asked for no IPv4 address: turn IPv4 (IPCP) on in the client'
      : `our pppd offers no IPv4 (IPCP): take noip out of ${options}`,
  lcpTimeout: ({ lost, clientRequests, serverRequests }) => {
    const cause = {
      fromClient: 'no PPP frame ever came from the client',
      toClient:
        'the client repeats its first request and answers none of ours: GRE (IP protocol 47) is blocked from us to it',
      unknown: 'LCP was never agreed: frames are lost on the way, or one side hangs',
    }[lost ?? 'unknown'];
    return `${cause} (LCP Configure-Requests sent: client ${clientRequests}, our pppd ${serverRequests})`;
  },
  terminated: ({ by, text, windowsError }) => {
    const error = windowsError === null ? '' : ` (Windows error ${windowsError})`;
    return `${SIDES[by]} ended the link before it was up: ${text === '' ? 'it gave no reason' : `"${text}"`}${error}`;
  },
};

/**
 * One sentence with the cause and, where there is one, the remedy. A failure that a worker of an older version tells lacks
 * what is new since. `options`: the file with pppd's options, if it is known.
 */
export function describeFailure(failure: PppFailure, options = "pppd's options"): string {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the key picks the describer of this very type
  return (DESCRIBERS[failure.reason] as (failure: PppFailure, options: string) => string)(failure, options);
}
