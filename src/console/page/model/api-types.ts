/** What the API answers. */
export type Role = 'view' | 'admin';
export interface Me {
  readonly name: string;
  readonly role: Role;
  readonly csrf: string;
}
export interface SessionRow {
  readonly id: string;
  readonly user: string | null;
  readonly client: string;
  readonly address: string | null;
  readonly phase: string;
  readonly since: number;
  readonly interface: string | null;
  readonly encryption: string | null;
  readonly link: 'pppd' | 'tun' | 'kernel' | null;
  readonly rxRate: number | null;
  readonly txRate: number | null;
  readonly rxBytes: number;
  readonly txBytes: number;
  readonly warning: string | null;
  readonly loginFailure: string | null;
}
export interface Status {
  readonly version: string | null;
  readonly pid: number | null;
  readonly since: number | null;
  readonly runsAs: string | null;
  readonly engine: string | null;
  readonly listening: string | null;
  readonly sessions: Readonly<Record<string, number>>;
  readonly workers: { readonly idle: number; readonly starting: number } | null;
  readonly turnedAway: Readonly<Record<string, number>>;
  readonly blocked: number;
  readonly manager: { readonly answers: boolean; readonly why?: string | undefined };
  readonly host: string;
  readonly console: { readonly since: number };
  readonly addresses: { readonly used: number; readonly total: number } | null;
}
export interface TrafficPoint {
  readonly time: number;
  readonly rx: number;
  readonly tx: number;
  readonly sessions: number;
}
export interface Happening {
  readonly time: number;
  readonly event: string;
  readonly session: string;
  readonly user: string | null;
  readonly client: string;
  readonly address: string | null;
  readonly detail: string | null;
  readonly cause?: string | null | undefined;
}
export interface SessionDetail {
  readonly row: SessionRow;
  readonly state: {
    readonly session: string;
    readonly version: string;
    readonly since: number;
    readonly pid: number;
    readonly pppdPid: number | null;
    readonly callId: number;
    readonly localAddress: string;
    readonly peer: { readonly address: string; readonly port: number };
    readonly tunnel: { readonly local: string | null; readonly remote: string | null };
    readonly ending: { readonly reason: string; readonly detail: string | null; readonly text: string | null } | null;
    readonly log: { readonly level: string; readonly file: string | null } | null;
  };
  readonly negotiation: readonly { readonly name: string; readonly value: string }[];
  readonly counters: readonly { readonly name: string; readonly words: string; readonly value: string | number }[];
  readonly limits: string | null;
  readonly log: readonly string[];
}
export interface Failure {
  readonly time: number;
  readonly session: string;
  readonly user: string | null;
  readonly client: string;
  readonly cause: string;
  readonly text: string;
  readonly remedy: string | null;
}
export interface Failures {
  readonly failures: readonly Failure[];
  readonly byCause: Readonly<Record<string, number>>;
}
export interface AccountRecord {
  readonly session: string;
  readonly user: string | null;
  readonly client: string;
  readonly tunnel: { readonly remote: string | null };
  readonly start: string;
  readonly end: string;
  readonly seconds: number;
  readonly rxBytes: number;
  readonly txBytes: number;
  readonly encryption: string | null;
  readonly reason: string | null;
  readonly detail: string | null;
  readonly cause: string | null;
}
export interface History {
  readonly sessions: readonly AccountRecord[];
  readonly next: string | null;
}
export interface Block {
  readonly address: string;
  readonly failedLogins: number;
  readonly remaining: number;
}
export interface Finding {
  readonly level: string;
  readonly text: string;
  readonly remedy: string | null;
}
export interface User {
  readonly name: string;
  readonly file: string;
  readonly hindrance: string | null;
  readonly address: string | null;
  readonly expires: string | null;
  readonly expiresAfter: number | null;
  readonly firstLogin: string | null;
  readonly sessions: number | null;
  readonly sessionTime: number | null;
  readonly idleTime: number | null;
  readonly speed: { readonly up?: number | undefined; readonly down?: number | undefined } | null;
  readonly quota: {
    readonly octets: number;
    readonly per: 'day' | 'month' | 'total';
    readonly used: number;
    readonly left: number;
    readonly beginsAnew: string | null;
  } | null;
  readonly routes: readonly string[] | null;
  readonly note: string | null;
}
export interface Users {
  readonly users: readonly User[];
  readonly keeps: readonly string[];
  readonly file: string;
}
export interface ApiProblem {
  readonly error: string;
  readonly remedy?: string | undefined;
}
