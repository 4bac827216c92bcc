/** Small pieces that several views share. */
import type { ComponentChildren } from 'preact';
import { inWords } from '../model/format.js';

/** A dash for eyes, `none` for screen readers. */
export function None({ says = 'none' }: { says?: string }) {
  return (
    <span class="muted nothing">
      <span aria-hidden="true">–</span>
      <span class="hidden">{says}</span>
    </span>
  );
}

export const orNone = (text: string | null | undefined, says?: string): ComponentChildren =>
  text === null || text === undefined || text === '' ? <None {...(says === undefined ? {} : { says })} /> : text;

/** Before the login a session has no name. */
export const nameOf = (user: string | null): string => (user === null || user === '' ? 'no name yet' : user);

/** The user of a session. `bdi`: characters of the name that change the direction of writing do not affect the text after it. */
export function Name({ of }: { of: string | null }) {
  return <bdi>{nameOf(of)}</bdi>;
}

const PHASE_KINDS: Readonly<Record<string, string>> = { up: 'ok', ending: 'bad' };

export function Phase({ phase }: { phase: string }) {
  return <span class={`pill ${PHASE_KINDS[phase] ?? 'warn'}`}>{inWords(phase)}</span>;
}

export function Facts({ of }: { of: readonly (readonly [string, ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {of.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A bar for a share, 0 to 1. What it shows is also written beside it. */
export function Meter({ share }: { share: number }) {
  const percent = Math.max(0, Math.min(1, Number.isFinite(share) ? share : 0)) * 100;
  const kind = percent >= 95 ? 'bad' : percent >= 80 ? 'warn' : '';
  return (
    <span class={`meter ${kind}`} aria-hidden="true">
      <span style={{ width: `${percent}%` }} />
    </span>
  );
}

const PATHS = { pppd: 'pppd', tun: 'TUN', kernel: 'kernel' } as const;
export const pathOf = (link: keyof typeof PATHS | null): string | null => (link === null ? null : PATHS[link]);
