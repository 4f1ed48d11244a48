"""Allow-lists of environment variables for the processes that a run starts."""

import os
from collections.abc import Iterable
from fnmatch import fnmatchcase

_SERVER = (
    "CODEGYM_MCP_CACHE",
    "HOME",
    "LANG",
    "LC_*",
    "LD_LIBRARY_PATH",
    # Where spans are sent. Headers of the exporter may hold a key.
    *("OTEL_EXPORTER_OTLP_*ENDPOINT", "OTEL_EXPORTER_OTLP_*PROTOCOL", "OTEL_BSP_*", "OTEL_TRACES_*"),
    *("OTEL_RESOURCE_ATTRIBUTES", "OTEL_SDK_DISABLED", "OTEL_SERVICE_NAME"),
    "PATH",
    "TMPDIR",
    "TZ",
    "XDG_CACHE_HOME",
)
"""What a server or an episode worker needs. None of these holds a secret."""

_PROGRAM = (
    # The system.
    *("COLORTERM", "LANG", "LANGUAGE", "LC_*", "LD_LIBRARY_PATH", "LOGNAME", "NO_COLOR", "PATH", "SHELL"),
    *("TERM", "TZ", "USER"),
    # Proxies and certificates.
    *("CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "SSL_CERT_DIR", "SSL_CERT_FILE"),
    *("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"),
    *("all_proxy", "https_proxy", "http_proxy", "no_proxy"),
    # Where languages are installed.
    *("CONDA_PREFIX", "JAVA_HOME", "NVM_DIR", "PYENV_ROOT", "PYENV_VERSION", "VIRTUAL_ENV", "VOLTA_HOME"),
    # Model providers: keys, addresses, models.
    *("*_API_BASE", "*_API_KEY", "*_BASE_URL", "GH_TOKEN", "GITHUB_TOKEN", "HF_TOKEN"),
    *("ANTHROPIC_*", "AWS_*", "AZURE_*", "CLAUDE_CODE_*", "COPILOT_*", "DASHSCOPE_*", "DEEPSEEK_*"),
    *("GEMINI_*", "GOOGLE_*", "GOOSE_*", "GROQ_*", "MISTRAL_*", "OLLAMA_*", "OPENAI_*", "OPENCODE_*"),
    *("OPENROUTER_*", "QWEN_*", "VERTEX*", "XAI_*"),
)
"""What an agent program needs to start and to reach its model."""

_NEVER = ("CODEGYM_*",)
"""Variables of this project; one of them is the token of a control plane."""


def server_environment() -> dict[str, str]:
    """Returns the environment variables for a server or an episode worker."""
    return _select(_SERVER)


def program_environment(additional: Iterable[str] = ()) -> dict[str, str]:
    """Returns the environment variables for an agent program.

    Args:
        additional: names of further variables, which may contain wildcards.
    """
    selected = _select([*_PROGRAM, *additional])
    selected = {name: value for name, value in selected.items() if not _matches(name, _NEVER)}
    # The program reaches its episode at the loopback address, where a proxy would not find it.
    without_proxy = [selected.get("NO_PROXY") or selected.get("no_proxy"), "127.0.0.1", "localhost"]
    exceptions = ",".join(filter(None, without_proxy))
    return {**selected, "NO_PROXY": exceptions, "no_proxy": exceptions}


def _select(patterns: Iterable[str]) -> dict[str, str]:
    patterns = list(patterns)
    return {name: value for name, value in os.environ.items() if _matches(name, patterns)}


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
