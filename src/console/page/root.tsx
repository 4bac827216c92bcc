/** Shows the login or the console, and holds what both share. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { errorOf } from '../../sys/thrown.js';
import { Api } from './api.js';
import { ApplicationContext, createLive, go } from './app.js';
import type { Me } from '../api/schemas.js';
import { safeReturn } from './model/routes.js';
import { Problem } from './parts/notice.js';
import { Shell } from './shell.js';
import { applyTheme, chosenTheme, keepTheme, onSystemTheme, type Theme, ThemeContext } from './theme.js';
import { Login } from './views/login.js';

type Who =
  | { readonly state: 'unknown' }
  | { readonly state: 'failed'; readonly error: Error }
  /** `wasIn`: the login has expired. */
  | { readonly state: 'out'; readonly wasIn: boolean }
  | { readonly state: 'in'; readonly me: Me };

export function Root() {
  const api = useMemo(() => new Api(), []);
  const { live, stream } = useMemo(() => createLive(api), [api]);
  const [who, setWho] = useState<Who>({ state: 'unknown' });
  const [said, setSaid] = useState('');
  const [theme, setTheme] = useState<Theme>(chosenTheme());

  const ask = async (): Promise<void> => {
    try {
      const me = await api.me();
      if (me === null) setWho({ state: 'out', wasIn: false });
      else enter(me);
    } catch (error) {
      setWho({ state: 'failed', error: errorOf(error) });
    }
  };
  const enter = (me: Me): void => {
    stream.open();
    setWho({ state: 'in', me });
    if (location.pathname === '/login') go(safeReturn(new URLSearchParams(location.search).get('to')));
  };
  const leave = (wasIn: boolean): void => {
    stream.close();
    setWho({ state: 'out', wasIn });
    if (location.pathname === '/login') return;
    history.replaceState(null, '', `/login?to=${encodeURIComponent(location.pathname)}`);
  };

  useEffect(() => {
    api.onLoggedOut = () => leave(true);
    onSystemTheme(setTheme);
    void ask();
  }, []);
  useEffect(() => {
    if (who.state === 'out') leave(who.wasIn);
  }, [who.state]);
  useEffect(() => applyTheme(theme), [theme]);
  // Shown for some seconds only; the element stays, so that screen readers announce the next sentence.
  useEffect(() => {
    const timer = setTimeout(() => setSaid(''), 6000);
    return () => clearTimeout(timer);
  }, [said]);

  const toggle = (): void => {
    const next = theme === 'dark' ? 'light' : 'dark';
    keepTheme(next);
    // At once: a chart reads the colours when it is drawn anew.
    applyTheme(next);
    setTheme(next);
  };
  const logOut = async (): Promise<void> => {
    await api.logout();
    leave(false);
  };

  return (
    <ThemeContext.Provider value={{ theme, toggle }}>
      {who.state === 'failed' ? (
        <main class="alone">
          <Problem error={who.error} again={() => void ask()} />
        </main>
      ) : null}
      {who.state === 'out' ? <Login api={api} wasIn={who.wasIn} onLogin={ask} /> : null}
      {who.state === 'in' ? (
        <ApplicationContext.Provider value={{ api, live, me: who.me, logOut, say: setSaid }}>
          <Shell />
        </ApplicationContext.Provider>
      ) : null}
      <div class="said" role="status" aria-live="polite">
        {said === '' ? null : <p>{said}</p>}
      </div>
    </ThemeContext.Provider>
  );
}
