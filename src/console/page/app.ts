/** What every part of the page uses: the API, the live state, who is logged in, where we are. */
import { createContext } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import { errorOf } from '../../sys/thrown.js';
import { Api } from './api.js';
import { LiveStream } from './live.js';
import type { Me } from '../api/schemas.js';
import { LiveState } from './model/live-state.js';

export interface Application {
  readonly api: Api;
  readonly live: LiveState;
  readonly me: Me;
  readonly logOut: () => Promise<void>;
  /** A sentence about what was just done, for eyes and screen readers. */
  readonly say: (sentence: string) => void;
}

export const ApplicationContext = createContext<Application | null>(null);

export function useApplication(): Application {
  const application = useContext(ApplicationContext);
  if (application === null) throw new Error('no application');
  return application;
}

export const createLive = (api: Api): { live: LiveState; stream: LiveStream } => {
  const live = new LiveState((callback, milliseconds) => void setTimeout(callback, milliseconds));
  return { live, stream: new LiveStream(api, live) };
};

/** The live state; the component is rendered again with each notification. */
export function useLive(): LiveState {
  const { live } = useApplication();
  const [, setVersion] = useState(live.version);
  useEffect(() => live.subscribe(() => setVersion(live.version)), [live]);
  return live;
}

/** Milliseconds since the epoch, renewed every `seconds`. */
export function useNow(seconds = 1): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), seconds * 1000);
    return () => clearInterval(timer);
  }, [seconds]);
  return now;
}

export type Loaded<Value> =
  | { readonly state: 'loading' }
  | { readonly state: 'failed'; readonly error: Error }
  | { readonly state: 'loaded'; readonly value: Value };

/**
 * The result of `load`, which is called again when one of `inputs` changes and when `reload` is called. While it is loaded
 * again the last value stays.
 */
export function useLoaded<Value>(
  load: (signal: AbortSignal) => Promise<Value>,
  inputs: readonly unknown[],
): readonly [Loaded<Value>, () => void] {
  const [loaded, setLoaded] = useState<Loaded<Value>>({ state: 'loading' });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    load(abort.signal).then(
      (value) => abort.signal.aborted || setLoaded({ state: 'loaded', value }),
      (error: unknown) => abort.signal.aborted || setLoaded({ state: 'failed', error: errorOf(error) }),
    );
    return () => abort.abort();
  }, [...inputs, turn]);
  return [loaded, () => setTurn((last) => last + 1)];
}

/** The text, once no key was pressed for a moment. */
export function useSettled(text: string, milliseconds = 250): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), milliseconds);
    return () => clearTimeout(timer);
  }, [text, milliseconds]);
  return settled;
}

export function go(path: string): void {
  history.pushState(null, '', path);
  dispatchEvent(new PopStateEvent('popstate'));
}
