/** The mark: a tunnel. */
export function Brand() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" />
      <path d="M7 21V16a9 9 0 0 1 18 0v5M12 21v-5a4 4 0 0 1 8 0v5" />
    </svg>
  );
}
