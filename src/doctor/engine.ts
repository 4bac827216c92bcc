/** The PPP engine that the checks are for. */
import type { Configuration } from '../config/schema.js';
import { chooseEngine, type EngineChoice } from '../host/ppp-engine.js';
import type { Machine } from './machine.js';

/** As `serve` chooses it on that machine: pppd belongs to a group that the server's user need not be in. */
export const engineOf = (configuration: Configuration, machine: Machine): EngineChoice =>
  chooseEngine(
    configuration,
    (device) => machine.openDevice(device),
    (path) => ((machine.mode(path) ?? 0) & 0o111) !== 0,
  );

/** The same configuration without `auto`. The checks get it so. */
export const withEngine = (configuration: Configuration, { engine }: EngineChoice): Configuration => ({
  ...configuration,
  ppp: { ...configuration.ppp, engine },
});
