/** The section `metrics`: the Prometheus metrics. */
import * as z from 'zod';
import { address, port } from './values.js';

export const metricsSection = z
  .strictObject({
    address: address
      .default('127.0.0.1')
      .describe('Address on which Prometheus metrics are served over HTTP, without a password.'),
    port: port.default(9723).describe('TCP port of the metrics.'),
  })
  .optional()
  .describe('Serves Prometheus metrics. Without this section there are none.');
