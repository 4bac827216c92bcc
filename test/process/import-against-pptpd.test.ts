/**
 * Compares `import` with Debian's pptpd: both get each file of the table, and the converted configuration, loaded as the
 * server loads it, must do what pptpd does.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { thisHost } from '../../src/cli/commands/import.js';
import { importPptpd } from '../../src/config/import.js';
import { checkConfiguration } from '../../src/config/load.js';
import type { Configuration } from '../../src/config/schema.js';
import { configuredPool } from '../../src/manager/configured-pool.js';
import { Leases } from '../../src/manager/leases.js';
import * as table from './import-against-pptpd.table.js';
import { enterNamespace, namespaceProcesses } from './support/netns.js';
import { Pptpd, type Use, whyNoPptpd } from './support/pptpd.js';

const skip = whyNoPptpd() ?? false;
const ADDRESS = '192.0.2.1';
if (skip === false) enterNamespace(ADDRESS);

/** What pptpd and our server must have in common. */
type Compared = Omit<Use, 'pid'>;

/** What our server does with a configuration. */
function useOf(configuration: Configuration): Compared {
  const { addresses, listen, limits, log, pppd, broadcastRelay } = configuration;
  const pool = configuredPool(configuration);
  const isLimited = !addresses.delegate || limits.connections > 0;
  return {
    listen: listen.address,
    // The whole pool, because each pair of it would be lent sooner or later.
    pairs: pool.pairs.map(({ local, remote }) => `${local}>${remote}`),
    most: isLimited ? new Leases(pool).most : null,
    debug: log.level === 'debug',
    ipparam: pppd.ipparam,
    options: pppd.options ?? null,
    speed: pppd.speed,
    pppd: pppd.path,
    logwtmp: pppd.logwtmp,
    relay: broadcastRelay?.interface ?? null,
  };
}

const imported = ({ text, args = [] }: table.File): ReturnType<typeof importPptpd> =>
  importPptpd({ name: 'f', text: typeof text === 'string' ? text : Buffer.from(text).toString() }, args, thisHost);

/** The converted configuration, checked by the schema as the server does it. */
function loaded(file: table.File): { readonly configuration: Configuration; readonly remarks: readonly string[] } {
  const result = imported(file);
  assert.ok(result.ok, `import refuses it: ${result.ok ? '' : result.faults.join('\n')}`);
  const checked = checkConfiguration(JSON.parse(JSON.stringify(result.input)));
  assert.ok(checked.ok, checked.ok ? '' : JSON.stringify(checked.problems));
  return { configuration: checked.configuration, remarks: result.remarks };
}

const asFile = (file: string | table.File): table.File => (typeof file === 'string' ? { text: file } : file);

describe('import does what pptpd does', { skip }, () => {
  let judge: Pptpd;
  before(async () => {
    judge = await Pptpd.open(`127.0.0.1 localhost\n${ADDRESS} vpn.example\n198.51.100.77 client.example\n`);
  });
  after(() => {
    judge.close();
    assert.deepEqual(namespaceProcesses(), [], 'processes that pptpd left behind');
  });

  /** What pptpd does with the file. `look` is called while pptpd runs. */
  async function used({ text, args = [] }: table.File, look?: (use: Use) => void): Promise<Compared> {
    const { use, words } = await judge.observe(text, args, look);
    assert.ok(use !== null, `pptpd does not start: ${words.join('\n')}`);
    const { pid: _, ...compared } = use;
    // With delegated addresses there are no pairs, and `most` says that there is no limit.
    return { ...compared, pairs: compared.pairs.filter((pair) => pair !== 'pppd') };
  }

  async function notStarted({ text, args = [] }: table.File): Promise<void> {
    const { use } = await judge.observe(text, args);
    assert.equal(use, null, 'pptpd starts');
  }

  for (const [name, row] of Object.entries(table.carriedOver)) {
    test(`carried over: ${name}`, async () => {
      const file = asFile(row);
      const { configuration } = loaded(file);
      const theirs = await used(file, ({ pid }) => {
        if (configuration.pidFile !== undefined) assert.equal(readFileSync(configuration.pidFile, 'utf8'), `${pid}\n`);
      });
      assert.deepEqual(useOf(configuration), theirs);
    });
  }

  for (const [name, { text, lent, because }] of Object.entries(table.carriedOverWithout)) {
    test(`carried over without some pairs: ${name}: ${because}`, async () => {
      const { configuration, remarks } = loaded({ text });
      const theirs = await used({ text });
      assert.notDeepEqual(theirs.pairs, lent);
      assert.deepEqual(useOf(configuration), { ...theirs, pairs: lent, most: lent.length });
      assert.notDeepEqual(remarks, []);
    });
  }

  for (const [name, row] of Object.entries(table.servesNobody)) {
    test(`refused, although pptpd starts with it: ${name}`, async () => {
      assert.ok(!imported(asFile(row)).ok);
      await used(asFile(row));
    });
  }

  for (const [name, file] of Object.entries(table.readAsMeant)) {
    test(`read as meant, with a remark: ${name}`, async () => {
      const { configuration, remarks } = loaded(file);
      assert.deepEqual(useOf(configuration).pairs, file.lent);
      assert.match(remarks.join('\n'), /pptpd (1\.4\.0 )?would not start/);
      await notStarted(file);
    });
  }

  for (const [name, row] of Object.entries(table.refused)) {
    test(`refused by both: ${name}`, async () => {
      assert.ok(!imported(asFile(row)).ok);
      await notStarted(asFile(row));
    });
  }
});
