/** What the API answers. */
export type Role = 'view' | 'admin';
export interface Me {
  readonly name: string;
  readonly role: Role;
  readonly csrf: string | null;
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
export interface ManagerStatus {
  readonly version: string;
  readonly pid: number;
  readonly since: number;
  readonly runsAs: string;
  readonly engine: string;
  readonly listening: string;
  readonly workers: { readonly idle: number; readonly starting: number };
  readonly turnedAway: Readonly<Record<string, number>>;
  readonly blocked: number;
}
export interface Status {
  readonly host: string;
  readonly version: string;
  readonly console: { readonly since: number };
  readonly manager: { readonly answers: boolean; readonly why: string | null };
  readonly server: ManagerStatus | null;
  readonly sessions: { readonly total: number; readonly byPhase: Readonly<Record<string, number>> };
  readonly addresses: { readonly used: number; readonly total: number } | null;
  readonly traffic: { readonly rx: number; readonly tx: number; readonly rxBytes: number; readonly txBytes: number };
  readonly hasHistory: boolean;
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
  readonly sections: readonly {
    readonly title: string;
    readonly rows: readonly { readonly name: string; readonly value: string }[];
  }[];
  readonly counters: readonly { readonly name: string; readonly words: string | null; readonly value: number }[];
  readonly log: readonly { readonly time: string; readonly level: string; readonly text: string }[];
}
export interface Failure {
  readonly time: number;
  readonly session: string;
  readonly user: string | null;
  readonly client: string;
  readonly cause: string | null;
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
  readonly check: string;
  readonly level: string;
  readonly text: string;
  readonly remedy: string | null;
}
export interface ApiUser {
  readonly name: string;
  readonly file: string;
  readonly hindrance: 'disabled' | 'expired' | 'quota' | null;
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
  readonly routes: string[] | null;
  readonly note: string | null;
  readonly hasPassword: boolean;
  readonly live: string[];
}
export interface Users {
  readonly users: readonly ApiUser[];
  readonly keeps: readonly string[];
  readonly file: string;
}
export interface ApiProblem {
  readonly error: string;
  readonly remedy?: string | undefined;
}
export interface Ended {
  readonly ended: readonly string[];
  readonly failed: readonly { readonly id: string; readonly why: string }[];
}
export interface UserChanged {
  readonly remarks: readonly string[];
}
export interface Unreachable {
  readonly id: string;
  readonly why: string;
}
