# mod_icp: one Makefile for all of it. Settings of the httpd it is built for come from apxs, those of the
# libraries from pkg-config; both are asked once and kept in $(BUILD)/config.mk.

SAN ?=
BUILD ?= build$(if $(SAN),-$(subst $(comma),-,$(SAN)))
comma := ,
WERROR ?= $(if $(CI),-Werror)

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:

PACKAGES := libxml-2.0 sqlite3 libcrypto jansson libidn2 zlib libbrotlidec
include $(if $(filter clean deps,$(MAKECMDGOALS)),,$(BUILD)/config.mk)

$(BUILD)/config.mk: Makefile
	@mkdir -p $(@D)
	@command -v apxs >/dev/null || { echo "apxs is missing: run 'make deps' first" >&2; exit 1; }
	@{ echo "APXS_CC := $$(apxs -q CC)"; \
	   echo "APXS_CFLAGS := $$(apxs -q CFLAGS) $$(apxs -q EXTRA_CPPFLAGS) -I$$(apxs -q INCLUDEDIR)"; \
	   echo "APXS_LIBEXECDIR := $$(apxs -q LIBEXECDIR)"; \
	   echo "APXS_SBINDIR := $$(apxs -q SBINDIR)"; \
	   echo "APR_CFLAGS := $$(pkg-config --cflags apr-1 apr-util-1)"; \
	   echo "APR_LIBS := $$(pkg-config --libs apr-1 apr-util-1)"; \
	   echo "LIB_CFLAGS := $$(pkg-config --cflags $(PACKAGES))"; \
	   echo "LIB_LIBS := $$(pkg-config --libs $(PACKAGES)) -lunistring -lcsv"; \
	   echo "CURL_LIBS := $$(pkg-config --libs libcurl)"; \
	   echo "CHECK_LIBS := $$(pkg-config --libs check libbrotlienc)"; } > $@

ifeq ($(origin CC),default)
CC := $(APXS_CC)
endif
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -O1)
ICP_CFLAGS := -std=gnu11 -fPIC -fvisibility=hidden -Wall -Wextra -Wno-unused-parameter -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
              $(WERROR) -Ilibicp -I$(BUILD)/gen $(APXS_CFLAGS) $(APR_CFLAGS) $(LIB_CFLAGS) $(SANFLAGS) $(CFLAGS)

LIB_SOURCES := $(wildcard libicp/*.c)
MOD_SOURCES := $(wildcard mod_icp/*.c)
CLI_SOURCES := $(wildcard icpadmin/*.c)
UNIT_SOURCES := $(wildcard tests/unit/*.c)
objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

.PHONY: all
all: $(BUILD)/mod_icp.so $(BUILD)/icpadmin

$(BUILD)/gen/icp_sql.h: libicp/sql/embed.awk $(wildcard libicp/sql/*.sql)
	@mkdir -p $(@D)
	awk -f libicp/sql/embed.awk $(sort $(filter %.sql,$^)) > $@

$(BUILD)/obj/%.o: %.c $(BUILD)/gen/icp_sql.h $(BUILD)/config.mk
	@mkdir -p $(@D)
	$(CC) $(ICP_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/libicp.a: $(call objects,$(LIB_SOURCES))
	rm -f $@
	ar rcs $@ $^

# Only the module symbol leaves the shared object, whatever the static library holds.
$(BUILD)/mod_icp.so: $(call objects,$(MOD_SOURCES)) $(BUILD)/libicp.a mod_icp/exports.map
	$(CC) -shared $(SANFLAGS) $(LDFLAGS) -Wl,--version-script=mod_icp/exports.map -o $@ $(filter %.o %.a,$^) $(LIB_LIBS)

$(BUILD)/icpadmin: $(call objects,$(CLI_SOURCES)) $(BUILD)/libicp.a
	$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $^ $(LIB_LIBS) $(CURL_LIBS) $(APR_LIBS)

# Each tests/unit/test_*.c is one program; its exit status is Check's.
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(filter tests/unit/test_%,$(UNIT_SOURCES)))
$(BUILD)/unit/%: $(BUILD)/obj/tests/unit/%.o $(BUILD)/libicp.a
	@mkdir -p $(@D)
	$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $^ $(LIB_LIBS) $(CHECK_LIBS) $(APR_LIBS)

.PHONY: unit
unit: $(UNIT_TESTS)
	@set -e; for test in $^; do $$test; done

.PHONY: clean
clean:
	rm -rf $(BUILD)

.SECONDARY:
-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
