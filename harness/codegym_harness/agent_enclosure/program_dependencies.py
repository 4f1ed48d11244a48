"""Finds the files that an agent program needs in order to run, from its command."""

import os
import re
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

SYSTEM_FOLDERS = tuple(
    Path(name)
    for name in ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store")
)
"""Folders of the operating system that hold programs and libraries."""

_ETC = (
    *("alternatives", "bash.bashrc", "ca-certificates", "ca-certificates.conf", "crypto-policies"),
    *("debian_version", "fonts", "gai.conf", "group", "host.conf", "hostname", "hosts", "inputrc"),
    *("java-17-openjdk", "java-21-openjdk", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime"),
    *("locale.alias", "magic", "mime.types", "networks", "nsswitch.conf", "os-release", "passwd"),
    *("pki/ca-trust", "pki/tls/cert.pem", "pki/tls/certs", "profile", "protocols", "resolv.conf"),
    *("services", "shells", "ssl/certs", "ssl/cert.pem", "ssl/openssl.cnf", "terminfo", "timezone"),
)
"""Parts of /etc that programs and libraries read. None holds a password or a private key."""
_OTHER_SYSTEM_PATHS = ("/sys/devices/system/cpu",)

_PREFIX_PARTS = (
    *("bin", "sbin", "lib", "lib32", "lib64", "libexec", "share", "include", "etc", "ssl", "conda-meta"),
    *("pyvenv.cfg", "node_modules", "package.json"),
)
"""Parts of an installation prefix that its programs need."""
_TOO_BROAD = tuple(
    Path(name)
    for name in ("/", "/dev", "/etc", "/home", "/mnt", "/opt", "/proc", "/root", "/run", "/srv", "/sys")
) + tuple(Path(name) for name in ("/tmp", "/var", "/var/lib", "/var/tmp"))  # noqa: S108
_TOKEN = re.compile(r"[\w@%+./-]+")
_MOST_LINKS = 40
_SHEBANG_BYTES = 512


def system_files() -> set[Path]:
    """Returns the existing parts of the operating system that every program may read."""
    paths = [*SYSTEM_FOLDERS, *(Path("/etc", name) for name in _ETC), *map(Path, _OTHER_SYSTEM_PATHS)]
    return {hop for path in paths if os.path.lexists(path) for hop in links_and_target(path)}


def program_files(words: Sequence[str], search_path: str) -> set[Path]:
    """Returns the files and folders that a command's program is made of.

    These are the installations of the executable, of the interpreters that scripts name in their first line,
    and of the programs that other words of the command name; and the files and folders that the command names
    by absolute paths.

    Args:
        words: the command, the path of its executable first.
        search_path: the value of PATH with which it is run.
    """
    finder = _Finder(search_path)
    finder.add_executable(Path(words[0]))
    for word in words[1:]:
        finder.add_word(word)
    return finder.found


def links_and_target(path: Path) -> list[Path]:
    """Returns the symbolic links on the way to a path, and the path that they lead to.

    Raises:
        OSError: the links form a loop.
    """
    links: list[Path] = []
    pending = list(reversed(Path(os.path.abspath(path)).parts[1:]))
    current = Path("/")
    while pending:
        part = pending.pop()
        if part == "..":
            current = current.parent
        elif os.path.islink(current / part):
            links.append(current / part)
            if len(links) > _MOST_LINKS:
                raise OSError(f"{path} leads through too many symbolic links")
            target = Path(os.readlink(current / part))
            current = Path("/") if target.is_absolute() else current
            pending += reversed([name for name in target.parts if name != "/"])
        else:
            current = current / part
    return [*links, current]


def is_too_broad(folder: Path) -> bool:
    """Checks whether a folder holds much besides a program: a home folder, one above it, or a top folder."""
    home = Path.home()
    return folder in _TOO_BROAD or folder == home or folder in home.parents


class _Finder:
    """Collects the files of one command."""

    def __init__(self, search_path: str) -> None:
        self.found: set[Path] = set()
        self._search_path = search_path
        self._known: set[Path] = set()

    def add_word(self, word: str) -> None:
        """Adds what a word of the command names: a path, or programs within the text of a script."""
        for value in {word, word.partition("=")[2]}:
            if value.startswith("/") and os.path.exists(value):
                self._add_path(Path(value))
                return
        for token in _TOKEN.findall(word):
            executable = shutil.which(token, path=self._search_path)
            if executable is not None and os.path.isabs(executable):
                self.add_executable(Path(executable))

    def add_executable(self, path: Path) -> None:
        """Adds the installation of an executable and of its interpreter."""
        hops = links_and_target(path)
        if hops[-1] in self._known:
            return
        self._known.add(hops[-1])
        self.found.update(hops)
        for hop in hops:
            self._add_installation(hop)
        for name in _interpreter(hops[-1]):
            interpreter = shutil.which(name, path=self._search_path)
            if interpreter is not None:
                self.add_executable(Path(interpreter))
                break

    def _add_path(self, path: Path) -> None:
        hops = links_and_target(path)
        if hops[-1].is_dir():
            self.found.update(hops[:-1] if is_too_broad(hops[-1]) else hops)
        else:
            self.add_executable(path)

    def _add_installation(self, file: Path) -> None:
        folder = file.parent
        if any(file.is_relative_to(system) for system in SYSTEM_FOLDERS):
            return
        if "node_modules" in file.parts:
            self._add_node_modules(file)
        elif folder.name in ("bin", "sbin"):
            self._add_prefix(folder.parent, file)
        elif folder.name == "shims":
            # pyenv, asdf and mise start the real program from folders beside it.
            self._add_all([folder.parent])
        else:
            self._add_all([file if is_too_broad(folder) else folder])

    def _add_node_modules(self, file: Path) -> None:
        """Adds the outermost folder of packages, in which the packages that a package needs lie too."""
        outermost = file.parts.index(".pnpm" if ".pnpm" in file.parts else "node_modules")
        folder = Path(*file.parts[: outermost + 1])
        self._add_all([folder, folder.parent / "package.json"])

    def _add_prefix(self, prefix: Path, file: Path) -> None:
        if is_too_broad(prefix):
            self._add_all([file])
        elif prefix == Path.home() / ".local":
            # Its `share` holds the data of all programs.
            self._add_all([file, prefix / "lib"])
        else:
            self._add_all(prefix / part for part in _PREFIX_PARTS)
            self._add_base_of(prefix / "pyvenv.cfg")

    def _add_base_of(self, configuration: Path) -> None:
        """Adds the installation of Python that a virtual environment was made from."""
        try:
            text = configuration.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return
        home = re.search(r"^home\s*=\s*(\S.*?)\s*$", text, re.MULTILINE)
        if home is not None:
            for hop in links_and_target(Path(home[1])):
                self._add_installation(hop / "python")

    def _add_all(self, paths: Iterable[Path]) -> None:
        for path in paths:
            if os.path.lexists(path):
                self.found.update(links_and_target(path))


def _interpreter(script: Path) -> list[str]:
    """Returns the words of a script's first line that may name its interpreter; none for other files."""
    try:
        with script.open("rb") as file:
            start = file.read(_SHEBANG_BYTES)
    except OSError:
        return []
    if not start.startswith(b"#!"):
        return []
    words = start[2:].splitlines()[0].decode(errors="replace").split()
    if words and os.path.basename(words[0]) == "env":
        return [word for word in words[1:] if not word.startswith("-") and "=" not in word]
    return words[:1]
