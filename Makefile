# make results        set-up, build, demo data, features, fit, result1.csv and result2.csv
# make serve          the demo set, a model, a gallery, and the search page
# make ablation       every recipe of experiments/ on DATA, side by side: experiments/RESULTS*.md
# make copies-benchmark   transformed copies of DATA's pictures: experiments/copies/RESULTS.md
# make compression    what smaller vectors find of such copies: experiments/copies/COMPRESSION.md
# make bench          how fast every stage is beside the usual Python, on Flickr8k-CN: experiments/BENCH.md
# make growth         time, memory and disk against the number of pictures and of vectors: experiments/GROWTH.md
# make full-size      the contest at its full size, made from DATA's pictures: time by stage, and memory
# make captions       captions for DATA's pictures by retrieval and by networks: experiments/captions/RESULTS.md
# make aerial         made-up pictures of the ground from above, in the layout of RSICD: data/aerial
# make test           set-up, every test
# make deb            the Debian package; make deb-test installs it in a clean system and searches there
# make wheel          the package for Python; make wheel-test tests it, make wheel-root-test in a clean system
# make release        packages, source, checksums, and what they are made of: target/dist
# make properties     the properties on cases drawn anew, many of them
# make fuzz           damaged inputs drawn anew, for ten minutes
DATA   ?= data/demo
OUT    ?= out
RECIPE ?= experiments/main.toml
FLAGS  ?=

TUWEN  = target/release/tuwen
# What `build` makes, whatever is installed.
BUILT := $(TUWEN)
# Where the package of this version is installed, and nothing was built here, nothing needs to be.
INSTALLED := $(shell command -v tuwen)
ifneq ($(INSTALLED),)
ifeq ($(wildcard $(TUWEN))$(FEATURES),)
ifeq ($(shell $(INSTALLED) --version),tuwen $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1))
TUWEN := $(INSTALLED)
endif
endif
endif
CARGO  = cargo
# FEATURES=train builds the networks that are trained here too; FEATURES=cuda runs them on a GPU. Where the tests have built them,
# the program has them, so that no crate is built twice.
FEATURES ?= $(if $(wildcard target/release/deps/libburn_core-*.rlib),train)
# One profile for everything, so that OpenCV's bindings and FAISS are built once.
BUILD  = --release --locked $(if $(FEATURES),--features $(FEATURES))
# All of it is tested, and that it builds without the networks.
WHOLE  = --release --locked --features train
# What is tested by cargo; the package for Python is tested by Python, in a build that shares theirs.
CRATES = --package tuwen --package tuwen-nets
COMMON = --data $(DATA) --recipe $(RECIPE)
# Tests run on a build of our own code that minds overflows and debug assertions; dependencies stay as they are.
CHECKED = --config profile.release.package.tuwen.overflow-checks=true \
	--config profile.release.package.tuwen.debug-assertions=true

.PHONY: help setup build program demo captions aerial serve page-test api-test data models lite ocr-models sentence features fit-cca results evaluate ablation copies-benchmark compression bench clip-bench growth full-size deb deb-test wheel wheel-test wheel-root-test release deny lint test properties fuzz clean-work
.DEFAULT_GOAL = help

help:
	@echo 'make results  [DATA=dir] [OUT=dir] [RECIPE=file]   answer attachments 2 and 3 (default: the demo set)'
	@echo 'make features [DATA=dir] [RECIPE=file]             compute the views of pictures and captions'
	@echo 'make fit-cca  [DATA=dir] [RECIPE=file]             learn the fusion'
	@echo 'make evaluate [DATA=dir] [RECIPE=file]             R@1/5/10, median rank, 95 % intervals'
	@echo 'make ablation [DATA=dir]                           every recipe of experiments/, side by side: RESULTS*.md'
	@echo 'make copies-benchmark [DATA=dir]                   find transformed copies of any pictures, beside other programs'
	@echo 'make compression [DATA=dir]                        what smaller vectors find of such copies'
	@echo 'make bench DATA=dir                                  how fast every stage is beside the usual Python, on Flickr8k-CN'
	@echo 'make clip-bench GALLERY=dir                         the server beside that of clip-retrieval, over a gallery'
	@echo 'make growth [DATA=dir]                             time, memory and disk against the number of pictures'
	@echo 'make full-size DATA=dir [SIZE=n] [RECIPE=file]      the contest with n pairs made from the pictures of DATA'
	@echo 'make captions [DATA=dir] FEATURES=train              captions by retrieval and by networks, measured'
	@echo 'make aerial                                         a made-up remote-sensing set: data/aerial'
	@echo 'make serve    [PORT=n]                             the search page of the demo set'
	@echo 'make page-test | make api-test                     the search page in Chromium; the API by schemathesis'
	@echo 'make deb | make deb-test                            the Debian package; installed in a clean system'
	@echo 'make wheel | make wheel-test                        the package for Python, and its tests; in a clean system: make wheel-root-test'
	@echo 'make release                                        packages, source, checksums: target/dist'
	@echo 'make properties [SEED=n] [CASES=n]                 the properties on other cases than the usual ones'
	@echo 'make fuzz     [SEED=n] [SECONDS=n]                 damaged inputs, other ones each time'
	@echo 'make test | make lint | make setup | make demo | make models | make clean-work'

setup:
	@./setup.sh

build: setup
	$(CARGO) build $(BUILD)

# The program: the installed one, or one that is built.
program: $(if $(filter $(INSTALLED),$(TUWEN)),,build)
	@$(if $(filter $(INSTALLED),$(TUWEN)),echo 'using $(TUWEN); `make build` builds this checkout')

demo: program
	$(TUWEN) demo --out data/demo

PORT ?= 8080
serve: program
	$(TUWEN) demo --serve --port $(PORT)

CAPTIONS = hand-crafted.toml experiments/deep/captioner.toml experiments/deep/captioner-fisher.toml
captions: program data
	for recipe in $(CAPTIONS); do \
		$(TUWEN) caption --data $(DATA) --split test --recipe $$recipe --runs experiments/captions $(FLAGS) || exit 1; done

data/aerial: build
	$(CARGO) run $(BUILD) --example aerial -- $@ 1500
aerial: data/aerial

# The search page in Chromium, with every key and state; screenshots go to page-test/. What it needs is installed here.
PAGE_TEST = data/page-test
$(PAGE_TEST)/node_modules: tests/page/package.json tests/page/package-lock.json
	mkdir -p $(PAGE_TEST)
	cp $^ $(PAGE_TEST)
	cd $(PAGE_TEST) && npm ci --silent --no-audit --no-fund
	touch $@
page-test: build $(PAGE_TEST)/node_modules
	@command -v chromium >/dev/null || { echo 'make page-test: install chromium, and a font with Chinese such as fonts-noto-cjk' >&2; exit 1; }
	NODE_PATH=$(PAGE_TEST)/node_modules node tests/page/page.cjs $(BUILT) $(PAGE_TEST)

# A folder of the user's own is there already; the demo set is fetched.
data: $(if $(filter data/demo,$(DATA)),demo,program)

PIP_IS_THERE = @python3 -m pip --version >/dev/null 2>&1 || { echo 'make $@: pip fetches what is needed; install python3-pip' >&2; exit 1; }
# What a failed download leaves is removed, so that the next run does not take it for whole.
REMOVED = { rm -rf $(1); echo 'make $@: a download is damaged or incomplete; it was removed, so run make again to fetch it anew' >&2; exit 1; }

# All optional parts: what reads text, what knows what words mean, and what sees things. Recipes that want one say so.
MODELS = sh experiments/networks/fetch.sh data/models
models:
	@$(MODELS)
ocr-models:
	@$(MODELS) ocr
lite:
	@$(MODELS) lite
sentence:
	@$(MODELS) sentence

features: data
	$(TUWEN) features $(COMMON) $(FLAGS)

fit-cca: data
	$(TUWEN) fit $(COMMON) $(FLAGS)

results: data
	$(TUWEN) results $(COMMON) --out $(OUT) --contact-sheet $(OUT)/contact-sheet.html $(FLAGS)

evaluate: data
	$(TUWEN) evaluate $(COMMON) $(FLAGS)

ablation: data
	$(TUWEN) ablation --data $(DATA) $(FLAGS)

# Packages of other programs to compare with, beside those of the system. Every package is pinned by its SHA-256, with all
# that it needs and what builds it; `pip-compile --generate-hashes` (pip-tools) wrote the lists from the *.in files.
PEERS = data/peers
$(PEERS)/build: OPTIONS = --only-binary=:all:
$(PEERS)/clip: OPTIONS = --no-deps
$(PEERS)/api $(PEERS)/bench $(PEERS)/clip $(PEERS)/copies: | $(PEERS)/build
$(PEERS)/%: experiments/peers/%-requirements.txt
	$(PIP_IS_THERE)
	rm -rf $@
	@PYTHONPATH=$(PEERS)/build python3 -m pip install --quiet --require-hashes --no-build-isolation $(OPTIONS) --target $@ -r $< \
		|| $(call REMOVED,$@)
	touch $@
COPIES = PYTHONPATH=$(PEERS)/copies python3 experiments/peers/copies.py --data $(DATA)
BENCH = PYTHONPATH=$(PEERS)/bench python3 experiments/peers

copies-benchmark: data $(PEERS)/copies
	rm -rf features/copies-benchmark
	$(COPIES) --work features/copies-benchmark --tuwen $(TUWEN) --out experiments/copies $(FLAGS)

compression: data $(PEERS)/copies
	rm -rf features/compression
	$(COPIES) --work features/compression --originals 100 --distractors 7900
	$(TUWEN) compression --gallery features/compression/gallery --queries features/compression/queries \
		--truth features/compression/truth.csv --work features/compression --out experiments/copies/COMPRESSION.md $(FLAGS)

# The API against its own description, by schemathesis, and many damaged requests.
BODIES ?= 100000
api-test: build $(PEERS)/api
	PYTHONPATH=$(PEERS)/api python3 tests/page/api.py $(BUILT)
	TUWEN_BODIES=$(BODIES) $(CARGO) test $(WHOLE) $(CHECKED) --test cli guard

# The server beside clip-retrieval's back, over a gallery of your own: make clip-bench GALLERY=g
clip-bench: build $(PEERS)/clip
	@test -n "$(GALLERY)" || { echo 'make clip-bench: say which gallery, GALLERY=dir' >&2; exit 1; }
	PYTHONPATH=$(PEERS)/clip python3 experiments/peers/clip.py $(BUILT) $(GALLERY) features/clip-bench

bench: data $(PEERS)/bench
	$(BENCH)/bench.py --data $(DATA) --tuwen $(TUWEN) --out experiments $(FLAGS)

growth: data $(PEERS)/bench
	rm -rf features/growth
	$(BENCH)/growth.py --data $(DATA) --tuwen $(TUWEN) --work features/growth --out experiments $(FLAGS)

# Killed, it goes on where it stopped; so what was made is kept: `rm -r features/full-size` begins again.
SIZE ?= 50000
MADE = features/full-size/$(SIZE)
full-size: data
	test -e $(MADE)/attachment3/truth.csv || \
		$(CARGO) run $(BUILD) --example made_contest -- $(DATA) $(MADE) $(SIZE)
	$(TUWEN) results --data $(MADE) --work $(MADE) --out $(MADE)/out --recipe $(RECIPE) --timings $(FLAGS)

# The Debian package, for the release this runs on: target/deb/tuwen_*.deb; and a clean system that it is installed in.
# Tools of cargo's, each version in a folder of its own.
DEB    = data/tools/cargo-deb-3.8.0
DENY   = data/tools/cargo-deny-0.20.2
SBOM   = data/tools/cargo-cyclonedx-0.5.9
$(DEB) $(DENY) $(SBOM):
	$(CARGO) install $(shell echo $(@F) | sed 's/-\([0-9.]*\)$$/ --version \1/') --locked --debug --root $@
deb: setup $(DEB)
	rm -f target/deb/tuwen_*.deb
	PATH="$$PWD/$(DEB)/bin:$$PATH" packaging/deb.sh target/deb
deb-test: deb
	packaging/test-deb.sh target/deb/tuwen_*.deb data/deb-test

# The package for Python: target/wheels/tuwen-*.whl; and a clean system with Python alone that it is installed in.
PYTHON = data/python
$(PYTHON)/ready: bindings/python/requirements.txt
	$(PIP_IS_THERE)
	rm -rf $(PYTHON)
	@python3 -m pip install --quiet --require-hashes --only-binary=:all: --target $(PYTHON) -r $< || $(call REMOVED,$(PYTHON))
	touch $@
wheel: setup $(PYTHON)/ready
	rm -f target/wheels/tuwen-*.whl
	PYTHONPATH="$$PWD/$(PYTHON)" packaging/wheel.sh "$$PWD/$(PYTHON)/bin/maturin" target/wheels
wheel-test: wheel
	rm -rf target/python
	python3 -m pip install --quiet --no-deps --target target/python target/wheels/tuwen-*.whl
	$(PYTHON_TEST)
PYTHON_TEST = PYTHONPATH="$$PWD/target/python:$$PWD/$(PYTHON)" python3 -m pytest -q bindings/python
wheel-root-test: wheel demo
	packaging/test-wheel.sh target/wheels/tuwen-*.whl data/demo data/wheel-test

# All that a release hands out, in target/dist: source, packages, what they are made of, checksums.
release: deb wheel $(SBOM)
	PATH="$$PWD/$(SBOM)/bin:$$PATH" packaging/release.sh target/dist

lint: setup deny
	$(CARGO) fmt --check
	$(CARGO) clippy --release --locked -- -D warnings
	$(CARGO) clippy $(WHOLE) --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc $(WHOLE) $(CRATES) --no-deps

# Licences, sources, and versions of the crates (deny.toml).
deny: $(DENY)
	PATH="$$PWD/$(DENY)/bin:$$PATH" $(CARGO) deny --workspace --log-level error check licenses bans sources

test: setup models $(PYTHON)/ready
	$(CARGO) test $(WHOLE) $(CRATES) $(CHECKED)
	$(CARGO) build $(WHOLE) $(CRATES) --package tuwen-python $(CHECKED)
	rm -rf target/python
	mkdir -p target/python/tuwen
	cp bindings/python/python/tuwen/* target/python/tuwen
	cp target/release/lib_tuwen.so target/python/tuwen/_tuwen.abi3.so
	$(PYTHON_TEST)

# Drawn anew where it is not given; the same number tries the same again.
properties fuzz: SEED := $(or $(SEED),$(shell od -An -N4 -tu4 /dev/urandom | tr -d ' '))
CASES ?= 1000
properties: setup
	@echo 'make properties SEED=$(SEED) CASES=$(CASES)   tries the same again'
	TUWEN_TEST_SEED=$(SEED) TUWEN_TEST_CASES=$(CASES) $(CARGO) test $(WHOLE) $(CHECKED) \
		--test properties --test pictures || \
		{ echo 'failed; again: make properties SEED=$(SEED) CASES=$(CASES)' >&2; exit 1; }

SECONDS ?= 600
fuzz: setup
	$(CARGO) test $(WHOLE) $(CHECKED) --test fuzz -- --seed $(SEED) --seconds $(SECONDS)

# All that runs computed; data and results stay.
clean-work:
	find features vocab -mindepth 1 -maxdepth 1 -type d -exec rm -r {} +
