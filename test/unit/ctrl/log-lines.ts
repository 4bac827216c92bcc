/** A log that keeps its lines in memory. */
import { pino } from 'pino';
import type { Logger } from '../../../src/log/logger.js';

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [key: string]: unknown;
}

export class LogLines {
  readonly all: LogLine[] = [];
  readonly log: Logger;

  constructor(level = 'trace') {
    const formatters = { level: (label: string) => ({ level: label }) };
    this.log = pino({ level, base: null, formatters }, { write: (line: string) => this.#add(line) });
  }

  #add(line: string): void {
    const parsed: LogLine = JSON.parse(line);
    this.all.push(parsed);
  }

  /** The messages at this level. */
  at(level: string): string[] {
    return this.all.filter((line) => line.level === level).map(({ msg }) => msg);
  }
}
