/** What a view shows in place of data: that it is loading, that it failed and what to do, that there is nothing yet. */
import type { ComponentChildren } from 'preact';
import { ApiError } from '../api.js';
import type { Loaded } from '../app.js';
import { Icon, type IconName } from './icons.js';

export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <span class="empty-icon">
        <Icon name={icon} />
      </span>
      <p class="empty-title">{title}</p>
      {children === undefined ? null : <div class="empty-text">{children}</div>}
    </div>
  );
}

/** A first capital and a full stop: the server's sentences are parts of log lines. A program's name stays as it is. */
export const sentence = (text: string): string => {
  const whole = /^(?:pppd|pptpd|nft|tun)\b/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(whole) ? whole : `${whole}.`;
};

export function Remedy({ children }: { children: string }) {
  return (
    <p class="remedy">
      <strong>To do</strong> {children}
    </p>
  );
}

export function Problem({ error, again }: { error: Error; again?: () => void }) {
  const remedy = error instanceof ApiError ? error.remedy : null;
  return (
    <div class="notice bad" role="alert">
      <Icon name="warning" />
      <div>
        <p>{sentence(error.message)}</p>
        {remedy === null ? null : <Remedy>{remedy}</Remedy>}
        {again === undefined ? null : (
          <button type="button" class="button" onClick={again}>
            Try again
          </button>
        )}
      </div>
    </div>
  );
}

export function Notice({ kind, children }: { kind: 'warn' | 'info' | 'bad'; children: ComponentChildren }) {
  return (
    <div class={`notice ${kind}`}>
      <Icon name={kind === 'info' ? 'shield' : 'warning'} />
      <div>{children}</div>
    </div>
  );
}

export function Loading() {
  return (
    <p class="loading" role="status">
      Loading…
    </p>
  );
}

/** The value, or what is shown in its place. */
export function Shown<Value>({
  of,
  again,
  children,
}: {
  of: Loaded<Value>;
  again: () => void;
  children: (value: Value) => ComponentChildren;
}) {
  if (of.state === 'loading') return <Loading />;
  if (of.state === 'failed') return <Problem error={of.error} again={again} />;
  return <>{children(of.value)}</>;
}
