/** Adds a user, or changes what is known about one. Only the fields that the server's user file can keep are there. */
import { useApplication } from '../app.js';
import { bodyOf, type UserField, USER_FIELDS, valueOf } from '../model/user-form.js';
import type { ApiUser, UserChanged } from '../../api/schemas.js';
import { FormDialog } from './dialog.js';
import { textIn } from './form-text.js';
import { PasswordField, passwordIn } from './password-field.js';

interface UserFormOptions {
  /** Left out: a new one. */
  readonly user?: ApiUser;
  /** Fields that the user file can keep. */
  readonly keeps: readonly string[];
  /** The user file keeps hashes of passwords. */
  readonly storesHash: boolean;
  readonly onClose: () => void;
  readonly onDone: () => void;
  /** Opens another dialog of this user. */
  readonly onOther?: (deed: 'password' | 'disable' | 'enable' | 'remove') => void;
}

export function UserForm({ user, keeps, storesHash, onClose, onDone, onOther }: UserFormOptions) {
  const { api, say } = useApplication();
  const fields = USER_FIELDS.filter(({ keptAs }) => keeps.includes(keptAs));
  const submit = async (form: FormData): Promise<void> => {
    const text = (name: string): string => textIn(form, name);
    const changes = bodyOf(fields, text, user ?? null);
    if (user === undefined) {
      const { remarks } = await api.change<UserChanged>('POST', '/users', {
        name: text('name'),
        ...passwordIn(form),
        fields: changes,
      });
      say([`${text('name')} was added.`, ...remarks].join(' '));
    } else {
      const { remarks } = await api.change<UserChanged>('PATCH', `/users/${encodeURIComponent(user.name)}`, changes);
      say([`${user.name} was changed.`, ...remarks].join(' '));
    }
    onDone();
  };
  return (
    <FormDialog
      title={user === undefined ? 'Add a user' : <bdi>{user.name}</bdi>}
      action={user === undefined ? 'Add' : 'Save'}
      wide
      onClose={onClose}
      onSubmit={submit}
    >
      {user === undefined || onOther === undefined ? null : (
        <div class="others">
          <button type="button" class="button small" onClick={() => onOther('password')}>
            New password…
          </button>
          {user.hindrance === 'disabled' ? (
            <button type="button" class="button small" onClick={() => onOther('enable')}>
              Enable…
            </button>
          ) : (
            <button type="button" class="button small" onClick={() => onOther('disable')}>
              Disable…
            </button>
          )}
          <button type="button" class="button small danger" onClick={() => onOther('remove')}>
            Remove…
          </button>
        </div>
      )}
      {fields.length === 0 && user !== undefined ? (
        <p class="muted">
          <code>{user.file}</code> can keep only name and password.
        </p>
      ) : null}
      <div class="fields">
        {user === undefined ? (
          <>
            <label>
              Name
              <input name="name" autocomplete="off" autocapitalize="none" spellcheck={false} required maxLength={255} />
            </label>
            <PasswordField label="Password" storesHash={storesHash} isStored={false} />
          </>
        ) : null}
        {fields.map((field) => (
          <Field key={field.name} field={field} value={user === undefined ? '' : valueOf(field, user)} />
        ))}
      </div>
    </FormDialog>
  );
}

function Field({ field, value }: { field: UserField; value: string }) {
  return (
    <label class={field.isLong === true ? 'long' : ''}>
      <span>
        {field.label} {field.hint === undefined ? null : <small class="muted">{field.hint}</small>}
      </span>
      {field.isDay === true ? (
        <input name={field.name} defaultValue={value} type="date" />
      ) : field.choices === undefined ? (
        <input name={field.name} defaultValue={value} placeholder={field.empty} autocomplete="off" />
      ) : (
        <select name={field.name} defaultValue={value}>
          {field.choices.map(([choice, name]) => (
            <option key={choice} value={choice} selected={choice === value}>
              {name}
            </option>
          ))}
        </select>
      )}
    </label>
  );
}
