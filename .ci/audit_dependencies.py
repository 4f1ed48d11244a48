"""Asks a public service for known vulnerabilities of the dependencies.

    python .ci/audit_dependencies.py PIP_AUDIT SITE_PACKAGES [--required]

What is installed in SITE_PACKAGES is audited, and the lowest version of each dependency that pyproject.toml
allows. Exit code 1: a dependency has a known vulnerability. A service that cannot be asked is reported; only
with `--required` is the exit code then 2, so that other checks can run without a network.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

SERVICES = ("osv", "pypi")
SECONDS = 60
FLOORS = Path(__file__).with_name("dependency_floors.py")


class NotAuditedError(Exception):
    """The service gave no answer for some or all dependencies."""


def audit(pip_audit: str, service: str, arguments: list[str]) -> list[str]:
    """Returns a line for each known vulnerability.

    pip-audit succeeds where the service knows none of the packages, so its exit code is not enough.
    """
    command = [pip_audit, "--vulnerability-service", service, "--format", "json", "--progress-spinner", "off"]
    try:
        run = subprocess.run(
            [*command, *arguments], capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise NotAuditedError(f"{service}: no answer in {SECONDS} seconds") from None
    try:
        dependencies = json.loads(run.stdout)["dependencies"]
    except (ValueError, KeyError):
        last = run.stderr.strip().splitlines()[-1:] or ["no output"]
        raise NotAuditedError(f"{service}: {last[0][:200]}") from None
    skipped = [each for each in dependencies if "skip_reason" in each and each["name"] != "codegym-mcp"]
    if skipped or not dependencies:
        example = f", as for {skipped[0]['name']}: {skipped[0]['skip_reason']}" if skipped else ""
        raise NotAuditedError(
            f"{service}: no answer for {len(skipped)} of {len(dependencies)} dependencies{example}"
        )
    lines = []
    for each in dependencies:
        for found in each.get("vulns", ()):
            fixed = ", ".join(found["fix_versions"]) or "no version"
            lines.append(f"{each['name']} {each['version']}: {found['id']}, fixed in {fixed}")
    return lines


def audit_with_any_service(pip_audit: str, arguments: list[str]) -> list[str]:
    """Audits with the first service that answers for every dependency."""
    reasons = []
    for service in SERVICES:
        try:
            return audit(pip_audit, service, arguments)
        except NotAuditedError as reason:
            reasons.append(str(reason))
    raise NotAuditedError("; ".join(reasons))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pip_audit")
    parser.add_argument("site_packages")
    parser.add_argument("--required", action="store_true", help="fail if no service can be asked")
    options = parser.parse_args()
    floors = subprocess.run([sys.executable, str(FLOORS)], capture_output=True, text=True, check=True).stdout
    with TemporaryDirectory() as folder:
        requirements = Path(folder, "floors.txt")
        requirements.write_text(floors)
        parts = {
            "installed": ["--path", options.site_packages],
            "lowest allowed": ["--no-deps", "--disable-pip", "--requirement", str(requirements)],
        }
        try:
            found = {name: audit_with_any_service(options.pip_audit, part) for name, part in parts.items()}
        except NotAuditedError as reason:
            print(f"NOT AUDITED: the dependencies were not checked for known vulnerabilities. {reason}.")
            return 2 if options.required else 0
    for name, lines in found.items():
        for line in lines:
            print(f"VULNERABLE ({name}): {line}")
    if any(found.values()):
        return 1
    print(
        "The dependencies have no known vulnerabilities, neither as installed nor in their lowest versions."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
