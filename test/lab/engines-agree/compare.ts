/**
 * Prints what both engines have agreed with each client, side by side; fails unless they differ exactly where `cases` says so.
 *
 *   node compare.js CASES FOLDER BATCH_SIZE
 *
 * FOLDER has the sessions and the log of each batch: ENGINE.GROUP.FIRST.json and .log. The clients of a batch are 192.0.2.11, .12, ...
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LogLine, type Outcome, outcomeOf, type Session } from './agreement.js';

/** A line below a case: how pppd and the builtin engine differ, as JSON, and why. */
const DIFFERENCE = /^ +differs (?<field>\S+): (?<pppd>\S+) \| (?<builtin>\S+) \| .+/;
/** Columns of a case's title. */
const TITLE = { from: 12, to: 52 } as const;

interface Case {
  readonly group: string;
  readonly title: string;
  /** Its number within the group, from 0. */
  readonly index: number;
  /** `FIELD: PPPD | BUILTIN` */
  readonly differences: string[];
}

function readCases(path: string): readonly Case[] {
  const cases: Case[] = [];
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (line.startsWith('#') || line === '') continue;
    const { field, pppd, builtin } = DIFFERENCE.exec(line)?.groups ?? {};
    if (field !== undefined) cases.at(-1)?.differences.push(`${field}: ${pppd} | ${builtin}`);
    else if (line.startsWith(' ')) throw new Error(`not a difference: ${line}`);
    else {
      const group = line.slice(0, TITLE.from).trim();
      const index = cases.filter((each) => each.group === group).length;
      cases.push({ group, title: line.slice(TITLE.from, TITLE.to).trim(), index, differences: [] });
    }
  }
  return cases;
}

const [casesFile = '', folder = '', size = ''] = process.argv.slice(2);

function outcome(engine: string, { group, index }: Case): Outcome {
  const first = index - (index % Number(size));
  const batch = join(folder, `${engine}.${group}.${first}`);
  const { sessions } = JSON.parse(readFileSync(`${batch}.json`, 'utf8')) as { readonly sessions: readonly Session[] };
  const log = readFileSync(`${batch}.log`, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as LogLine);
  return outcomeOf(`192.0.2.${11 + index - first}`, sessions, log);
}

const counts = { same: 0, asListed: 0, wrong: 0 };
const shown = (value: unknown): string => JSON.stringify(value) ?? '-';

for (const each of readCases(casesFile)) {
  const { group, title, differences: listed } = each;
  const [pppd, builtin] = [outcome('pppd', each), outcome('builtin', each)];
  const rows = [...new Set([...Object.keys(pppd), ...Object.keys(builtin)])].map(
    (field) => [field, shown(pppd[field]), shown(builtin[field])] as const,
  );
  const isSettled = 'failed' in pppd === 'failed' in builtin;
  const seen = rows
    .filter(([field, one, other]) => one !== other && (isSettled || field === 'failed'))
    .map(([field, one, other]) => `${field}: ${one} | ${other}`);
  const isAsListed = seen.toSorted().join('\n') === listed.toSorted().join('\n');
  counts[!isAsListed ? 'wrong' : seen.length === 0 ? 'same' : 'asListed'] += 1;
  if (!isAsListed)
    console.log(`NOT AS LISTED: ${group}: ${title}\n  listed: ${listed.join('; ')}\n  seen:   ${seen.join('; ')}`);
  console.log(`${group}: ${title}`);
  for (const [field, one, other] of rows)
    console.log(`  ${one === other ? ' ' : '!'} ${field.padEnd(36)} ${one.padEnd(26)} ${other}`);
}
console.log(`${counts.same} the same, ${counts.asListed} different as listed, ${counts.wrong} otherwise`);
if (counts.wrong > 0) process.exitCode = 1;
