# The CPython extension, pybridge/moonmill/_core$(EXT_SUFFIX): one for each PYTHON, with objects of its own, around the
# objects of the library. Lua reaches the core by loading the extension from its own path, so that mm_* are exported and
# bound within it.
# A variant (SAN=...) is a package of its own below its build folder.
PY_FACTS  := $(shell $(PYTHON) -c "import sysconfig as s; print(s.get_config_var('EXT_SUFFIX'), s.get_path('include'))" 2>/dev/null)
PY_SUFFIX := $(word 1,$(PY_FACTS))
PY_DIR    := $(if $(filter build,$(BUILD)),pybridge,$(BUILD)/pybridge)/moonmill
PY_OBJ    := $(BUILD)/python/$(PY_SUFFIX:.%.so=%)
SRC_PY    := $(sort $(wildcard pybridge/src/*.c pybridge/src/*/*.c))
OBJ_PY    := $(SRC_PY:%.c=$(PY_OBJ)/%.o)
PY_EXT    := $(PY_DIR)/_core$(PY_SUFFIX)

python: $(PY_EXT) ## Build the Python extension (PYTHON=python3, SAN=...)
	$(Q)test $(PY_DIR) = pybridge/moonmill || (cd pybridge && find moonmill -name '*.py' -exec cp --parents {} ../$(dir $(PY_DIR)) \;)
	@echo "Built $<. Try: PYTHONPATH=$(patsubst %/,%,$(dir $(PY_DIR))) $(PYTHON) -c 'import moonmill'"

$(PY_OBJ)/%.o: %.c | $(BUILD)/.packages
	$(call say,CC,"$< ($(PY_SUFFIX:.%.so=%))")
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -Ipybridge/src -Ilua/host -Ilua/host/state -Ilua/host/session -isystem $(word 2,$(PY_FACTS)) -c -o $@ $<

$(PY_EXT): $(OBJ_PY) $(OBJ_LIB) $(LJ_LIB) pybridge/src/exports.map
	$(Q)test -n "$(PY_SUFFIX)" || { echo "$(PYTHON) was not found, or does not know how extensions are named" >&2; exit 1; }
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CXX) -shared $(SANFLAGS) -Wl,-Bsymbolic -Wl,--version-script=pybridge/src/exports.map \
	  -Wl,-z,relro,-z,now $(RUNTIME) -o $@ $(OBJ_PY) $(OBJ_LIB) $(LJ_LINK) \
	  $(LIBS_OWN)

# Its specs and linters run in the venv below build/. Where nothing can be installed they are left out, and that is
# said.
PY_TEST := pytest numpy pandas polars pyarrow duckdb tqdm
PY_LINT := ruff mypy
PY_HOME  := $(patsubst %/,%,$(dir $(PY_DIR)))
PY_RUN   = $(PY_SAN) PYTHONPATH=$(PY_HOME) $(VENV)/bin/python
# A sanitizer must be there before the interpreter, and with it the runtime of C++, whose exceptions it watches. CPython keeps what
# it allocated to the end, locks of many libraries are held across a fork, and children of a fork start threads.
PY_SAN = $(if $(SAN),LD_PRELOAD="$(foreach lib,$(SAN_LIB) libstdc++.so,$$($(CC) -print-file-name=$(lib)))" \
  ASAN_OPTIONS=detect_leaks=$(if $(LEAKS),1,0):abort_on_error=1:allocator_may_return_null=1 \
  LSAN_OPTIONS=suppressions=$(CURDIR)/spec/lsan.supp:print_suppressions=0 UBSAN_OPTIONS=print_stacktrace=1 \
  TSAN_OPTIONS=suppressions=$(CURDIR)/spec/tsan.supp:detect_deadlocks=0:die_after_fork=0 \
  $(if $(findstring address,$(SAN)),PYTHONMALLOC=malloc))
$(VENV)/.test: pybridge/python.mk spec/bench/peers.txt
	$(Q)test -x $(VENV)/bin/pip || { .ci/packages python3-venv && $(PYTHON) -m venv $(VENV); }
	$(Q)$(VENV)/bin/pip install -q -c spec/bench/peers.txt $(PY_TEST) $(PY_LINT) && touch $@

test-python: ## Run the specs of the Python package (SPECS=spec/python/x/test_y.py, SAN=address,undefined|thread, LEAKS=1)
	$(Q)if $(MAKE) $(VENV)/.test >/dev/null 2>&1; then \
	  $(MAKE) python PYTHON=$(abspath $(VENV)/bin/python) && $(PY_RUN) -m pytest -o pythonpath='$(PY_HOME) spec/python spec/python/support' $(filter spec/python/%,$(SPECS)); \
	else echo "No package index: the specs of the Python package are left out."; fi

test-pythons: ## Build a wheel for every CPython of this machine, install it by itself, run the specs with it (PYTHONS="path ...", SPECS=...)
	$(Q)$(PYTHON) pybridge/pythons.py $(addprefix --python ,$(PYTHONS)) --packages $(PY_TEST) -- $(filter spec/python/%,$(SPECS))

# Engines for data that outgrows one machine, each run here as it would be there. pyspark does not support pandas 3 yet.
PY_ENGINES := pyspark>=4 ray[data] dask[dataframe,distributed] pandas<3 pyarrow pytest
ENGINES    := build/venv-engines
$(ENGINES)/.ready: pybridge/python.mk
	$(Q)test -x $(ENGINES)/bin/pip || $(PYTHON) -m venv $(ENGINES)
	$(call say,PIP,"$(PY_ENGINES)")
	$(Q)$(ENGINES)/bin/pip install -q $(foreach package,$(PY_ENGINES),'$(package)') && touch $@

test-engines: $(ENGINES)/.ready ## Run pipelines in real Spark (needs Java 17), Ray and Dask (SPECS=spec/python/engines/test_x.py)
	$(Q)$(MAKE) python PYTHON=$(abspath $(ENGINES)/bin/python)
	$(Q)PYTHONPATH=$(abspath pybridge) PYSPARK_PYTHON=$(abspath $(ENGINES)/bin/python) SPARK_LOCAL_IP=127.0.0.1 \
	  RAY_USAGE_STATS_ENABLED=0 $(ENGINES)/bin/python -m pytest --show-capture=no -W ignore \
	    $(or $(filter spec/python/%,$(SPECS)),spec/python/engines)

lint-python:
	$(Q)if $(MAKE) $(VENV)/.test >/dev/null 2>&1; then \
	  $(VENV)/bin/ruff check -q pybridge/moonmill pybridge/pythons.py spec/python setup.py && $(VENV)/bin/ruff format -q --check pybridge/moonmill pybridge/pythons.py spec/python setup.py && \
	  $(MAKE) python PYTHON=$(abspath $(VENV)/bin/python) && $(VENV)/bin/mypy && \
	  $(PY_RUN) -m mypy.stubtest --allowlist pybridge/stubtest.allow --ignore-unused-allowlist moonmill._core; \
	else echo "No package index: the linters of the Python package are left out."; fi

.PHONY: python test-python test-pythons test-engines lint-python
-include $(OBJ_PY:.o=.d)
