/** The speed of a session's interface, and the device that limits what comes from the client. */

/** Bits per second; null: no limit. */
export interface Speed {
  readonly up: number | null;
  readonly down: number | null;
}

export const UNLIMITED: Speed = { up: null, down: null };

/** Name of the device that delays what comes from the client. `index`: the interface's number, which no other has. */
export const helperOf = ({ index }: { readonly index: number }): string => `ifb-${index}`;
