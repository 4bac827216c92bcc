/** What can be fuzzed: the form of every entry of targets/. */

export interface Target {
  /** Parts of the paths of the compiled sources whose coverage guides the search. */
  readonly covers: readonly string[];
  /** Sound inputs to begin with. */
  readonly seeds: () => readonly Uint8Array[];
  /**
   * Runs the code on the input and throws when a promise is broken. Returns what V8's coverage does not see, as a text
   * of few values: a new one makes the input worth keeping.
   */
  readonly run: (input: Uint8Array) => string;
}
