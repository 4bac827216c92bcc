/** The fields of a user's new password. Where the file keeps hashes, it keeps the password itself only on request. */
import { textIn } from './form-text.js';

interface PasswordFieldOptions {
  readonly label: string;
  /** The file keeps hashes. */
  readonly storesHash: boolean;
  /** The file has the password itself now. */
  readonly isStored: boolean;
}

export function PasswordField({ label, storesHash, isStored }: PasswordFieldOptions) {
  return (
    <>
      <label>
        {label}
        <input name="password" type="password" autocomplete="new-password" required maxLength={256} />
      </label>
      {storesHash ? (
        <label class="box long">
          <input name="storePassword" type="checkbox" defaultChecked={isStored} />
          <span>
            Store the password itself{' '}
            <small class="muted">only CHAP-MD5 needs it; whoever can read the file can then read the password</small>
          </span>
        </label>
      ) : null}
    </>
  );
}

/** What was written into the fields. */
export const passwordIn = (form: FormData): { readonly password: string; readonly storePassword: boolean } => ({
  password: textIn(form, 'password'),
  storePassword: form.has('storePassword'),
});
