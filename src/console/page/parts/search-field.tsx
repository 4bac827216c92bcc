/** A field to search with. */
import type { RefObject } from 'preact';
import { Icon } from './icons.js';

interface SearchFieldProps {
  /** For screen readers. */
  readonly label: string;
  readonly placeholder: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly field?: RefObject<HTMLInputElement | null>;
  /** The key that leads to it. */
  readonly shortcut?: string;
}

export const SearchField = ({ label, placeholder, value, onChange, field, shortcut }: SearchFieldProps) => (
  <label class="search">
    <span class="hidden">{label}</span>
    <Icon name="search" />
    <input
      ref={field ?? null}
      type="search"
      placeholder={placeholder}
      value={value}
      aria-keyshortcuts={shortcut}
      onInput={({ currentTarget }) => onChange(currentTarget.value)}
    />
  </label>
);
