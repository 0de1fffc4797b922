# How LuaJIT comes to build/luajit/: the source of the crate that Cargo.toml and Cargo.lock pin (checksummed), a
# folder, or the distribution's. Built with a hook check in compiled loops, so that a runaway loop can be stopped, and
# with what moonmill.patch says.
LJ_VENDOR  := cargo vendor --quiet --locked vendor >/dev/null
LJ_XCFLAGS := -DLUAJIT_ENABLE_CHECKHOOK -fvisibility=hidden
LJ_PATCH   := lua/luajit/moonmill.patch

ifeq ($(LUAJIT),system)
LJ_SRC  = $(shell pkg-config --variable=includedir luajit 2>/dev/null)
LJ_BIN := luajit
LJ_LIB := $(LJ)/libluajit.a
$(LJ_LIB):
	@echo "warning: the distribution's LuaJIT is used: it may miscompile (see 'moonmill doctor'), and neither runaway loops nor hard patterns can be stopped" >&2
	$(Q).ci/packages pkg-config libluajit-5.1-dev luajit && mkdir -p $(LJ) && echo "INPUT(-lluajit-5.1)" > $@
else
$(LJ)/.source: lua/luajit/Cargo.toml lua/luajit/Cargo.lock $(LJ_PATCH) lua/luajit/luajit.mk
	$(call say,FETCH,luajit)
	$(Q)rm -rf $(LJ) && mkdir -p $(LJ)
ifeq ($(LUAJIT),pinned)
	$(Q)mkdir -p $(LJ)/crate && cp lua/luajit/Cargo.toml lua/luajit/Cargo.lock $(LJ)/crate/ && \
	  cd $(LJ)/crate && touch none.rs && { $(LJ_VENDOR) || $(LJ_VENDOR) --offline 2>/dev/null || { \
	  echo "LuaJIT's source could not be had from crates.io." \
	       "LUAJIT=DIR takes it from a folder, LUAJIT=system the distribution's" >&2; exit 1; }; } && \
	  cp -r vendor/luajit-src/luajit2/. .. && \
	  cp vendor/luajit-src/luajit_relver.txt ../.relver 2>/dev/null && rm -rf vendor
else
	$(Q)cp -r $(LUAJIT)/. $(LJ)/
endif
	$(Q)patch -p1 -F0 -s -d $(LJ) < $(LJ_PATCH) || { \
	  echo "$(LJ_PATCH) does not fit this LuaJIT; LUAJIT=system does without it" >&2; exit 1; }
	$(Q)touch $@
$(LJ_LIB): $(LJ)/.source | build/.packages
	$(call say,BUILD,luajit)
	$(Q)$(MAKE) -C $(LJ) -j2 CC="$(CC)" BUILDMODE=static TARGET_CFLAGS=-fPIC XCFLAGS="$(LJ_XCFLAGS)" \
	  > $(LJ)/build.log 2>&1 || { tail $(LJ)/build.log; exit 1; }
endif
ifneq ($(BUILD),build)
build/.packages: $(BUILD)/.packages
	$(Q)mkdir -p build && touch $@
endif
