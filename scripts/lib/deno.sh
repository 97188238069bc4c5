# shellcheck shell=sh
# Finds Deno, or fetches it once into a cache. To be sourced:  . "$root/scripts/lib/deno.sh"
#   sets DENO and DENO_TLS_CA_STORE (exported), ROCKETD_FLAGS, rocketd_cache
# The order: $DENO, `deno` on PATH, the cache, npm, pip. Beyond sh, one of deno, npm and pip is enough.

# What rocketd may do, from source and compiled alike. It may not run programs or load native code: --allow-run and
# --allow-ffi stay out. Flags for V8 (--v8-flags=…) would go here too.
# shellcheck disable=SC2034 # used by those who source this file
ROCKETD_FLAGS="--allow-net --allow-read --allow-write --allow-env --allow-sys --no-prompt"

deno_version=2.9.6
rocketd_cache=${ROCKETD_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/rocketd}

has() { command -v "$1" >/dev/null 2>&1; }

say() { echo "rocketd: $*" >&2; }

deno_is_recent() {
  "$1" --version 2>/dev/null |
    awk 'NR == 1 { split($2, v, "."); ok = v[1] > 2 || (v[1] == 2 && v[2] >= 6) } END { exit !ok }'
}

# pip_unpack DIR REQUIREMENT…: unpacks wheels, without their dependencies; their programs are then in DIR/bin.
pip_unpack() {
  if has pip; then pip=pip; elif has pip3; then pip=pip3; else pip='python3 -m pip'; fi
  dir=$1
  shift
  $pip install -qq --no-input --no-deps --no-compile --only-binary=:all: --target "$dir" "$@" >&2
}

has_pip() { has pip || has pip3 || python3 -m pip --version >/dev/null 2>&1; }

# Each fetch_with_… leaves the program at $tmp/deno.
fetch_with_npm() {
  case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) platform=linux-x64-glibc ;;
    Linux-aarch64 | Linux-arm64) platform=linux-arm64-glibc ;;
    Darwin-x86_64) platform=darwin-x64 ;;
    Darwin-arm64) platform=darwin-arm64 ;;
    *) return 1 ;;
  esac
  has npm && say "no Deno >= 2.6 here, fetching $deno_version with npm into $rocketd_cache" &&
    (cd "$tmp" && npm pack --loglevel=error --no-update-notifier "@deno/$platform@$deno_version" >/dev/null && tar xzf ./*.tgz) &&
    mv "$tmp/package/deno" "$tmp/deno"
}

fetch_with_pip() {
  has_pip && say "no Deno >= 2.6 here, fetching $deno_version with pip into $rocketd_cache" &&
    pip_unpack "$tmp/wheel" "deno==$deno_version" && mv "$tmp/wheel/bin/deno" "$tmp/deno"
}

# Several may fetch at once: each works in a folder of its own, and the last step is a rename.
fetch_deno() (
  mkdir -p "$rocketd_cache" && tmp=$(mktemp -d "$rocketd_cache/fetch.XXXXXX") || exit 1
  trap 'rm -rf "$tmp"' EXIT
  trap 'exit 1' HUP INT TERM
  fetch_with_npm || fetch_with_pip || exit 1
  chmod 755 "$tmp/deno" && deno_is_recent "$tmp/deno" && mv -f "$tmp/deno" "$1"
)

if [ -z "${DENO:-}" ]; then
  if has deno && deno_is_recent deno; then
    DENO=$(command -v deno)
  else
    DENO=$rocketd_cache/deno-$deno_version
    if [ ! -x "$DENO" ] && ! fetch_deno "$DENO"; then
      say "cannot get Deno: install Deno >= 2.6 (or npm, or pip, to fetch it), or set DENO to its path"
      exit 1
    fi
  fi
fi
# The system's certificates, as the other tools of the machine use them: needed behind an inspecting proxy.
DENO_TLS_CA_STORE=${DENO_TLS_CA_STORE:-system}
export DENO DENO_TLS_CA_STORE
