/** Counts of relayed and dropped broadcasts, logged once a minute unless all are 0. */

export interface Counters {
  /** Broadcasts received and relayed. */
  relayed: number;
  /** Packets sent for them: one per outgoing interface. */
  sent: number;
  malformed: number;
  /** Copies of broadcasts relayed before. */
  copies: number;
  /** Over the rate limit of one interface. */
  tooMany: number;
  /** Larger than the MTU of the outgoing interface. */
  tooBig: number;
  /** The outgoing interface disappeared. */
  interfaceGone: number;
  /** The system refused to send, for example because a queue was full. */
  sendFailed: number;
  /** Dropped by the kernel because they were not read in time. */
  droppedByKernel: number;
}

export const noCounts = (): Counters => ({
  relayed: 0,
  sent: 0,
  malformed: 0,
  copies: 0,
  tooMany: 0,
  tooBig: 0,
  interfaceGone: 0,
  sendFailed: 0,
  droppedByKernel: 0,
});

/** The counts that are not 0; null if all are 0. */
export function counted(counters: Counters): Partial<Counters> | null {
  const entries = Object.entries(counters).filter(([, count]) => count > 0);
  return entries.length === 0 ? null : Object.fromEntries(entries);
}
