#!/bin/sh
# make lint: what tools can say about the sources without running them. Arguments: the flags that they are compiled with.
# Every tool runs, also after one has complained; the status is non-zero if any did.
set -u
cd "$(dirname "$0")/.." || exit 1
status=0

sources() { find libicp mod_icp icpadmin -name '*.c'; }

analyzer() { sources | xargs -P2 -I'{}' gcc "$@" -Werror -fanalyzer -c -o /dev/null '{}'; }
clang_warnings() { sources | xargs -P2 -I'{}' clang "$@" -Werror -Wno-unknown-warning-option -fsyntax-only '{}'; }
tidy() { sources | xargs -P2 -I'{}' clang-tidy --quiet --warnings-as-errors='*' '{}' -- "$@"; }
check_c() { cppcheck -j2 --quiet --error-exitcode=1 --inline-suppr --enable=warning,portability --suppressions-list=tools/cppcheck.supp -Ilibicp libicp mod_icp icpadmin; }
shell() { git ls-files '*.sh' .ci/run | xargs shellcheck; }
python() { git ls-files '*.py' | xargs pyflakes3; }
man_page() { mandoc -T lint -W warning docs/icpadmin.8; }

# run TOOL STEP ARGUMENTS...
run() {
    if ! command -v "$1" >/dev/null; then
        echo "lint: $1 is not installed, skipped"
        return
    fi
    printf 'lint: %s %s\n' "$1" "$2"
    shift
    "$@" || status=1
}

run gcc analyzer "$@"
run clang clang_warnings "$@"
run clang-tidy tidy "$@"
run cppcheck check_c
run shellcheck shell
run pyflakes3 python
run mandoc man_page
exit "$status"
