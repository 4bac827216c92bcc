# shellcheck shell=bash
# Roots of Debian by debootstrap, kept as archives in ~/.cache/pptpd-ts for test/package and test/platforms. Sourced, not
# run. A caller defines skip, which says why a root cannot be made, and ends.

readonly cache=${XDG_CACHE_HOME:-$HOME/.cache}/pptpd-ts
# Seconds for a mirror that crawls.
readonly mirror_seconds=300

# debian_mirror CODENAME: where apt takes the release's packages from, otherwise those of this machine's own release.
debian_mirror() {
  local own
  own=$(. /etc/os-release && printf %s "${VERSION_CODENAME-}")
  apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 2> /dev/null |
    awk -v wanted="$1" -v own="$own" '
      $NF != "main" { next }
      $2 == wanted || $3 == wanted { print $1; found = 1; exit }
      ($2 == own || $3 == own) && other == "" { other = $1 }
      END { if (!found) print other }'
}

# debian_archive CODENAME PACKAGES: sets archive to the root of this release with these packages (comma-separated, besides
# those of Debian's bare minimum); makes it unless it is kept.
debian_archive() {
  local source tree status
  archive=$cache/$1-$(dpkg --print-architecture)-$(sha256sum <<< "$2" | cut -c 1-8).tar.gz
  [[ ! -e $archive ]] || return 0
  [[ -e /usr/share/debootstrap/scripts/$1 ]] || skip "debootstrap knows no release '$1'"
  source=$(debian_mirror "$1")
  [[ -n $source ]] || skip "apt has no source of $1's packages"
  mkdir -p "$cache" || skip "cannot make $cache"
  printf '      making a clean root of %s from %s ...\n' "$1" "$source"
  tree=$archive.d.$$
  timeout $mirror_seconds debootstrap --variant=minbase --include="$2" "$1" "$tree" "$source" > "$archive.log" 2>&1
  status=$?
  if ((status != 0)); then
    rm -rf "$tree"
    skip "debootstrap could not make a root of $1 from $source (exit code $status): $(tail -n 1 "$archive.log")"
  fi
  rm -rf "$tree"/var/cache/apt/archives/*.deb "$tree"/var/lib/apt/lists/*
  tar -C "$tree" -cz -f "$archive.part" . && mv "$archive.part" "$archive" || skip "cannot write $archive"
  rm -rf "$tree"
}
