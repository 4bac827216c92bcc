# shellcheck shell=bash
# What setup, start and test have in common: headings, steps that show how far they are, and becoming root.
# Sourced, never run. A step's whole output is kept until it succeeds; only a failure prints it, because a
# hundred lines of apt hide the one that matters.

set -uo pipefail
export HOME=${HOME:-/root}
export PATH=${PATH:-/usr/local/bin:/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin

# Seconds between signs of life of a long step when nobody watches a terminal (CI logs).
readonly heartbeat=20
# Lines of a failed step's output that are shown; a script may want more.
failure_lines=40

heading() { printf '\n== %s\n' "$*"; }
note() { printf '   %s\n' "$*"; }
fail() {
  printf '%s\n' "${0##*/}: $*" >&2
  exit 1
}

# What sudo would take away of the environment. Node is often installed in a place that sudo's own PATH does not name.
kept_variables=(PATH CI)

# need_root "$@": continues as root, by sudo if there is one.
need_root() {
  local name settings=()
  ((EUID == 0)) && return
  command -v sudo > /dev/null || fail "needs root (Debian packages, network namespaces, pppd), and there is no sudo here: run it as root."
  for name in "${kept_variables[@]}"; do
    [[ -v $name ]] && settings+=("$name=${!name}")
  done
  exec sudo env "${settings[@]}" bash "scripts/${0##*/}" "$@"
}

# as_owner COMMAND...: runs it as the owner of the checkout, so that `sudo scripts/start` leaves no files of
# root's in a developer's tree. Files that belong to root or to nobody known stay root's business.
as_owner() {
  local owner home
  owner=$(stat -c %U .)
  if ((EUID != 0)) || [[ $owner == root || $owner == UNKNOWN ]]; then
    "$@"
  else
    home=$(getent passwd "$owner" | cut -d: -f6)
    setpriv --reuid "$owner" --regid "$(stat -c %g .)" --init-groups env "HOME=$home" "$@"
  fi
}

# step TITLE COMMAND...: runs the command without input and shows the time it has taken and its last line.
# Returns the command's exit code, after printing the end of its output when that is not 0.
step() {
  local title=$1 started=$SECONDS shown=$SECONDS lines=() line last='' output pid status
  shift
  [[ -t 1 ]] || printf '   %s ...\n' "$title"
  exec {output}< <("$@" < /dev/null 2>&1)
  pid=$!
  while true; do
    if IFS= read -r -t 1 -u "$output" line; then
      lines+=("$line")
      [[ -n $line ]] && last=${line##*$'\r'}
    elif (($? <= 128)); then
      break
    fi
    if [[ -t 1 ]]; then
      printf '\r\e[K   %s  %d s  %.*s' "$title" $((SECONDS - started)) $((${COLUMNS:-80} - ${#title} - 14)) "$last"
    elif ((SECONDS - shown >= heartbeat)); then
      shown=$SECONDS
      printf '   ... %s: %d s, %.100s\n' "$title" $((SECONDS - started)) "$last"
    fi
  done
  exec {output}<&-
  wait "$pid"
  status=$?
  [[ -t 1 ]] && printf '\r\e[K'
  if ((status == 0)); then
    printf '   %s: done in %d s\n' "$title" $((SECONDS - started))
  else
    printf '   %s: failed (exit code %d) after %d s. The end of its output:\n' "$title" "$status" $((SECONDS - started))
    printf '      %s\n' "${lines[@]:${#lines[@]} > failure_lines ? ${#lines[@]} - failure_lines : 0}"
  fi
  return "$status"
}
