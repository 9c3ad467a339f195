# make results        set-up, build, demo data, features, fit, result1.csv and result2.csv
# make ablation       every recipe of experiments/ on DATA, side by side: experiments/RESULTS*.md
# make test           set-up, every test
DATA   ?= data/demo
OUT    ?= out
RECIPE ?= experiments/main.toml
FLAGS  ?=

TUWEN  = target/release/tuwen
CARGO  = cargo
# One profile for everything, so that OpenCV's bindings and FAISS are built once.
BUILD  = --release --locked
COMMON = --data $(DATA) --recipe $(RECIPE)

.PHONY: help setup build demo data features fit-cca results evaluate ablation lint test clean-work
.DEFAULT_GOAL = help

help:
	@echo 'make results  [DATA=dir] [OUT=dir] [RECIPE=file]   answer attachments 2 and 3 (default: the demo set)'
	@echo 'make features [DATA=dir] [RECIPE=file]             compute the views of pictures and captions'
	@echo 'make fit-cca  [DATA=dir] [RECIPE=file]             learn the fusion'
	@echo 'make evaluate [DATA=dir] [RECIPE=file]             R@1/5/10, median rank, 95 % intervals'
	@echo 'make ablation [DATA=dir]                           every recipe of experiments/, side by side: RESULTS*.md'
	@echo 'make test | make lint | make setup | make demo | make clean-work'

setup:
	@./setup.sh

build: setup
	$(CARGO) build $(BUILD)

demo: build
	$(TUWEN) demo --out data/demo

# A folder of the user's own is there already; the demo set is fetched.
data: $(if $(filter data/demo,$(DATA)),demo,build)

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

lint: setup
	$(CARGO) fmt --check
	$(CARGO) clippy $(BUILD) --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc $(BUILD) --no-deps

test: setup
	$(CARGO) test $(BUILD)

# All that runs computed; data and results stay.
clean-work:
	find features vocab -mindepth 1 -maxdepth 1 -type d -exec rm -r {} +
