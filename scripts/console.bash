# shellcheck shell=bash
# Functions for setup, start and test: headings, steps with progress, becoming root, headers for native addons. Sourced, not run.
# The output of a step is printed only if the step fails, because a hundred lines of apt hide the one that matters.

set -uo pipefail
export HOME=${HOME:-/root}
export PATH=${PATH:-/usr/local/bin:/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin

# Seconds between progress lines of a long step without a terminal (CI logs).
readonly heartbeat=20
# Lines of a failed step's output that are shown; a script may change it.
failure_lines=40

heading() { printf '\n== %s\n' "$*"; }
note() { printf '   %s\n' "$*"; }
fail() {
  printf '%s\n' "${0##*/}: $*" >&2
  exit 1
}

# Variables to keep through sudo. Node.js is often installed in a folder that is not in sudo's PATH, and the network may be
# reached by a proxy with certificates of its own.
kept_variables=(PATH CI http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY NODE_EXTRA_CA_CERTS "${!npm_config_@}")

# need_root "$@": runs the script again as root, by sudo, unless it is root.
need_root() {
  local name settings=()
  ((EUID == 0)) && return
  command -v sudo > /dev/null || fail "needs root (Debian packages, network namespaces, pppd), and there is no sudo here; remedy: run it as root"
  for name in "${kept_variables[@]}"; do
    [[ -v $name ]] && settings+=("$name=${!name}")
  done
  exec sudo env "${settings[@]}" bash "scripts/${0##*/}" "$@"
}

# need_readable "$@": as root, runs the script again where the user that the server becomes can read the checkout. Debian closes
# home folders to others. Only this script and its children see it there.
need_readable() {
  [[ $PWD != /mnt ]] || return 0
  ! setpriv --reuid=61723 --regid=61723 --clear-groups test -r "$PWD/bin/pptpd-ts" || return 0
  note "other users cannot read $PWD: this script and the server see it as /mnt"
  exec unshare --mount bash -c 'mount --bind . /mnt && cd /mnt && exec bash "$@"' bash "scripts/${0##*/}" "$@"
}

# as_owner COMMAND...: runs it as the owner of the checkout, so that `sudo scripts/start` leaves no files that belong to
# root in a developer's tree. If the owner is root or unknown, it runs as root.
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

# step TITLE COMMAND...: runs the command without input, and shows the elapsed time and its last line of output.
# Returns the command's exit code. If that is not 0, the end of the output is printed.
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

# use_own_headers: has node-gyp take the headers of this Node.js if it has them, instead of downloading them.
use_own_headers() {
  local prefix
  prefix=$(node -p "require('node:path').dirname(require('node:path').dirname(process.execPath))")
  [[ ! -e $prefix/include/node/node.h ]] || export npm_config_nodedir=$prefix
}
