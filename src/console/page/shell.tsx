/** Frame of the console: navigation, who is logged in, and the view of the current address. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { go, useApplication, useLive } from './app.js';
import { type Route, routeOf } from './model/routes.js';
import { Brand } from './parts/brand.js';
import { Icon, type IconName } from './parts/icons.js';
import { sentence } from './parts/notice.js';
import { useTheme } from './theme.js';
import { Failures } from './views/failures.js';
import { History } from './views/history.js';
import { Overview } from './views/overview.js';
import { Server } from './views/server.js';
import { Session } from './views/session.js';
import { Sessions } from './views/sessions.js';
import { Unknown } from './views/unknown.js';
import { Users } from './views/users.js';

const PLACES = [
  { path: '/', view: 'overview', name: 'Overview' },
  { path: '/sessions', view: 'sessions', name: 'Sessions' },
  { path: '/failures', view: 'failures', name: 'Failures' },
  { path: '/users', view: 'users', name: 'Users' },
  { path: '/history', view: 'history', name: 'History' },
  { path: '/server', view: 'server', name: 'Server' },
] as const satisfies readonly { path: string; view: IconName & Route['view']; name: string }[];

/** Follows links inside the page without loading it again. */
function followLink(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
    return;
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  if (link === null || link.origin !== location.origin || link.hasAttribute('download') || link.target !== '') return;
  if (routeOf(link.pathname).view === 'unknown') return;
  event.preventDefault();
  go(link.pathname + link.search);
}

function useRoute(): Route {
  const [path, setPath] = useState(location.pathname);
  useEffect(() => {
    const follow = (): void => setPath(location.pathname);
    addEventListener('popstate', follow);
    return () => removeEventListener('popstate', follow);
  }, []);
  return routeOf(path);
}

function View({ route }: { route: Route }) {
  switch (route.view) {
    case 'overview':
    case 'login':
      return <Overview />;
    case 'sessions':
      return <Sessions />;
    case 'session':
      return <Session key={route.id} id={route.id} />;
    case 'failures':
      return <Failures />;
    case 'users':
      return <Users />;
    case 'history':
      return <History />;
    case 'server':
      return <Server />;
    case 'unknown':
      return <Unknown />;
  }
}

export function Shell() {
  const route = useRoute();
  const { me, logOut } = useApplication();
  const { theme, toggle } = useTheme();
  const live = useLive();
  const main = useRef<HTMLElement>(null);
  const current = route.view === 'session' ? 'sessions' : route.view;
  const place = route.view === 'session' ? `/sessions/${route.id}` : route.view;
  const isFirst = useRef(true);

  useEffect(() => {
    const name = PLACES.find(({ view }) => view === current)?.name ?? 'Not found';
    document.title = `${name} · ${live.status?.host ?? 'pptpd-ts'}`;
  }, [current, live.status?.host]);
  // A new view begins at its top, for the eyes and for the focus.
  useEffect(() => {
    if (isFirst.current) isFirst.current = false;
    else {
      scrollTo(0, 0);
      main.current?.focus({ preventScroll: true });
    }
  }, [place]);

  return (
    <div class="shell" onClick={followLink}>
      <a class="skip" href="#main" onClick={(event) => (event.preventDefault(), main.current?.focus())}>
        Skip to the content
      </a>
      <header class="side">
        <a class="brand" href="/">
          <Brand />
          <span>
            <b>{live.status?.host ?? 'pptpd-ts'}</b>
            <small>PPTP server</small>
          </span>
        </a>
        <nav aria-label="Views">
          <ul>
            {PLACES.map(({ path, view, name }) => (
              <li key={view}>
                <a href={path} aria-current={current === view ? 'page' : undefined}>
                  <Icon name={view} />
                  <span>{name}</span>
                  {view === 'sessions' && live.rows.size > 0 ? (
                    <span class="badge" aria-label={`${live.rows.size} live`}>
                      {live.rows.size}
                    </span>
                  ) : null}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <div class="who">
          <p>
            <b>{me.name}</b>
            <small>{me.role === 'admin' ? 'administrator' : 'read-only'}</small>
          </p>
          <button
            type="button"
            class="icon-button"
            onClick={toggle}
            aria-label={theme === 'dark' ? 'Light colours' : 'Dark colours'}
          >
            <Icon name="theme" />
          </button>
          <button type="button" class="icon-button" onClick={() => void logOut()} aria-label="Log out">
            <Icon name="logout" />
          </button>
        </div>
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        <State />
        <View route={route} />
      </main>
    </div>
  );
}

/** What is wrong with the whole console, above every view. */
function State() {
  const { connection, status } = useLive();
  if (connection === 'lost') {
    return (
      <div class="notice bad" role="alert">
        <Icon name="warning" />
        <p>The console does not answer. This page shows old data, and keeps trying to reach it.</p>
      </div>
    );
  }
  if (status !== null && !status.manager.answers) {
    return (
      <div class="notice warn" role="alert">
        <Icon name="warning" />
        <div>
          <p>
            <b>The server’s manager does not answer.</b> Sessions continue, but no new client can connect.
          </p>
          {status.manager.why === null ? null : <p class="muted">{sentence(status.manager.why)}</p>}
          <p class="remedy">
            <strong>To do</strong> If it does not answer again soon, look at its log: journalctl -u pptpd-ts.
          </p>
        </div>
      </div>
    );
  }
  return null;
}
