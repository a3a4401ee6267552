#!/bin/sh
# Installs what this machine lacks to build hardcase, and says one line for each thing.
#
#   scripts/deps.sh            compilers, cmake, clang with libclang, Rust
#   scripts/deps.sh --checks   these, and rustfmt and clippy; cargo-nextest, strace and bindfs where they can be had
#   scripts/deps.sh --proof    these, and cargo-deny
#   scripts/deps.sh --env      installs nothing; prints the NAME=VALUE words that cargo needs here, if any
#
# With nothing missing it runs no package manager. It asks for a password only where one is needed to install
# something and somebody sits at a terminal; otherwise it prints the line to run and exits 1.

set -u

cd "$(dirname "$0")/.." || exit 1
PATH="${CARGO_HOME:-${HOME:-}/.cargo}/bin:$PATH"
export PATH

cc=${CC:-cc}
cxx=${CXX:-c++}
system=$(uname -s)
failed=0

say() { printf '%s\n' "$*"; }
have() { command -v "$1" >/dev/null 2>&1; }

# The first version number in what a program says of itself.
version() { "$@" 2>/dev/null | sed -n 's/^[^0-9]*\([0-9][0-9.]*\).*/\1/p' | head -n 1; }

# --- what is there ---------------------------------------------------------------------------------------------

# On a Mac the compilers in /usr/bin are stubs until the command line tools are installed.
has_tools_of_mac() { [ "$system" != Darwin ] || xcode-select -p >/dev/null 2>&1; }

# $CC and $CXX may carry arguments.
# shellcheck disable=SC2086
has_compiler() {
    has_tools_of_mac &&
        printf '#include <stdlib.h>\n' | $cc -x c -fsyntax-only - >/dev/null 2>&1 &&
        printf '#include <vector>\n' | $cxx -x c++ -fsyntax-only - >/dev/null 2>&1
}

llvm_config() { "${LLVM_CONFIG_PATH:-llvm-config}" "$@" 2>/dev/null; }

# The clang whose headers bindgen borrows.
clang_program() {
    if [ -x "${CLANG_PATH:-}" ]; then
        say "$CLANG_PATH"
    elif has_tools_of_mac && have clang; then
        command -v clang
    else
        bin=$(llvm_config --bindir) && [ -x "$bin/clang" ] && say "$bin/clang" && return
        path=$PATH:
        while [ -n "$path" ]; do
            for file in "${path%%:*}"/clang-[0-9]*; do
                [ -x "$file" ] && say "$file" && return
            done
            path=${path#*:}
        done
        return 1
    fi
}

holds_libclang() {
    for file in "$1"/libclang.so "$1"/libclang.so.* "$1"/libclang-*.so "$1"/libclang-*.so.* "$1"/libclang.dylib; do
        case $file in *libclang-cpp*) continue ;; esac
        [ -e "$file" ] && return
    done
    return 1
}

# Prints the first directory of those on standard input, one a line, that holds libclang.
first_with_libclang() {
    while IFS= read -r dir; do
        [ -n "$dir" ] && holds_libclang "$dir" && say "$dir" && return
    done
    return 1
}

# Where the build looks by itself.
libclang_in_usual_place() {
    {
        llvm_config --libdir
        tools=$(xcode-select -p 2>/dev/null) &&
            say "$tools/Toolchains/XcodeDefault.xctoolchain/usr/lib"
        printf '%s\n' "${LD_LIBRARY_PATH:-}" "${LIBRARY_PATH:-}" | tr ':' '\n'
        ls -d /usr/lib/llvm-*/lib /usr/lib*/llvm*/lib* /usr/lib/*-linux-gnu /usr/lib64 /usr/lib /usr/local/lib* \
            /usr/local/llvm*/lib* /usr/local/opt/llvm*/lib /Library/Developer/CommandLineTools/usr/lib 2>/dev/null
    } | first_with_libclang
}

# Where it must be told to look.
libclang_elsewhere() {
    {
        PATH="$PATH:/sbin:/usr/sbin" ldconfig -p 2>/dev/null | sed -n 's/.*=> \(.*\)\/libclang[-.].*/\1/p'
        prefix=$(brew --prefix llvm 2>/dev/null) && say "$prefix/lib"
    } | first_with_libclang
}

libclang_dir() {
    if [ -n "${LIBCLANG_PATH+set}" ]; then
        # The build then looks nowhere else.
        { say "$LIBCLANG_PATH" && dirname "$LIBCLANG_PATH"; } | first_with_libclang
    else
        libclang_in_usual_place || libclang_elsewhere
    fi
}

# Rust as rustup or the system gives it; rustup alone, without a toolchain, is not Rust.
has_rust() { cargo --version >/dev/null 2>&1 && rustc --version >/dev/null 2>&1; }

# Whether version $1 is at least $2, by its first two numbers.
at_least() {
    major=${1%%.*} && rest=${1#*.} && minor=${rest%%.*}
    least_major=${2%%.*} && rest=${2#*.} && least_minor=${rest%%.*}
    [ "$major" -gt "$least_major" ] || { [ "$major" -eq "$least_major" ] && [ "$minor" -ge "$least_minor" ]; }
}

# --- what cargo needs in its environment -----------------------------------------------------------------------

# .cargo/config.toml tells the compilers to leave AMX out, in words that those older than GCC 11 and clang 11 do
# not know. They cannot emit it either: the two variables are emptied, and the environment wins over that file.
# shellcheck disable=SC2086
knows_amx() {
    flags="-mno-amx-tile -mno-amx-int8 -mno-amx-bf16"
    printf '' | $cc $flags -x c -fsyntax-only - >/dev/null 2>&1 &&
        printf '' | $cxx $flags -x c++ -fsyntax-only - >/dev/null 2>&1
}

if [ "${1:-}" = --env ]; then
    if [ "$system $(uname -m)" = "Linux x86_64" ] && have "${cc%% *}" && have "${cxx%% *}" && ! knows_amx; then
        say "CFLAGS_x86_64_unknown_linux_gnu= CXXFLAGS_x86_64_unknown_linux_gnu="
    fi
    if [ -z "${LIBCLANG_PATH+set}" ] && ! libclang_in_usual_place >/dev/null && dir=$(libclang_elsewhere); then
        say "LIBCLANG_PATH=$dir"
    fi
    exit 0
fi

# --- the system's packages -------------------------------------------------------------------------------------

if [ "$system" = Darwin ]; then manager=brew
elif have apt-get; then manager=apt
elif have dnf; then manager=dnf
elif have brew; then manager=brew
else manager=none
fi

# What is there of a thing, in words; fails when it is missing.
present() {
    case $1 in
        compiler) has_compiler && say "C++ compiler $(version "${cxx%% *}" --version)" ;;
        make) have make && say "make $(version make --version)" ;;
        cmake) have cmake && say "cmake $(version cmake --version)" ;;
        clang) program=$(clang_program) && say "clang $(version "$program" --version)" ;;
        libclang) dir=$(libclang_dir) && say "libclang in $dir" ;;
        # Needed only to fetch Rust.
        curl) { has_rust || have curl || have wget; } && say "" ;;
    esac
}

package() {
    case $manager:$1 in
        apt:compiler | apt:make) say build-essential ;;
        apt:libclang) say libclang-dev ;;
        apt:curl) say "curl ca-certificates" ;;
        dnf:compiler) say gcc-c++ ;;
        dnf:libclang) say clang-devel ;;
        brew:clang | brew:libclang) say llvm ;;
        # The command line tools bring these.
        brew:compiler | brew:make) ;;
        *) say "$1" ;;
    esac
}

# Says what a person has to run, and fails.
leave_to_person() {
    say "$1"
    say "    $2"
    return 1
}

# Prepares to run commands as root, asking for a password only if somebody can type one. $1 is the line to run by
# hand where that cannot be.
become_root() {
    if [ "$(id -u)" -eq 0 ]; then
        sudo=
    elif have sudo && sudo -n true 2>/dev/null; then
        sudo="sudo -n"
    elif have sudo && [ -t 0 ]; then
        sudo=sudo
        say "sudo may ask for your password"
    else
        leave_to_person "this needs root; run:" "$1"
    fi
}

# shellcheck disable=SC2086
apt_get() {
    $sudo env DEBIAN_FRONTEND=noninteractive \
        apt-get -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 -qq "$@" </dev/null >/dev/null
}

apt_knows() {
    for name in "$@"; do
        apt-cache show "$name" >/dev/null 2>&1 || return
    done
}

install() {
    as=$(have sudo && say "sudo ")
    case $manager in
        apt)
            become_root "${as}apt-get update && ${as}apt-get install -y $*" || return
            say "installing with apt-get: $*"
            # A fresh machine has no package lists, an old one has stale ones.
            if apt_knows "$@" && apt_get install -y --no-install-recommends "$@"; then
                return
            fi
            apt_get update && apt_get install -y --no-install-recommends "$@"
            ;;
        dnf)
            become_root "${as}dnf install -y $*" || return
            say "installing with dnf: $*"
            # shellcheck disable=SC2086
            $sudo dnf install -y -q "$@" </dev/null >/dev/null
            ;;
        brew)
            if ! have brew; then
                leave_to_person "Homebrew is not there; install it from https://brew.sh, then run:" "brew install $*"
                return
            fi
            say "installing with brew: $*"
            brew install --quiet "$@" </dev/null
            ;;
        none)
            leave_to_person "no apt-get, dnf or brew here; install by the means of your system:" "$*"
            ;;
    esac
}

if [ -n "${LIBCLANG_PATH+set}" ] && ! libclang_dir >/dev/null; then
    say "LIBCLANG_PATH is set to '$LIBCLANG_PATH', which holds no libclang, and the build would look nowhere else; run:"
    say "    unset LIBCLANG_PATH"
    exit 1
fi

if ! has_tools_of_mac; then
    say "the Xcode command line tools are missing; run:"
    say "    xcode-select --install"
    exit 1
fi

missing=
packages=
for thing in compiler make cmake clang libclang curl; do
    if words=$(present $thing); then
        [ -z "$words" ] || say "$words: present"
    else
        missing="$missing $thing"
        for name in $(package $thing); do
            case " $packages " in *" $name "*) ;; *) packages="${packages:+$packages }$name" ;; esac
        done
    fi
done

if [ -n "$missing" ]; then
    say "missing:$missing"
    # shellcheck disable=SC2086
    if [ -n "$packages" ] && ! install $packages; then
        say "nothing was installed, or not all of it"
        failed=1
    fi
    for thing in $missing; do
        if words=$(present "$thing"); then
            say "${words:-$thing}: installed"
        elif [ "$failed" -eq 0 ]; then
            say "$thing: still missing, though its package is installed"
            failed=1
        fi
    done
fi

# --- Rust ------------------------------------------------------------------------------------------------------

rustup_line="curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh"
least=$(sed -n 's/^rust-version *= *"\([0-9.]*\)".*/\1/p' Cargo.toml | head -n 1)
least=${least:-1.0}

fetch_rust() {
    script=$(mktemp) || return
    if have curl; then
        curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs -o "$script"
    else
        have wget && wget -q --https-only https://sh.rustup.rs -O "$script"
    fi && sh "$script" -y --profile minimal -c rustfmt -c clippy
    status=$?
    rm -f "$script"
    return $status
}

state=present
if ! has_rust; then
    state=installed
    if have rustup; then
        say "Rust: rustup has no toolchain; installing stable"
        rustup default stable || say "rustup could not fetch a toolchain"
    else
        say "Rust: missing; installing with rustup"
        fetch_rust || say "rustup could not be fetched or run"
    fi
    hash -r
fi
if ! has_rust; then
    say "Rust: still missing; run:"
    if have rustup; then say "    rustup default stable"; else say "    $rustup_line"; fi
    exit 1
fi

rust=$(version rustc --version)
if at_least "$rust" "$least"; then
    say "Rust $rust: $state"
else
    say "Rust $rust: too old, hardcase needs $least; run:"
    if have rustup; then say "    rustup update stable"; else say "    $rustup_line"; fi
    exit 1
fi

# The tests run without it, one program after the other and without saying which are slow.
fetch_nextest() {
    case "$system $(uname -m)" in
        "Linux x86_64") build=linux ;;
        "Linux aarch64") build=linux-arm ;;
        Darwin*) build=mac ;;
        *) return 1 ;;
    esac
    bin=${CARGO_HOME:-$HOME/.cargo}/bin
    have curl && mkdir -p "$bin" &&
        curl --connect-timeout 10 --max-time 120 --proto '=https' --tlsv1.2 -sSfL "https://get.nexte.st/0.9/$build" 2>/dev/null | tar xzf - -C "$bin" 2>/dev/null
}

nextest_version() { cargo nextest --version 2>/dev/null | sed -n 's/^cargo-nextest \([0-9.]*\).*/\1/p'; }

if [ "${1:-}" = --checks ] || [ "${1:-}" = --proof ]; then
    for tool in rustfmt clippy; do
        command=${tool#rust}
        state=present
        if ! cargo "$command" --version >/dev/null 2>&1; then
            state=installed
            if have rustup; then rustup component add "$tool"; fi
        fi
        if cargo "$command" --version >/dev/null 2>&1; then
            say "$tool $(version cargo "$command" --version): $state"
        else
            say "$tool: missing; run:"
            say "    rustup component add $tool"
            failed=1
        fi
    done

    state=present
    if [ -z "$(nextest_version)" ]; then
        state=installed
        fetch_nextest
    fi
    number=$(nextest_version)
    if [ -n "$number" ]; then
        say "cargo-nextest $number: $state"
    else
        say "cargo-nextest: missing, so cargo test runs the tests; https://nexte.st says how to install it"
    fi

    # One test traces which sockets are opened, others mount a folder a second time.
    if [ "$system" = Linux ]; then
        for tool in strace bindfs sshfs; do
            state=present
            if ! have $tool; then
                state=installed
                install $tool || true
            fi
            if have $tool; then say "$tool: $state"; else say "$tool: missing, so a test of it is skipped"; fi
        done
        # The other end of sshfs. It is no program that people run.
        if [ ! -e /usr/lib/openssh/sftp-server ] && [ ! -e /usr/libexec/openssh/sftp-server ]; then
            install openssh-sftp-server || true
        fi
    fi
fi

if [ "${1:-}" = --proof ]; then
    state=present
    if ! cargo deny --version >/dev/null 2>&1; then
        state=installed
        cargo install cargo-deny --locked
    fi
    if cargo deny --version >/dev/null 2>&1; then
        say "cargo-deny $(version cargo deny --version): $state"
    else
        say "cargo-deny: missing; run:"
        say "    cargo install cargo-deny --locked"
        failed=1
    fi
fi

exit $failed
