/** The interface of a fuzz target; see targets/. */

export interface Target {
  /** Parts of the paths of compiled sources whose coverage guides the search. */
  readonly covers: readonly string[];
  /** Valid inputs to start with. */
  readonly seeds: () => readonly Uint8Array[];
  /**
   * Runs the code on the input, and throws when it does not behave as promised. Returns a text with few possible values
   * that describes what V8's coverage does not show; a new value makes the input worth keeping.
   */
  readonly run: (input: Uint8Array) => string;
}
