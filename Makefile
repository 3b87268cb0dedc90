# kiban: `make run` builds it, brings up a local playground and opens the
# console; `make test` runs every test. Both install what they need and say so.
# `make help` lists the rest.

CC	= gcc
SAN	=
BUILD	= build/$(or $(subst $(comma),-,$(SAN)),plain)
PREFIX	= /usr/local
DESTDIR	=
comma	= ,

PACKAGES = ncursesw libcurl sqlite3 jansson yaml-0.1 zlib libcrypto
CFLAGS	= -O2 -g
WARN	= -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
CPPFLAGS = -D_GNU_SOURCE -Imodules $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
LDLIBS	= $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lunistring -lpthread -ldl -lm
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

.PHONY: help all unit lint install clean
help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

all: $(BUILD)/kiban ## build build/plain/kiban (SAN=address,undefined etc. beside it)

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

unit: $(UNIT)

clean: ## remove what was built
	rm -rf build

-include $(OBJ:.o=.d) $(BUILD)/tui/main.d $(UNIT:=.d) $(FAKE:=.d)
