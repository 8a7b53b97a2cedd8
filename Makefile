# Neargate.  `make help` lists the targets.
#
#	SAN=asan	address and undefined-behaviour sanitizers, own objects
#	T=base/buf	which unit test `make t` runs
#	K=regex		which cases of it

# ccache, where it is installed, serves several checkouts.
CC := $(if $(shell command -v ccache),ccache )gcc
export CCACHE_NOHASHDIR = 1
BUILD = build$(if $(SAN),-$(SAN))
VERSION := $(shell git describe --always --dirty 2>/dev/null || echo unknown)
PREFIX = /usr/local

PKGS = libuv libmicrohttpd libcurl sqlite3 openssl libarchive libzstd \
	libcbor yaml-0.1 expat libpcre2-8 libmnl libisal libcap libseccomp yyjson
CFLAGS_PKG := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LIBS := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lm -lpthread

OPT = -O2 -g
WARN = -Wall -Wextra -Wswitch-enum -Wvla -Wstrict-prototypes \
	-Wmissing-prototypes -Wpointer-arith -Wwrite-strings -Wundef -Werror
CFLAGS = -std=gnu17 $(OPT) $(WARN) -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 \
	-fno-common -fstack-protector-strong \
	-Isrc -I$(BUILD)/gen $(CFLAGS_PKG) $(CFLAGS_SAN)
LDFLAGS = $(LDFLAGS_SAN) -Wl,--as-needed
ifeq ($(SAN),asan)
OPT = -O1 -g
CFLAGS_SAN = -fsanitize=address,undefined -fno-sanitize-recover=undefined \
	-fno-omit-frame-pointer
LDFLAGS_SAN = -fsanitize=address,undefined
endif

PROGRAMS := $(patsubst src/main/%.c,%,$(wildcard src/main/*.c))
FILES := $(wildcard src/*/*.c src/svc/*/*.c src/drv/*/*.c)
SRCS := $(foreach f,$(filter-out src/main/%,$(FILES)),\
	$(if $(filter test-% fuzz-%,$(notdir $f)),,$f))
OBJS := $(SRCS:src/%.c=$(BUILD)/%.o) \
	$(if $(wildcard tools/gen-tables.py),$(BUILD)/gen/tables.o $(BUILD)/gen/cfn.o)
LIB = $(BUILD)/libneargate.a
TESTS := $(foreach f,$(FILES),$(if $(filter test-%,$(notdir $f)),$(f:src/%.c=$(BUILD)/%)))
FUZZERS := $(foreach f,$(FILES),$(if $(filter fuzz-%,$(notdir $f)),$(f:src/%.c=build-fuzz/%)))

.SECONDARY:
.PHONY: FORCE all help check build-tests check-unit check-source t fuzz \
	build-fuzzers bench install clean
all: $(PROGRAMS:%=$(BUILD)/%)

help:
	@echo 'make              build the programs into build/'
	@echo 'make check        lints and unit tests'
	@echo 'make t T=base/buf [K=name]   one unit test'
	@echo 'make check-source lints only: layers, budgets, banned calls'
	@echo 'make fuzz         build (clang) and run every fuzzer, a minute each'
	@echo '                  FUZZ_RUN=-runs=20000 and the like for other spans'
	@echo 'make bench        speed, as ratios side by side'
	@echo 'make install      into $$(DESTDIR)$$(PREFIX)'
	@echo 'make SAN=asan ... the same with sanitizers, in build-asan/'
	@echo './test            everything, from units to scenarios'

$(BUILD)/neargated: $(BUILD)/main/neargated.o $(LIB)
$(BUILD)/neargate-warden: $(BUILD)/main/neargate-warden.o $(LIB)
$(BUILD)/neargate-monitor: $(BUILD)/main/neargate-monitor.o $(LIB)
# Static: it starts once per container, and inside of some as their init.
ifndef SAN
$(BUILD)/neargate-monitor: LIBS =
$(BUILD)/neargate-monitor: LDFLAGS = -static
endif
$(BUILD)/neargate: $(BUILD)/main/neargate.o $(LIB)
$(PROGRAMS:%=$(BUILD)/%):
	@echo "  LD $@"; $(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

$(LIB): $(OBJS)
	@rm -f $@
	@echo "  AR $@"; ar rcsD $@ $^

$(BUILD)/%.o: src/%.c
	@mkdir -p $(@D)
	@echo "  CC $@"; $(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

# Rewritten when the commit is another one.
$(BUILD)/version: FORCE
	@mkdir -p $(@D)
	@echo '$(VERSION)' | cmp -s - $@ || echo '$(VERSION)' >$@
FORCE:
$(BUILD)/base/version.o: $(BUILD)/version
$(BUILD)/base/version.o: CFLAGS += -DNEARGATE_VERSION='"$(VERSION)"'

$(BUILD)/gen/tables.c: tools/gen-tables.py $(wildcard model/*.json)
	@mkdir -p $(@D)
	python3 tools/gen-tables.py model $@
$(BUILD)/gen/cfn.c: tools/gen-tables.py model/cfn.json
	@mkdir -p $(@D)
	python3 tools/gen-tables.py --cfn model/cfn.json $@
$(BUILD)/gen/%.o: $(BUILD)/gen/%.c
	@echo "  CC $@"; $(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

# Protocol test vectors lie beside the project; without them the table is empty.
export NEARGATE_VECTORS ?= ../shared/vectors
$(BUILD)/gen/vectors.inc: tools/gen-tables.py tools/import-models.py \
    $(wildcard $(NEARGATE_VECTORS)/protocols/*/*.json)
	@mkdir -p $(@D)
	python3 tools/gen-tables.py --vectors $(NEARGATE_VECTORS)/protocols $@
$(BUILD)/wire/test-vectors.o: $(BUILD)/gen/vectors.inc

$(BUILD)/%: $(BUILD)/%.o $(LIB)
	@echo "  LD $@"; $(CC) $(LDFLAGS) -o $@ $^ $(LIBS) -lcmocka

check: check-source check-unit
check-source:
	tools/check-source
build-tests: $(TESTS)
check-unit: $(TESTS)
	tools/run-unit $(TESTS)
t: $(BUILD)/$(dir $(T))test-$(notdir $(T))
	CMOCKA_TEST_FILTER='$(K)' $<

# A fuzzer links the folders that have fuzzers and the layers at the bottom.
FUZZ_DIRS := base doc loop wire auth store \
	$(sort $(patsubst build-fuzz/%/,%,$(dir $(FUZZERS))))
FUZZ_SRCS := $(foreach d,$(sort $(FUZZ_DIRS)),\
	$(foreach f,$(SRCS),$(if $(filter src/$d/,$(dir $f)),$f)))
FUZZ_OBJS := $(FUZZ_SRCS:src/%.c=build-fuzz/%.o) build-fuzz/gen/tables.o \
	build-fuzz/gen/cfn.o
FUZZ_CC = $(if $(shell command -v ccache),ccache )clang
FUZZ_CFLAGS = $(filter-out -W% -fstack-protector-strong,$(CFLAGS)) -O1 \
	-fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=undefined
FUZZ_RUN = -max_total_time=60
build-fuzzers: $(FUZZERS)
fuzz: $(FUZZERS)
	tools/run-fuzz '$(FUZZ_RUN)' $(FUZZERS)
build-fuzz/gen/%.o: $(BUILD)/gen/%.c
	@mkdir -p $(@D)
	@echo "  CC $@"; $(FUZZ_CC) $(FUZZ_CFLAGS) -O0 -c -o $@ $<
build-fuzz/%.o: src/%.c
	@mkdir -p $(@D)
	@echo "  CC $@"; $(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link \
	    -MMD -MP -c -o $@ $<
build-fuzz/base/version.o: CFLAGS += -DNEARGATE_VERSION='"$(VERSION)"'
# Which objects, so that a fuzzer in another folder brings that folder in.
build-fuzz/objects: FORCE
	@mkdir -p $(@D)
	@echo '$(FUZZ_OBJS)' | cmp -s - $@ || echo '$(FUZZ_OBJS)' >$@
build-fuzz/libneargate.a: $(FUZZ_OBJS) build-fuzz/objects
	@rm -f $@
	@echo "  AR $@"; ar rcsD $@ $(FUZZ_OBJS)
build-fuzz/%: build-fuzz/%.o build-fuzz/libneargate.a
	@echo "  LD $@"; clang -fsanitize=address,undefined,fuzzer -o $@ $^ $(LIBS)

bench: all
	tools/bench

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/libexec/neargate \
	    $(DESTDIR)/etc/systemd/system
	install -m 755 $(BUILD)/neargate $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(BUILD)/neargated $(BUILD)/neargate-warden \
	    $(BUILD)/neargate-monitor $(DESTDIR)$(PREFIX)/libexec/neargate
	sed 's,/usr/local/,$(PREFIX)/,' neargate.service \
	    >$(DESTDIR)/etc/systemd/system/neargate.service

clean:
	rm -rf build build-asan build-fuzz

-include $(OBJS:.o=.d) $(wildcard $(BUILD)/main/*.d) $(TESTS:=.d) \
	$(FUZZ_OBJS:.o=.d) $(FUZZERS:=.d)
