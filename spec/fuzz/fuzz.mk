# fuzz.mk - `make fuzz` runs every NAME_fuzz.c here for FUZZ_SECONDS with libFuzzer, from the seeds in corpus/NAME; what it finds new is
# kept in build/fuzz/corpus, and what fails in build/fuzz/NAME-crash-*. `make -f spec/fuzz/fuzz.mk replay` runs the seeds alone.
MAKEFLAGS += -r --no-print-directory
BUILD := build/fuzz
FUZZ_SECONDS ?= 20
HARNESSES := $(patsubst spec/fuzz/%_fuzz.c,%,$(sort $(wildcard spec/fuzz/*_fuzz.c)))
SANITIZE := address,undefined

ISA_FILES := $(shell find core -name '*.isa.c')
ISAS := $(if $(filter x86_64,$(shell uname -m)),base avx2 avx512,base)
OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(filter-out $(ISA_FILES),$(shell find core -name '*.c'))) \
           $(patsubst %.cc,$(BUILD)/%.o,$(shell find core -name '*.cc')) \
           $(foreach isa,$(ISAS),$(ISA_FILES:%.isa.c=$(BUILD)/%.$(isa).o))
OBJECTS += $(BUILD)/lua/host/state/host.o # moonmill.base.ffi asks it for a secret
LUAJIT := build/luajit/src
LIBS := $(LUAJIT)/libluajit.a -Wl,--export-dynamic -lzstd -lm -lpthread -ldl
FLAGS := -std=gnu11 -O1 -g -D_GNU_SOURCE -Icore -I$(LUAJIT) -Wall -Wextra -fsanitize=$(SANITIZE) -fno-sanitize-recover=all

fuzz: replay $(HARNESSES:%=run-%)

# The core with coverage counters, by the rules of the Makefile.
.PHONY: fuzz replay core
core:
	@.ci/packages clang-14 libclang-rt-14-dev
	@$(MAKE) -f Makefile BUILD=$(BUILD) CC=clang-14 CXX=clang++-14 SAN=$(SANITIZE) WARN= \
	  CFLAGS='-O1 -g -fsanitize=fuzzer-no-link' $(OBJECTS)

$(BUILD)/%_fuzz: spec/fuzz/%_fuzz.c core
	@clang-14 $(FLAGS) -fsanitize=fuzzer -c -o $@.o $< && clang++-14 -fsanitize=fuzzer,$(SANITIZE) -o $@ $@.o $(OBJECTS) $(LIBS)
$(BUILD)/%_replay: spec/fuzz/%_fuzz.c spec/fuzz/replay.c core
	@clang-14 $(FLAGS) -c -o $@.o $< && clang-14 $(FLAGS) -c -o $(BUILD)/replay.o spec/fuzz/replay.c
	@clang++-14 -fsanitize=fuzzer-no-link,$(SANITIZE) -o $@ $@.o $(BUILD)/replay.o $(OBJECTS) $(LIBS)

replay: $(HARNESSES:%=$(BUILD)/%_replay)
	@for name in $(HARNESSES); do $(BUILD)/$${name}_replay spec/fuzz/corpus/$$name/* || exit 1; done

# CSV has a second pass, over long inputs.
run-csv: run-long-csv
run-long-%: $(BUILD)/%_fuzz
	@mkdir -p $(BUILD)/corpus/long-$*
	@$< -max_total_time=$(FUZZ_SECONDS) -len_control=0 -max_len=200000 -timeout=25 -artifact_prefix=$(BUILD)/$*- \
	  $(BUILD)/corpus/long-$* spec/fuzz/corpus/$* >$(BUILD)/long-$*.log 2>&1 || { tail -n 40 $(BUILD)/long-$*.log; exit 1; }
run-%: $(BUILD)/%_fuzz
	@mkdir -p $(BUILD)/corpus/$*
	@$< -max_total_time=$(FUZZ_SECONDS) -max_len=600 -timeout=25 -artifact_prefix=$(BUILD)/$*- $(BUILD)/corpus/$* \
	  spec/fuzz/corpus/$* >$(BUILD)/$*.log 2>&1 || { tail -n 40 $(BUILD)/$*.log; exit 1; }
	@echo "$*: no failure in $(FUZZ_SECONDS) s, $$(sed -n 's:^Done \([0-9]*\) runs.*:\1:p' $(BUILD)/$*.log) runs"
