/** The section `network` as the monitor gets it. Pure. */
import { isUplinkName, MAX_DESTINATIONS, parseDestination } from '../config/network.js';
import type { Configuration } from '../config/schema.js';

export type NetworkSettings = NonNullable<Configuration['network']>;

const isListOf = (value: unknown, isElement: (text: string) => boolean): boolean =>
  Array.isArray(value) && value.every((each) => typeof each === 'string' && isElement(each));

/** Whether a message has what the schema permits. */
export function isNetworkSettings(value: unknown): value is NetworkSettings {
  if (typeof value !== 'object' || value === null) return false;
  const { forward, masquerade, clampMss, isolateClients, allow } = value as Partial<
    Record<keyof NetworkSettings, unknown>
  >;
  return (
    [forward, clampMss, isolateClients].every((each) => typeof each === 'boolean') &&
    (masquerade === 'auto' || isListOf(masquerade, isUplinkName)) &&
    isListOf(allow, (text) => parseDestination(text) !== null) &&
    (allow as readonly string[]).length <= MAX_DESTINATIONS
  );
}

/** Whether these settings need rules; forwarding alone does not. */
export const needsTable = ({ masquerade, clampMss, isolateClients, allow }: NetworkSettings): boolean =>
  masquerade.length > 0 || clampMss || isolateClients || allow.length > 0;
