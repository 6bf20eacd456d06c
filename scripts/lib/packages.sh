# shellcheck shell=bash
# Installs the commands that a script needs where apt-get can, and otherwise prints what is missing. Sourced.

# need PACKAGES COMMAND...: installs the Debian packages when one of the commands is missing.
need() {
  local packages=$1 command missing=() root=()
  shift
  for command in "$@"; do
    command -v "$command" >/dev/null 2>&1 || missing+=("$command")
  done
  [ "${#missing[@]}" -gt 0 ] || return 0
  if ! command -v apt-get >/dev/null 2>&1; then
    echo "Missing: ${missing[*]}. Install the equivalent of these Debian packages, then run this again: $packages" >&2
    return 1
  fi
  echo "Installing $packages ..." >&2
  [ "$(id -u)" -eq 0 ] || root=(sudo)
  ${root[@]+"${root[@]}"} apt-get update -q >&2
  # shellcheck disable=SC2086 # several packages are several words
  ${root[@]+"${root[@]}"} env DEBIAN_FRONTEND=noninteractive \
    apt-get install -q -y --no-install-recommends $packages >&2
}
