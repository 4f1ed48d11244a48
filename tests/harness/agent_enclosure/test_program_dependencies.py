"""Which files a command's program is found to need."""

import os
import shlex
from pathlib import Path

import pytest

from codegym_harness.agent_enclosure.program_dependencies import links_and_target, program_files, system_files


def write(path: Path, text: str = "", *, mode: int = 0o755) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def shown(command: str, *search: Path) -> set[Path]:
    path = os.pathsep.join(map(str, [*search, "/usr/bin", "/bin"]))
    return program_files(shlex.split(command), path)


@pytest.fixture
def top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder, with no link on the way to it."""
    home = tmp_path.resolve() / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    return home


def test_every_link_on_the_way_to_a_file_is_shown(top: Path) -> None:
    real = write(top / "store" / "tool-1.2" / "run")
    (top / "current").symlink_to("store/tool-1.2")
    (top / "run").symlink_to(top / "current" / "run")
    assert links_and_target(top / "run") == [top / "run", top / "current", real]
    assert links_and_target(top / "store" / ".." / "run")[-1] == real


def test_links_in_a_circle_are_an_error(top: Path) -> None:
    (top / "one").symlink_to("two")
    (top / "two").symlink_to("one")
    with pytest.raises(OSError, match="too many symbolic links"):
        links_and_target(top / "one")


def test_a_node_package_is_shown_with_all_packages_beside_it(top: Path) -> None:
    node = write(top / ".nvm" / "versions" / "v22" / "bin" / "node")
    script = write(
        node.parents[1] / "lib" / "node_modules" / "@maker" / "agent" / "cli.js", "#!/usr/bin/env node\n"
    )
    (node.parent / "agent").symlink_to("../lib/node_modules/@maker/agent/cli.js")
    found = shown(f"{node.parent / 'agent'}", node.parent)
    assert {node.parent, node.parents[1] / "lib" / "node_modules"} <= found
    assert top / ".nvm" not in found
    assert script.parents[2] in found


def test_a_local_node_package_is_shown_with_what_it_depends_on(top: Path) -> None:
    script = write(top / "project" / "node_modules" / "agent" / "cli.js", "#!/usr/bin/env -S node --flag\n")
    write(top / "project" / "package.json")
    write(top / "project" / "secret")
    (top / "project" / "node_modules" / ".bin").mkdir()
    link = top / "project" / "node_modules" / ".bin" / "agent"
    link.symlink_to("../agent/cli.js")
    found = shown(str(link))
    assert {script.parents[1], top / "project" / "package.json"} <= found
    assert top / "project" not in found


def test_a_virtual_environment_is_shown_with_the_python_it_was_made_from(top: Path) -> None:
    base = write(top / "python" / "3.12" / "bin" / "python3.12")
    write(base.parents[1] / "lib" / "python3.12" / "os.py")
    python = top / "project" / ".venv" / "bin" / "python"
    write(top / "project" / ".venv" / "pyvenv.cfg", f"home = {base.parent}\nversion = 3.12\n")
    write(top / "project" / ".venv" / "lib" / "python3.12" / "site-packages" / "agent.py")
    write(top / "project" / ".git" / "HEAD")
    python.parent.mkdir()
    python.symlink_to(base)
    script = write(python.parent / "agent", f"#!{python}\n")
    found = shown(str(script))
    assert {script.parent, script.parents[1] / "lib", script.parents[1] / "pyvenv.cfg"} <= found
    assert {base.parent, base.parents[1] / "lib"} <= found
    assert top / "project" not in found


def test_a_program_installed_for_its_user_is_shown_without_the_data_of_others(top: Path) -> None:
    write(top / ".local" / "share" / "keyrings" / "login")
    tool = write(top / ".local" / "share" / "tools" / "agent" / "versions" / "agent-2.1")
    (top / ".local" / "bin").mkdir()
    (top / ".local" / "bin" / "agent").symlink_to(tool)
    write(top / ".local" / "bin" / "other")
    found = shown(str(top / ".local" / "bin" / "agent"))
    assert {top / ".local" / "bin" / "agent", tool.parent} <= found
    assert found.isdisjoint({top / ".local" / "share", top / ".local", top / ".local" / "bin"})


def test_a_script_is_shown_with_its_folder_unless_that_is_a_home_folder(top: Path) -> None:
    script = write(top / "agents" / "agent.sh", "#!/bin/sh\n")
    assert script.parent in shown(str(script))
    alone = write(top / "agent.sh", "#!/bin/sh\n")
    assert alone in shown(str(alone))
    assert top not in shown(str(alone))


@pytest.mark.parametrize("word", ["{}", "--config={}"])
def test_a_path_that_the_command_names_is_shown(top: Path, word: str) -> None:
    folder = write(top / "data" / "part" / "file").parent
    assert folder in shown(f"/bin/cat {word.format(folder)}")


@pytest.mark.parametrize("path", ["/", "/home", "/root", "/tmp", "HOME", "HOME/.."])
def test_a_folder_that_holds_much_else_is_not_shown(top: Path, path: str) -> None:
    found = shown(f"/bin/cat {path.replace('HOME', str(top))}")
    assert found <= {Path("/bin"), Path("/usr/bin/cat"), Path("/bin/cat")}


def test_programs_within_the_text_of_a_shell_script_are_shown(top: Path) -> None:
    agent = write(top / "tools" / "agent" / "bin" / "my-agent")
    found = shown('/bin/sh -c "mkdir x && KEY=1 exec my-agent -p \\"$1\\""', agent.parent)
    assert agent.parent in found


def test_shims_are_shown_with_what_they_start(top: Path) -> None:
    shim = write(top / ".pyenv" / "shims" / "python", "#!/bin/bash\n")
    write(top / ".pyenv" / "versions" / "3.12" / "bin" / "python")
    assert top / ".pyenv" in shown(str(shim))


def test_no_password_or_private_key_is_among_the_systems_files() -> None:
    private = {"shadow", "gshadow", "sudoers", "ssh"}
    assert private.isdisjoint(path.name for path in system_files())
    assert Path("/etc/passwd") in system_files()
    assert not any(Path("/etc/ssl/private").is_relative_to(path) for path in system_files())
