/** The server's configuration: checks its file or a text, and applies the file. */
import { useState } from 'preact/hooks';
import { errorOf } from '../../../sys/thrown.js';
import { useApplication } from '../app.js';
import type { Problems } from '../../api/schemas.js';
import { textIn } from './form-text.js';
import { Icon } from './icons.js';
import { Notice, Problem, sentence } from './notice.js';

type Deed = 'reload' | 'check' | 'text';
type Outcome =
  | { readonly state: 'none' }
  | { readonly state: 'failed'; readonly error: Error }
  | { readonly state: 'done'; readonly deed: Deed; readonly problems: readonly string[] };

/** What is said if there are no problems, and before those that there are. */
const WORDS: Readonly<Record<Deed, { readonly right: string; readonly wrong: string }>> = {
  reload: { right: 'The new configuration is in force.', wrong: 'Nothing was changed:' },
  check: { right: 'The configuration has no error.', wrong: 'The file has errors:' },
  text: { right: 'The text has no error.', wrong: 'The text has errors:' },
};

export function Configuration() {
  const { api, me } = useApplication();
  const [outcome, setOutcome] = useState<Outcome>({ state: 'none' });
  const run = async (deed: Deed, body: { readonly text?: string } = {}): Promise<void> => {
    try {
      const { problems } = await api.change<Problems>('POST', deed === 'reload' ? '/reload' : '/check', body);
      setOutcome({ state: 'done', deed, problems });
    } catch (error) {
      setOutcome({ state: 'failed', error: errorOf(error) });
    }
  };
  return (
    <section class="card" aria-labelledby="configuration">
      <div class="card-head">
        <h2 id="configuration">Configuration</h2>
        {me.role === 'admin' ? (
          <span class="tools">
            <button type="button" class="button" onClick={() => void run('check')}>
              Check the file
            </button>
            <button type="button" class="button" onClick={() => void run('reload')}>
              Reload
            </button>
          </span>
        ) : null}
      </div>
      <p class="muted">
        {me.role === 'admin'
          ? 'Reload applies the configuration file to new clients; sessions continue. If the file has an error, nothing changes.'
          : 'Only administrators may check and reload the configuration.'}
      </p>
      {me.role === 'admin' ? <TextCheck onCheck={(text) => void run('text', { text })} /> : null}
      <div aria-live="polite">
        <Result of={outcome} />
      </div>
      <p class="muted">
        Programs can use the same API as this page:{' '}
        <a href="/api/v1/openapi.json" download="openapi.json">
          description in OpenAPI
        </a>
        .
      </p>
    </section>
  );
}

function TextCheck({ onCheck }: { onCheck: (text: string) => void }) {
  return (
    <details>
      <summary>Check another text</summary>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          onCheck(textIn(new FormData(event.currentTarget), 'text'));
        }}
      >
        <label>
          Text of a configuration <small class="muted">it is only checked; the file stays as it is</small>
          <textarea name="text" rows={8} required autocomplete="off" spellcheck={false} />
        </label>
        <button type="submit" class="button">
          Check the text
        </button>
      </form>
    </details>
  );
}

function Result({ of }: { of: Outcome }) {
  if (of.state === 'none') return null;
  if (of.state === 'failed') return <Problem error={of.error} />;
  const { right, wrong } = WORDS[of.deed];
  if (of.problems.length === 0) {
    return (
      <p class="done">
        <Icon name="ok" /> {right}
      </p>
    );
  }
  return (
    <Notice kind="bad">
      <p>{wrong}</p>
      <ul>
        {of.problems.map((problem) => (
          <li key={problem}>{sentence(problem)}</li>
        ))}
      </ul>
    </Notice>
  );
}
