/** Reads the firewall rules of all programs. Needs root. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { PROGRAM_PATH } from '../host/program-path.js';
import { nft } from './nft.js';
import type { FirewallRules } from './other-firewalls.js';

/** The tables of iptables-legacy that are loaded; asking for one that is not would load it. */
const LEGACY_TABLES = '/proc/net/ip_tables_names';
const TIMEOUT_MS = 5000;

export async function readFirewallRules(): Promise<FirewallRules> {
  const listed = await nft(['--json', 'list', 'ruleset']);
  return { nft: listed.kind === 'done' ? parsed(listed.output) : null, legacy: readLegacy() };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // nft without JSON
  }
}

function readLegacy(): string | null {
  try {
    if (!readFileSync(LEGACY_TABLES, 'latin1').split('\n').includes('filter')) return null;
    const env = { ...process.env, PATH: PROGRAM_PATH };
    return execFileSync('iptables-legacy', ['-S'], {
      encoding: 'latin1',
      env,
      timeout: TIMEOUT_MS,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return null;
  }
}
