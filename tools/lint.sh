#!/bin/sh
# make lint: what tools can say about the sources without running them. Arguments: the build folder, then the compiler's flags.
# Every tool runs, also after one has complained; the status is non-zero if any did. A tool that is not installed is skipped.
set -u
cd "$(dirname "$0")/.." || exit 1
build=$1
shift
status=0

has() {
    echo "lint: $1"
    command -v "$1" >/dev/null || { echo "lint: $1 is not installed, skipped"; false; }
}
# each COMMAND...: runs it for every source of the programs, "{}" being its name, two at a time.
each() { find libicp mod_icp icpadmin -name '*.c' -print0 | xargs -0 -P2 -I'{}' "$@"; }

# What gcc's analysis says of null pointers and leaks is off: it follows neither pools nor ICP_TRY.
if has gcc; then
    each gcc "$@" -Werror -fanalyzer -Wno-analyzer-null-dereference -Wno-analyzer-null-argument -Wno-analyzer-malloc-leak \
        -c -o /dev/null '{}' || status=1
fi
if has clang; then each clang "$@" -Werror -Wno-unknown-warning-option -Wno-unused-command-line-argument -fsyntax-only '{}' || status=1; fi
if has clang-tidy; then each clang-tidy --quiet '{}' -- "$@" -Wno-unknown-warning-option || status=1; fi
if has shellcheck; then git ls-files -z '*.sh' .ci/run | xargs -0 shellcheck || status=1; fi
if has pyflakes3; then git ls-files -z '*.py' | xargs -0 pyflakes3 || status=1; fi
if has mandoc; then mandoc -T lint -W error "$build/icpadmin.8" || status=1; fi
exit "$status"
