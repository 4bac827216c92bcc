/**
 * One side's negotiation of options (RFC 1661 §5-6): what we ask for, what the peer asks for, and the answers both ways, as
 * a table of rules over the declarations in options.ts. What has no rule is rejected when the peer asks for it.
 */
import type { FieldReader } from '../field-reader.js';
import { FieldWriter } from '../field-writer.js';
import { CODES } from '../negotiation.js';
import {
  type Declarations,
  listOptions,
  type OptionsOf,
  type ReceivedOption,
  type ValueOf,
  type WritableOption,
  writeOption,
} from '../options.js';

/** RFC 1661 §4.6, Max-Failure: after so many Naks without an Ack between them the disputed options are rejected or given up. */
const MAX_FAILURE = 5;

/** A rule for an option that cannot be written, so that it can only be taken or rejected. */
interface TakeRule<Value> {
  /** Our answer when the peer asks for `value`. */
  readonly answer: (value: Value) => 'ack' | 'reject';
}

export interface Rule<Value> {
  /** What we ask for at the beginning of a negotiation; null or left out: nothing. */
  readonly ask?: () => Value | null;
  /**
   * Our answer when the peer asks for `value`; left out: Reject. `exact`: the option says nothing that `value` does not
   * (reserved bits).
   */
  readonly answer?: (value: Value, exact: boolean) => 'ack' | 'reject' | { readonly nak: Value };
  /** What to propose once when the peer does not ask for the option; null or left out: nothing. */
  readonly propose?: () => Value | null;
  /** What we ask for after the peer's Nak; null: nothing more. Left out: nothing more. */
  readonly nakked?: (proposed: Value, asked: Value) => Value | null;
  /** Max-Failure does not turn its Naks into Rejects: whoever disagrees here is not a peer. */
  readonly endless?: true;
}

export type Rules<D> = {
  readonly [Name in keyof D]?: D[Name] extends WritableOption<infer Value> ? Rule<Value> : TakeRule<ValueOf<D[Name]>>;
};

/** Our answer to a Configure-Request. */
export interface Answer {
  readonly code: typeof CODES.configureAck | typeof CODES.configureNak | typeof CODES.configureReject;
  readonly body: Uint8Array;
  /** What was said to each option that the peer asked for, by name. */
  readonly verdicts: ReadonlyMap<string, 'ack' | 'nak' | 'reject'>;
}

type Asked = { readonly declaration: WritableOption<unknown>; readonly value: unknown };

export class OptionExchange<D extends Declarations> {
  readonly #declarations: D;
  readonly #rules: ReadonlyMap<string, Rule<unknown>>;
  /** What our next Configure-Request asks for, in the order of the declarations. */
  #asked = new Map<string, Asked>();
  #own: OptionsOf<D> = {};
  #peer: OptionsOf<D> = {};
  #naksSent = 0;
  #naksReceived = 0;
  #proposed = false;

  constructor(declarations: D, rules: Rules<D>) {
    this.#declarations = declarations;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a rule meets values of its own option alone
    this.#rules = new Map(Object.entries(rules) as [string, Rule<unknown>][]);
  }

  /** What we asked for and the peer has acknowledged: it holds for what we receive. */
  get own(): OptionsOf<D> {
    return this.#own;
  }

  /** What the peer asked for and we have acknowledged: it holds for what we send. */
  get peer(): OptionsOf<D> {
    return this.#peer;
  }

  /** What we ask for now; undefined: nothing, or no more. */
  asked<Name extends keyof D & string>(name: Name): ValueOf<D[Name]> | undefined {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- asked by this very name
    return this.#asked.get(name)?.value as ValueOf<D[Name]> | undefined;
  }

  /** A new negotiation: forgets what was agreed. */
  begin(): void {
    this.#own = {};
    this.#peer = {};
    this.#naksSent = 0;
    this.#naksReceived = 0;
    this.#proposed = false;
    this.#asked = new Map();
    for (const name in this.#declarations) this.#ask(name, this.#rules.get(name)?.ask?.() ?? null);
  }

  #ask(name: string, value: unknown): void {
    const declaration = this.#writable(name);
    if (value === null || declaration === null) this.#asked.delete(name);
    else this.#asked.set(name, { declaration, value });
  }

  #writable(name: string): WritableOption<unknown> | null {
    const declaration = this.#declarations[name];
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it has `write`
    return declaration !== undefined && 'write' in declaration ? (declaration as WritableOption<unknown>) : null;
  }

  /** The options of our next Configure-Request. */
  request(): Uint8Array {
    const body = new FieldWriter();
    for (const { declaration, value } of this.#asked.values()) body.bytes(writeOption(declaration, value));
    return body.octets;
  }

  /**
   * The answer to the options of a Configure-Request. The first of several options of one type counts. Rejects come
   * before Naks, since a packet says one of them alone (RFC 1661 §5.4). null: the options are malformed, so the packet is.
   */
  answer(options: readonly ReceivedOption[], whole: Uint8Array): Answer {
    const insist = this.#naksSent >= MAX_FAILURE;
    const verdicts = new Map<string, 'ack' | 'nak' | 'reject'>();
    const values: Record<string, unknown> = {};
    const naks = new FieldWriter();
    const rejects = new FieldWriter();
    const seen = new Set<number>();
    for (const option of options) {
      if (seen.has(option.type)) continue;
      seen.add(option.type);
      const { name } = option;
      const rule = name === null ? undefined : this.#rules.get(name);
      let verdict = this.#judge(option, rule);
      if (typeof verdict === 'object' && insist && rule?.endless === undefined) verdict = 'reject';
      if (name !== null) verdicts.set(name, typeof verdict === 'object' ? 'nak' : verdict);
      if (verdict === 'reject') rejects.bytes(option.octets);
      else if (verdict !== 'ack') naks.bytes(verdict.nak);
      else if (name !== null) values[name] = option.value;
    }
    if (rejects.octets.length > 0) return { code: CODES.configureReject, body: rejects.octets, verdicts };
    if (!insist) this.#propose(verdicts, naks);
    if (naks.octets.length > 0) {
      this.#naksSent++;
      return { code: CODES.configureNak, body: naks.octets, verdicts };
    }
    this.#naksSent = 0;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each name was read by its own declaration
    this.#peer = values as OptionsOf<D>;
    return { code: CODES.configureAck, body: whole, verdicts };
  }

  #judge(option: ReceivedOption, rule: Rule<unknown> | undefined): 'ack' | 'reject' | { readonly nak: Uint8Array } {
    if (option.name === null || option.value === undefined || rule?.answer === undefined) return 'reject';
    const declaration = this.#writable(option.name);
    const exact = declaration === null || same(writeOption(declaration, option.value), option.octets);
    const verdict = rule.answer(option.value, exact);
    if (typeof verdict === 'string') return verdict;
    return declaration === null ? 'reject' : { nak: writeOption(declaration, verdict.nak) };
  }

  /** RFC 1661 §5.3: a Nak may bring up options that the peer did not ask for; once, since it need not follow. */
  #propose(verdicts: ReadonlyMap<string, unknown>, naks: FieldWriter): void {
    if (this.#proposed) return;
    for (const [name, rule] of this.#rules) {
      const value = verdicts.has(name) ? null : (rule.propose?.() ?? null);
      const declaration = this.#writable(name);
      if (value === null || declaration === null) continue;
      naks.bytes(writeOption(declaration, value));
      this.#proposed = true;
    }
  }

  /** The peer has acknowledged what we ask for. */
  recvAck(): void {
    this.#naksReceived = 0;
    const values = [...this.#asked].map(([name, { value }]) => [name, value]);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each value was asked under its own name
    this.#own = Object.fromEntries(values) as OptionsOf<D>;
  }

  /** The peer's other wishes; options that we did not ask for are no reason to ask. */
  recvNak(options: readonly ReceivedOption[]): void {
    const giveUp = ++this.#naksReceived >= MAX_FAILURE;
    for (const { name, value } of options) {
      const asked = name === null ? undefined : this.#asked.get(name);
      if (name === null || asked === undefined) continue;
      const rule = this.#rules.get(name);
      // A Nak that proposes nothing readable is taken as a Reject.
      const next = value === undefined ? null : (rule?.nakked?.(value, asked.value) ?? null);
      this.#ask(name, giveUp && rule?.endless === undefined ? null : next);
    }
  }

  /** false, and nothing is changed, when the peer rejects what we did not ask for (RFC 1661 §5.4). */
  recvReject(options: readonly ReceivedOption[]): boolean {
    const names = options.map(({ name, octets }) => {
      const asked = name === null ? undefined : this.#asked.get(name);
      return asked !== undefined && same(writeOption(asked.declaration, asked.value), octets) ? name : null;
    });
    if (names.includes(null)) return false;
    this.#naksReceived = 0;
    for (const name of names) if (name !== null) this.#asked.delete(name);
    return true;
  }

  /** Reads the options of a Configure packet; null when they are malformed. */
  read(body: FieldReader): ReceivedOption[] | null {
    return listOptions(this.#declarations, body);
  }
}

export const same = (one: Uint8Array, other: Uint8Array): boolean => Buffer.compare(one, other) === 0;
