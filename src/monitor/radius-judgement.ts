/** Judges a login by RADIUS: the server's verdict, and the address that it lets the client have. */
import { visible } from '../accounts/chap-secrets.js';
import { withoutDomain } from '../mschap/ms-chap-v2.js';
import { CHOSEN_HERE, type FramedRoute, type RadiusLogin, type RadiusVerdict } from '../radius/protocol.js';
import { AUTHENTICATION_FAILURE, type Judgement, NO_ACCOUNT } from './authentication.js';
import type { MonitorAnswer, RadiusSettings, WireLimits } from './protocol.js';
import { UNLIMITED } from './speed-limit.js';
import type { Login } from './verifier.js';
import { MAX_TIMER_SECONDS } from '../sys/clock.js';

/** First octets of networks whose addresses no client can have: this, loopback, multicast and reserved ones. */
const FIRST_MULTICAST = 224;
const NO_NETWORKS = [0, 127];

/** RADIUS has not judged the login. */
export class NotJudged extends Error {
  readonly answer: Extract<MonitorAnswer, { type: 'notJudged' }>;

  constructor(answer: NotJudged['answer']) {
    super(answer.problem);
    this.answer = answer;
  }
}

export interface RadiusContext {
  readonly settings: RadiusSettings;
  /** `DOMAIN\\user` is asked about as `user`. */
  readonly stripDomain: boolean;
  /** Both ends in the lease of the session; `remote` null: RADIUS has the address. */
  readonly local: string;
  readonly remote: string | null;
  /** The client's own address. */
  readonly peer: string;
  /** N of its interface. */
  readonly unit: number | null;
  /** The challenge for another try after a wrong password, hexadecimal; null: there is none. */
  readonly retryChallenge: string | null;
}

/** `ask` asks the RADIUS process. Rejects with NotJudged. */
export async function judgeByRadius(
  login: Login,
  { settings, stripDomain, local, remote, peer, unit, retryChallenge }: RadiusContext,
  ask: (login: RadiusLogin) => Promise<RadiusVerdict>,
): Promise<Judgement> {
  const { method, identifier, challenge, response } = login;
  const name = stripDomain ? withoutDomain(login.name) : login.name;
  const verdict = await ask({
    method,
    identifier,
    name: hex(name),
    challenge: hex(challenge),
    response: hex(response),
    port: unit,
    client: peer,
  });
  switch (verdict.outcome) {
    case 'failed':
      throw new NotJudged({ type: 'notJudged', problem: verdict.problem, servers: namesOf(settings) });
    case 'rejected': {
      const { code, message } = verdict;
      return {
        verdict: {
          accepted: false,
          code: code === 0 ? AUTHENTICATION_FAILURE : code,
          retryChallenge: verdict.retry ? retryChallenge : null,
          message,
        },
        grant: null,
        notes: [],
      };
    }
    case 'accepted': {
      const { message, keys, classes, interim, rate, filter, notes } = verdict;
      const address = addressFor(verdict.address, local, remote);
      const isByClient = ({ gateway }: FramedRoute): boolean => gateway === null || gateway === address;
      return {
        verdict: { accepted: true, message, keys, remote: address, remoteChoices: [], limits: limitsOf(verdict) },
        grant: {
          ...NO_ACCOUNT,
          name: visible(Buffer.from(name).toString('latin1')),
          remote: address,
          rules: [],
          speed: { ...UNLIMITED, ...rate },
          routes: verdict.routes.filter(isByClient).map(({ network, metric }) => ({ network, metric })),
          radius: { name: hex(name), classes, interim },
          ...(filter === null ? {} : { filter }),
        },
        notes: [...notes, ...verdict.routes.filter((route) => !isByClient(route)).map(describeGateway)],
      };
    }
  }
}

const describeGateway = ({ network, gateway }: FramedRoute): string =>
  `ignored Framed-Route "${network} ${gateway}": a tunnel leads to its client only, so the gateway must be 0.0.0.0 or the client's address`;

/** Session-Timeout and Idle-Timeout (RFC 2865 §5.27, §5.28); 0 says nothing. A limit that no timer can count is none. */
export function limitOf(seconds: number | null | undefined): number | null {
  if (seconds == null || seconds === 0) return null;
  return seconds > MAX_TIMER_SECONDS ? 0 : seconds;
}

const limitsOf = ({
  sessionTime,
  idleTime,
  filter,
}: Extract<RadiusVerdict, { outcome: 'accepted' }>): WireLimits | null =>
  sessionTime == null && idleTime == null && filter === null
    ? null
    : { account: null, sessions: null, sessionTime: limitOf(sessionTime), idleTime: limitOf(idleTime), filter };

/** RADIUS may give an address beyond the lease; null: the client can have none. */
function addressFor(given: string | null, local: string, lease: string | null): string | null {
  if (given === null || CHOSEN_HERE.includes(given)) return lease;
  const network = Number(given.split('.')[0]);
  return given === local || network >= FIRST_MULTICAST || NO_NETWORKS.includes(network) ? null : given;
}

const namesOf = ({ servers }: RadiusSettings): string =>
  servers.map(({ address, authPort }) => `${address}:${authPort}`).join(', ');

const hex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex');
