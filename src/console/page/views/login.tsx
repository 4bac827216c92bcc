/** Login, with the warning about PPTP. */
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { errorOf } from '../../../sys/thrown.js';
import type { Api } from '../api.js';
import { Brand } from '../parts/brand.js';
import { textIn } from '../parts/form-text.js';
import { Problem } from '../parts/notice.js';

export function Login({ api, wasIn, onLogin }: { api: Api; wasIn: boolean; onLogin: () => Promise<void> }) {
  const [error, setError] = useState<Error | null>(null);
  const [isBusy, setBusy] = useState(false);
  const first = useRef<HTMLInputElement>(null);
  // The attribute autofocus works once in a document. Before the form is seen: what is typed at once must not be lost.
  useLayoutEffect(() => first.current?.focus(), []);
  const submit = async (form: HTMLFormElement): Promise<void> => {
    const fields = new FormData(form);
    setBusy(true);
    setError(null);
    try {
      await api.login(textIn(fields, 'name'), textIn(fields, 'password'));
      await onLogin();
    } catch (failure) {
      setBusy(false);
      setError(errorOf(failure));
      form.querySelector<HTMLInputElement>('[name=password]')?.select();
    }
  };
  return (
    <main class="login">
      <div class="login-box">
        <form
          class="card"
          onSubmit={(event) => {
            event.preventDefault();
            void submit(event.currentTarget);
          }}
        >
          <div class="login-head">
            <Brand />
            <h1>PPTP server</h1>
          </div>
          {wasIn && error === null ? (
            <p class="notice info" role="status">
              Your login has expired. Log in again.
            </p>
          ) : null}
          {error === null ? null : <Problem error={error} />}
          <label>
            Name
            <input
              name="name"
              autocomplete="username"
              autocapitalize="none"
              spellcheck={false}
              required
              ref={first}
              maxLength={64}
            />
          </label>
          <label>
            Password
            <input name="password" type="password" autocomplete="current-password" required maxLength={256} />
          </label>
          <button type="submit" class="button primary" disabled={isBusy}>
            {isBusy ? 'Logging in…' : 'Log in'}
          </button>
        </form>
        <section class="weakness" aria-labelledby="weakness">
          <h2 id="weakness">PPTP does not keep secrets</h2>
          <p>
            Whoever records a login can find the password’s hash with one search over 2⁵⁶ keys, which can be bought as a
            service, and then read the recorded traffic. Nothing protects packets from being changed.
          </p>
          <p>
            Use it for devices that support nothing better, or inside another encrypted tunnel. For everything else
            there are WireGuard and IPsec.
          </p>
        </section>
      </div>
    </main>
  );
}
