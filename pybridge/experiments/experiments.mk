# The four experiments beside a Go library, which is built where there is a go command.
GO := $(firstword $(shell command -v go) $(wildcard /usr/local/go/bin/go))
EXPERIMENTS_SO := build/experiments/libpacked.so
SIZE ?= 980

$(EXPERIMENTS_SO): $(wildcard pybridge/experiments/golib/*)
	$(call say,GO,$@)
	$(Q)mkdir -p $(@D) && $(GO) build -C pybridge/experiments/golib -buildvcs=false -buildmode=c-shared -o $(abspath $@) .

experiments: $(if $(GO),$(EXPERIMENTS_SO)) | $(VENV)/.peers ## Run the four experiments beside a Go library, as a table and build/experiments.html (SIZE=980, RUNS=7)
	$(Q)$(MAKE) python PYTHON=$(abspath $(VENV)/bin/python) >/dev/null
	$(Q)mkdir -p build/experiments && PYTHONPATH=pybridge $(VENV)/bin/python pybridge/experiments/run.py --size $(SIZE) --runs $(or $(RUNS),7) \
	  $(if $(GO),--library $(EXPERIMENTS_SO)) --page build/experiments.html

.PHONY: experiments
