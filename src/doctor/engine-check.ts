/** The check that says who speaks PPP; which of the other checks are run follows from it. */
import type { Configuration } from '../config/schema.js';
import { chooseEngine, type EngineChoice } from '../host/ppp-engine.js';
import { type Check, good } from './check.js';
import type { Machine } from './machine.js';

export const engineOf = (configuration: Configuration, machine: Machine): EngineChoice =>
  chooseEngine(
    configuration,
    (device) => machine.openDevice(device),
    (path) => machine.isExecutable(path),
  );

export const engine: Check = {
  name: 'PPP engine',
  fatal: false,
  run(configuration, machine) {
    const { engine: chosen, because } = engineOf(configuration, machine);
    return good(`${chosen}: ${because}`);
  },
};
