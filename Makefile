# `make` lists the targets. Two of them do all set-up: `make demo` and `make test`.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help demo engine down test check images images-push eodata-up eodata-down server worker deploy plan run \
	pairs download radar optical tiles dataset train predict mosaic burn train-types classify-types tensorboard accuracy \
	bench clean

PROFILE ?=
RUNNER ?= auto
TAG ?= local
export CLEARGROUND_RUNNER = $(RUNNER)
PYTHON := .venv/bin/python
CLEARGROUND := $(PYTHON) -m flows.cli

help: ## list the targets
	@grep -hE '^[a-z -]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z -]+):.*## /\1\t/' | expand -t 16

.venv/ready: requirements.lock pyproject.toml deployments/setup.sh
	@deployments/setup.sh venv

tools: .venv/ready
	@[ "$(RUNNER)" = docker ] || docker version >/dev/null 2>&1 || deployments/setup.sh tools

demo: tools ## a job on a simulated archive: tables, maps, report (FLOW=…, PROFILE=tiny|demo|full, RUNNER=docker|local)
	@[ "$(RUNNER)" = local ] || ! docker version >/dev/null 2>&1 || $(MAKE) -s images
	@$(CLEARGROUND) demo --flow "$(or $(FLOW),impervious_change)" --profile "$(PROFILE)"

engine: ## install and start a Docker engine, and make the base image where no registry answers (root, Debian/Ubuntu)
	@containers/engine.sh

down: .venv/ready ## stop the services of this checkout
	@$(CLEARGROUND) down

test: .venv/ready ## all tests (container tests run where an engine answers)
	@deployments/setup.sh tools
	@$(PYTHON) -m pytest $(PYTEST)

check: .venv/ready ## ruff, mypy --strict, shape of the house
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy
	@$(PYTHON) -m pytest -q tests/test_architecture.py

images: ## build the images that changed (TF_PACKAGE="tensorflow[and-cuda]" for the GPU variant)
	@containers/build.sh $(TAG)

images-push: images ## push the images to REGISTRY
	@containers/build.sh --push "$(REGISTRY)" $(TAG)

eodata-up: .venv/ready ## start the local EODATA with the archive of PROFILE
	@$(CLEARGROUND) eodata up --profile $(or $(PROFILE),demo)

eodata-down: .venv/ready ## stop the local EODATA
	@$(CLEARGROUND) eodata down

server: .venv/ready ## start the Prefect server of this checkout
	@$(CLEARGROUND) server

worker: server ## run a worker of the process pool in the foreground
	@$(CLEARGROUND) worker

deploy: server ## register the deployments of prefect.yaml
	@$(CLEARGROUND) deploy

plan: .venv/ready ## scenes, bytes, minutes and quota share of FLOW with PARAMS, before anything runs
	@$(CLEARGROUND) plan $(FLOW) $(PARAMS)

run: server ## run FLOW with PARAMS=params.yaml in the foreground
	@$(CLEARGROUND) run $(FLOW) $(PARAMS)

pairs download radar optical tiles dataset train predict mosaic burn: server ## the flow cloud_removal with PARAMS up to this stage
	@$(CLEARGROUND) run cloud_removal $(PARAMS) --until $@

train-types: tools ## train a classifier of pasture types on SPECTRA=sites.nc into the new folder MODEL=…
	@[ "$(RUNNER)" = local ] || ! docker version >/dev/null 2>&1 || $(MAKE) -s images
	@$(CLEARGROUND) pastures train "$(SPECTRA)" "$(MODEL)"

classify-types: tools ## types of the sites of SPECTRA=other.nc by the classifier MODEL=… as the table OUT=predictions.csv
	@[ "$(RUNNER)" = local ] || ! docker version >/dev/null 2>&1 || $(MAKE) -s images
	@$(CLEARGROUND) pastures classify "$(SPECTRA)" "$(MODEL)" "$(OUT)"

tensorboard: .venv/ready ## watch the trainings of this checkout
	@$(CLEARGROUND) tensorboard

accuracy: tools ## truth: whole jobs over unseen simulated seeds
	@status=0; for truth in accuracy season_accuracy; do $(PYTHON) -m benchmarks.$$truth || status=1; done; exit $$status

bench: tools ## speed and memory as ratios to the floor, the naive way and a rival; then every step over a full tile
	@$(PYTHON) -m benchmarks.run
	@$(PYTHON) -m benchmarks.full_tile

clean: .venv/ready ## remove what runs have made: store, services, archive (the environment stays)
	@$(CLEARGROUND) down --forget
	@rm -rf .clearground
