# make play   try the bot with nothing to configure        make run    start the bot on Discord (needs .env)
# make test   run the tests                                make check  what CI runs: format, lint, types, tests
# make words  bring the translations up to date with what the bot says
# make doctor look whether the settings, Discord, the image service and this machine are in order
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Tests wait for each other's sockets more than they compute: one process a core halves the time.
PARALLEL := -n auto --dist worksteal

.PHONY: play run doctor test check words clean
.DELETE_ON_ERROR:

play: $(VENV)/run.stamp
	@exec $(BIN)/python -m scripts.play

run: $(VENV)/run.stamp
	@exec $(BIN)/python bot.py

doctor: $(VENV)/run.stamp
	@$(BIN)/python bot.py doctor

test: $(VENV)/dev.stamp
	$(BIN)/python -m pytest $(PARALLEL) $(ARGS)

check: $(VENV)/dev.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright
	$(BIN)/python -m pytest $(PARALLEL) $(ARGS)

words: $(VENV)/run.stamp
	$(BIN)/python -m scripts.words $(ARGS)

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis

$(VENV)/pip.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Facelock needs Python 3.11 or newer. Name one with: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "This Python has no venv. On Debian and Ubuntu: sudo apt install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/run.stamp: requirements.txt $(VENV)/pip.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt requirements.txt $(VENV)/pip.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
