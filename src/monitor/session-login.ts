/**
 * The logins of a session: the challenge for the next one, how many passwords were wrong, and who judges. A login that RADIUS
 * judges may take most of a minute; the session's end does not wait for it.
 */
import type { Logger } from '../log/logger.js';
import type { RadiusLogin, RadiusVerdict } from '../radius/protocol.js';
import { withoutDomain } from '../mschap/ms-chap-v2.js';
import { monotonicMs } from '../sys/clock.js';
import type { AccountUsage } from './account-usage.js';
import { judge, type Judgement } from './authentication.js';
import { type Challenge, drawChallenge, isChallenged } from './challenge.js';
import type { Guess, GuessLimits } from './guess-limits.js';
import { type Guesses, GUESSES_PER_SESSION } from './guesses.js';
import type { ChapMethod, MonitorAnswer, MonitorRequest, MonitorSettings, Refusal, Registration } from './protocol.js';
import { judgeByRadius, NotJudged } from './radius-judgement.js';
import type { UserAccounts } from './user-accounts.js';
import type { Login } from './verifier.js';

export interface LoginServices {
  /** null: no manager has announced itself yet. */
  readonly settings: () => MonitorSettings | null;
  readonly users: UserAccounts;
  readonly usage: AccountUsage;
  readonly guesses: Pick<GuessLimits, 'take' | 'giveBack'>;
  /** Asks the RADIUS process; never rejects. */
  readonly askRadius: (login: RadiusLogin) => Promise<RadiusVerdict>;
}

/** What the state folder keeps of it. */
export interface SavedLogin {
  readonly guesses: number;
  /** For the next login; null: none was asked for, or it was used. */
  readonly challenge: Challenge | null;
}

export interface SessionLoginOptions {
  readonly saved: SavedLogin;
  /** Writes `value` down. Throws SystemCallFailed. */
  readonly save: () => void;
  readonly services: LoginServices;
  readonly registration: Registration;
  /** N of the session's interface pppN; null without one. */
  readonly unit: () => number | null;
  readonly workerGuesses: Guesses;
  readonly log: Logger;
}

export interface LoginOutcome {
  readonly answer: MonitorAnswer;
  /** null: there is none, and what was granted before stays. */
  readonly judgement: Judgement | null;
}

const unjudged = (answer: MonitorAnswer): LoginOutcome => ({ answer, judgement: null });
/** An answer, not a refusal: a refusal closes the connection, which the worker needs to end its call. */
const ABANDONED: MonitorAnswer = { type: 'failed', step: 'judge a login whose call ends', code: 'ECANCELED' };
const refusal = (reason: Refusal): LoginOutcome => unjudged({ type: 'refused', reason });

export class SessionLogin {
  readonly #options: SessionLoginOptions;
  #guesses: number;
  #challenge: Challenge | null;
  /** Set while a login is being judged. */
  #abandon: () => void = () => undefined;

  constructor(options: SessionLoginOptions) {
    this.#options = options;
    this.#guesses = options.saved.guesses;
    this.#challenge = options.saved.challenge;
  }

  get value(): SavedLogin {
    return { guesses: this.#guesses, challenge: this.#challenge };
  }

  drawChallenge(method: ChapMethod): MonitorAnswer {
    const { services, save } = this.#options;
    if (services.settings()?.authentication.includes(method) !== true)
      return { type: 'refused', reason: 'notPermitted' };
    const challenge = drawChallenge(method, monotonicMs());
    this.#challenge = challenge;
    save();
    return { type: 'challenge', challenge: challenge.octets };
  }

  /** The caller writes `value` down afterwards. Throws SystemCallFailed when a file of secrets or accounts cannot be used. */
  async authenticate(request: MonitorRequest<'authenticate'>): Promise<LoginOutcome> {
    const { services, save, log } = this.#options;
    const { method, name, challenge } = request;
    const settings = services.settings();
    if (settings === null || !settings.authentication.includes(method)) return refusal('notPermitted');
    if (!isChallenged({ method, challenge }, this.#challenge, monotonicMs())) return refusal('challenge');
    // Counted and saved before the answer is known, so that nothing in between permits another guess.
    const guess = this.#guessOf(name, settings);
    if (!this.#takeGuess(guess)) return refusal('tooManyGuesses');
    // With the challenge: if the monitor dies now, the worker asks again with the same response.
    save();
    const mayRetry = method !== 'pap' && this.#guesses < GUESSES_PER_SESSION;
    this.#challenge = mayRetry ? drawChallenge(method, monotonicMs()) : null;
    let isGuess = false;
    try {
      const judgement = await this.#judgement(loginOf(request), settings);
      // A worker that does not get the verdict has still used a guess.
      isGuess = judgement?.verdict.accepted !== true;
      if (judgement === null) return unjudged(ABANDONED);
      const { verdict, grant, notes } = judgement;
      log.info({ method, accepted: verdict.accepted, user: grant?.name, guesses: this.#guesses }, 'login judged');
      for (const note of notes) log.warn({ method, user: grant?.name }, note);
      return { answer: { type: 'verdict', verdict }, judgement };
    } catch (error) {
      if (!(error instanceof NotJudged)) throw error;
      log.warn({ method, ...error.answer }, 'login not judged');
      return unjudged(error.answer);
    } finally {
      if (!isGuess) this.#giveBackGuess(guess);
    }
  }

  /** The call or the session ends: the verdict is no longer needed. */
  abandon(): void {
    this.#abandon();
  }

  /** The client may call again: what has been guessed still counts. */
  callEnded(): void {
    this.#challenge = null;
  }

  /** null: it was abandoned. Rejects with NotJudged when RADIUS is to judge and does not. */
  async #judgement(login: Login, settings: MonitorSettings): Promise<Judgement | null> {
    const abandoned = new Promise<null>((resolve) => (this.#abandon = () => resolve(null)));
    const judged = this.#judge(login, settings);
    // An abandoned request may still fail.
    judged.catch(() => undefined);
    return Promise.race([judged, abandoned]);
  }

  async #judge(login: Login, settings: MonitorSettings): Promise<Judgement> {
    const { services, registration, unit } = this.#options;
    const { local, remote, peer } = registration;
    const circumstances = { remote, unit: unit(), retryChallenge: this.#challenge?.octets ?? null };
    const { radius } = settings;
    return radius === undefined
      ? judge(login, { settings, users: services.users, usage: services.usage, ...circumstances })
      : judgeByRadius(
          login,
          { settings: radius, stripDomain: settings.stripDomain, local: local ?? '', peer, ...circumstances },
          services.askRadius,
        );
  }

  /** `name`: hexadecimal. */
  #guessOf(name: string, { stripDomain }: MonitorSettings): Guess {
    const account = Buffer.from(stripDomain ? withoutDomain(octets(name)) : octets(name)).toString();
    return { client: this.#options.registration.peer, account };
  }

  /** false when the session, its worker, its client or the account has none left. */
  #takeGuess(guess: Guess): boolean {
    const { services, workerGuesses } = this.#options;
    if (this.#guesses >= GUESSES_PER_SESSION || !workerGuesses.take(performance.now())) return false;
    if (!services.guesses.take(guess)) {
      workerGuesses.giveBack();
      return false;
    }
    this.#guesses += 1;
    return true;
  }

  /** The password was right, or could not be judged. */
  #giveBackGuess(guess: Guess): void {
    const { services, workerGuesses } = this.#options;
    this.#guesses -= 1;
    workerGuesses.giveBack();
    services.guesses.giveBack(guess);
  }
}

const octets = (hex: string): Uint8Array => Buffer.from(hex, 'hex');

const loginOf = ({ method, identifier, name, challenge, response }: MonitorRequest<'authenticate'>): Login => ({
  method,
  identifier,
  name: octets(name),
  challenge: octets(challenge),
  response: octets(response),
});
