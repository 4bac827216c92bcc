/** Modal dialogs. The browser's own <dialog> keeps the focus inside, closes by Escape and gives the focus back. */
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { errorOf } from '../../../sys/thrown.js';
import { Problem } from './notice.js';

interface DialogOptions {
  readonly title: ComponentChildren;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
  readonly wide?: boolean;
}

export function Dialog({ title, onClose, children, wide = false }: DialogOptions) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby={heading} class={wide ? 'wide' : ''} onClose={onClose}>
      <h2 id={heading}>{title}</h2>
      {children}
    </dialog>
  );
}

interface FormDialogOptions extends DialogOptions {
  /** The button's text: the action, not `OK`. */
  readonly action: string;
  readonly isDangerous?: boolean;
  /** Rejects with what is then shown in the dialog. */
  readonly onSubmit: (form: FormData) => Promise<void>;
}

/** A form or a question. Closes when `onSubmit` has succeeded. */
export function FormDialog({ action, isDangerous = false, onSubmit, children, ...dialog }: FormDialogOptions) {
  const [error, setError] = useState<Error | null>(null);
  const [isBusy, setBusy] = useState(false);
  const submit = async (form: HTMLFormElement): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      await onSubmit(new FormData(form));
      dialog.onClose();
    } catch (failure) {
      setBusy(false);
      setError(errorOf(failure));
    }
  };
  return (
    <Dialog {...dialog}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void submit(event.currentTarget);
        }}
      >
        {children}
        {error === null ? null : <Problem error={error} />}
        <div class="dialog-actions">
          <button type="button" class="button" onClick={dialog.onClose}>
            Cancel
          </button>
          <button type="submit" class={`button ${isDangerous ? 'danger' : 'primary'}`} disabled={isBusy}>
            {action}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
