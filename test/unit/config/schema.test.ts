/** The JSON Schema for editors corresponds to what the server checks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configurationJsonSchema, configurationSchema } from '../../../src/config/schema.js';

test('the JSON Schema describes the file as written: it requires nothing, allows no unknown key, and has the defaults', () => {
  const schema = configurationJsonSchema();
  assert.equal(schema.$schema, 'https://json-schema.org/draft/2020-12/schema');
  assert.equal(schema.required, undefined);
  assert.equal(schema.additionalProperties, false);
  assert.deepEqual(Object.keys(schema.properties ?? {}), Object.keys(configurationSchema.shape));
  const listen = schema.properties?.['listen'];
  assert.ok(typeof listen === 'object');
  assert.deepEqual(listen.properties?.['port'], {
    default: 1723,
    description: 'TCP port. Clients expect 1723.',
    type: 'integer',
    minimum: 1,
    maximum: 65535,
  });
});
