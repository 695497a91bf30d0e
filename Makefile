# mod_icp: one Makefile for all of it; 'make help' lists the targets. Settings of the httpd it is built for come from apxs,
# those of the libraries from pkg-config; both are asked once and kept in $(BUILD)/config.mk.

SAN ?=
comma := ,
BUILD ?= build$(if $(SAN),-$(subst $(comma),-,$(SAN)))
WERROR ?= $(if $(CI),-Werror)
PYTHON ?= /usr/bin/python3
Q := $(if $(V),,@)# V=1 shows whole command lines
export PATH := $(or $(PATH),/usr/local/bin:/usr/bin:/bin):/usr/sbin:/sbin

# As many compilers at a time as there are processors, and twice as many tests, which wait most of the time; but what is cleaned is not made meanwhile.
JOBS ?= $(shell nproc)
ifeq ($(filter clean,$(MAKECMDGOALS))$(filter -j%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(JOBS)
endif

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:

# --- what it needs ----------------------------------------------------------------------------------------------------

PACKAGES := sqlite3 libcrypto jansson libidn2 libpsl zlib libbrotlidec

BUILD_DEPS := apache2-bin apache2-dev gcc libc6-dev make pkg-config libsqlite3-dev libssl-dev libjansson-dev libidn2-dev \
              libunistring-dev libcsv-dev libpsl-dev zlib1g-dev libbrotli-dev libcurl4-openssl-dev libhtp-dev cmark
SERVER_DEPS := $(BUILD_DEPS) apache2
DEMO_DEPS := $(BUILD_DEPS) curl
CHECK_DEPS := $(DEMO_DEPS) check libfaketime libxml2-dev python3 python3-pytest python3-pytest-xdist python3-aiosmtpd python3-prometheus-client \
              openssl systemd chromium fonts-wqy-microhei
BENCH_DEPS := $(DEMO_DEPS) libxml2-dev python3 valgrind apache2-utils libapache2-mod-security2
LINT_DEPS := $(CHECK_DEPS) clang clang-tidy shellcheck pyflakes3 mandoc

# Before config.mk is made, because on a fresh machine there is no apxs yet: the packages of the targets that were asked for.
NEEDED := $(if $(filter deps,$(MAKECMDGOALS)),$(CHECK_DEPS)) $(if $(filter server-deps,$(MAKECMDGOALS)),$(SERVER_DEPS)) \
          $(if $(filter demo,$(MAKECMDGOALS)),$(DEMO_DEPS)) \
          $(if $(filter check unit replay httpd,$(MAKECMDGOALS)),$(CHECK_DEPS)) $(if $(filter bench,$(MAKECMDGOALS)),$(BENCH_DEPS)) \
          $(if $(filter lint,$(MAKECMDGOALS)),$(LINT_DEPS))
.PHONY: deps server-deps
server-deps: deps
deps:
	@tools/deps.sh $(sort $(NEEDED))

ifneq ($(if $(MAKECMDGOALS),$(filter-out clean deps server-deps help,$(MAKECMDGOALS)),all),)
include $(BUILD)/config.mk
endif

$(BUILD)/config.mk: Makefile | $(if $(strip $(NEEDED)),deps)
	@mkdir -p $(@D)
	@command -v apxs >/dev/null && command -v pkg-config >/dev/null && \
	 pkg-config --exists --print-errors apr-1 apr-util-1 libcurl htp $(PACKAGES) || { echo "something is missing: run 'make deps' (on a server: 'make server-deps')" >&2; exit 1; }
	@{ echo "APXS_CC := $$(apxs -q CC)"; \
	   echo "APXS_CFLAGS := $$(apxs -q CFLAGS) $$(apxs -q EXTRA_CPPFLAGS) -isystem $$(apxs -q INCLUDEDIR)"; \
	   echo "LIBEXECDIR := $$(apxs -q LIBEXECDIR)"; \
	   echo "SYSCONFDIR := $$(apxs -q SYSCONFDIR)"; \
	   echo "SBINDIR := $$(apxs -q SBINDIR)"; \
	   echo "HTTPD := $$(apxs -q SBINDIR)/$$(apxs -q PROGNAME)"; \
	   echo "APR_CFLAGS := $$(pkg-config --cflags apr-1 apr-util-1 | sed 's/-I/-isystem /g')"; \
	   echo "APR_LIBS := $$(pkg-config --libs apr-1 apr-util-1)"; \
	   echo "LIB_CFLAGS := $$(pkg-config --cflags $(PACKAGES))"; \
	   echo "LIB_LIBS := $$(pkg-config --libs $(PACKAGES)) -lunistring -lcsv"; \
	   echo "HTP_LIBS := $$(pkg-config --libs htp)"; \
	   echo "CURL_LIBS := $$(pkg-config --libs libcurl)"; } > $@

# --- what it makes ----------------------------------------------------------------------------------------------------

ifeq ($(origin CC),default)
CC := $(APXS_CC)
endif
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer -O1)
ICP_CFLAGS := -std=gnu11 -fPIC -fvisibility=hidden -Wall -Wextra -Wno-unused-parameter -Wshadow -Wstrict-prototypes \
              -Wmissing-prototypes $(WERROR) -Ilibicp -I$(BUILD)/gen $(APXS_CFLAGS) $(APR_CFLAGS) $(LIB_CFLAGS) $(SANFLAGS) $(CFLAGS)

LIB_SOURCES := $(wildcard libicp/*.c)
MOD_SOURCES := $(wildcard mod_icp/*.c)
CLI_SOURCES := $(wildcard icpadmin/*.c)
UNIT_SOURCES := $(wildcard tests/unit/*.c)
objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

.PHONY: all
all: $(BUILD)/mod_icp.so $(BUILD)/icpadmin

$(BUILD)/gen/icp_sql.h: libicp/sql/embed.awk $(wildcard libicp/sql/*.sql)
	@mkdir -p $(@D)
	$(Q)awk -f libicp/sql/embed.awk $(sort $(filter %.sql,$^)) > $@

# Pages and mails are compiled in; the mails use the words of the notice.
$(BUILD)/gen/icp_apply_pages.h: $(wildcard conf/apply/*.html)
$(BUILD)/gen/icp_notice_pages.h: $(wildcard conf/notice/*.html conf/notice/*.txt)
$(BUILD)/gen/icp_mail_pages.h: $(wildcard conf/mail/*.txt) conf/notice/words.txt
$(BUILD)/gen/icp_report_pages.h: conf/report/head.html
$(BUILD)/gen/icp_status_pages.h: conf/status/head.html
$(BUILD)/gen/icp_%_pages.h: conf/embed.awk
	@mkdir -p $(@D)
	$(Q)awk -f conf/embed.awk $(sort $(filter-out %.awk,$^)) > $@

$(BUILD)/obj/mod_icp/apply_pieces.o: $(BUILD)/gen/icp_apply_pages.h
$(BUILD)/obj/mod_icp/notice.o: $(BUILD)/gen/icp_notice_pages.h
$(BUILD)/obj/libicp/mail_template.o: $(BUILD)/gen/icp_mail_pages.h
$(BUILD)/obj/icpadmin/report_html.o: $(BUILD)/gen/icp_report_pages.h
$(BUILD)/obj/mod_icp/status_html.o: $(BUILD)/gen/icp_status_pages.h

# The questions and answers: Markdown in two languages with the same figures, between parts and frame of the page.
FAQ := conf/faq/figures.awk conf/faq/figures.tsv
$(BUILD)/gen/faq.%: conf/faq/%.md conf/faq/sections.awk $(FAQ)
	@mkdir -p $(@D)
	$(Q)awk -v lang=$* -f $(FAQ) $< > $@.md && cmark $@.md > $@.html && awk -v lang=$* -f conf/faq/sections.awk $@.html > $@
$(BUILD)/gen/faq.html: conf/faq/parts.html $(BUILD)/gen/faq.en $(BUILD)/gen/faq.zh conf/faq/page.html
	$(Q)cat $^ > $@
$(BUILD)/gen/icp_faq_page.h: $(BUILD)/gen/faq.html conf/embed.awk
	$(Q)awk -f conf/embed.awk $< > $@
$(BUILD)/obj/mod_icp/faq.o: $(BUILD)/gen/icp_faq_page.h

$(BUILD)/obj/%.o: %.c $(BUILD)/gen/icp_sql.h $(BUILD)/config.mk
	@mkdir -p $(@D)
	@echo "  cc $<"
	$(Q)$(CC) $(ICP_CFLAGS) -MMD -MP -c -o $@ $<

# What sees every byte of a page is worth more of the compiler's time.
READER := charref charset decode element fold gb markup media nesting number number_parts number_read open page passage scan selector sheet shell style visible
$(READER:%=$(BUILD)/obj/libicp/%.o): ICP_CFLAGS += -O3

$(BUILD)/libicp.a: $(call objects,$(LIB_SOURCES))
	$(Q)rm -f $@
	$(Q)ar rcs $@ $^

# Only the module symbol leaves the shared object, whatever the static library holds.
$(BUILD)/mod_icp.so: $(call objects,$(MOD_SOURCES)) $(BUILD)/libicp.a mod_icp/exports.map
	@echo "  link $@"
	$(Q)$(CC) -shared $(SANFLAGS) $(LDFLAGS) -Wl,--version-script=mod_icp/exports.map -o $@ $(filter %.o %.a,$^) $(LIB_LIBS) $(HTP_LIBS)

$(BUILD)/icpadmin: $(call objects,$(CLI_SOURCES)) $(BUILD)/libicp.a
	@echo "  link $@"
	$(Q)$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $^ $(LIB_LIBS) $(CURL_LIBS) $(APR_LIBS)

# The manual is the program's own table of commands.
$(BUILD)/icpadmin.8: $(BUILD)/icpadmin
	$< help --man > $@

.PHONY: docs
docs: $(BUILD)/icpadmin
	$< help --markdown > docs/icpadmin.md
	$(Q)for lang in en zh; do awk -v lang=$$lang -v docs=1 -f $(FAQ) conf/faq/$$lang.md > docs/faq.$$lang.md; done

# Each tests/unit/test_*.c is one program; its exit status is Check's.
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(filter tests/unit/test_%,$(UNIT_SOURCES)))
$(BUILD)/unit/%: $(BUILD)/obj/tests/unit/%.o $(BUILD)/libicp.a
	@mkdir -p $(@D)
	@echo "  link $@"
	$(Q)$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIB_LIBS) $$(pkg-config --libs check libbrotlienc) $(APR_LIBS)
$(BUILD)/obj/tests/unit/test_differential.o: ICP_CFLAGS += $$(pkg-config --cflags libxml-2.0)
$(BUILD)/unit/test_differential: LIB_LIBS += $$(pkg-config --libs libxml-2.0)

# Bodies are taken apart in the module, by a file that knows no httpd.
MULTIPART := $(BUILD)/unit/test_multipart $(BUILD)/replay/multipart $(BUILD)/fuzz/multipart
$(MULTIPART): $(BUILD)/obj/mod_icp/multipart.o
$(MULTIPART): LIB_LIBS += $(HTP_LIBS)

# This one counts the branches that the library takes, and what the C library looks over for it.
READER_COUNTED := $(patsubst %,$(BUILD)/counted/%.o,$(filter $(READER),$(patsubst libicp/%.c,%,$(LIB_SOURCES))))
$(BUILD)/counted/%.o: libicp/%.c $(BUILD)/config.mk
	@mkdir -p $(@D)
	@echo "  cc $<"
	$(Q)$(CC) $(ICP_CFLAGS) -fsanitize-coverage=trace-pc -U_FORTIFY_SOURCE -MMD -MP -c -o $@ $<
$(BUILD)/unit/test_linear: $(READER_COUNTED)
$(BUILD)/unit/test_linear: LDFLAGS += $(patsubst %,-Wl$(comma)--wrap=%,memchr memmem memmove memcpy)

# Each tests/fuzz/fuzz_*.c is a libFuzzer target, and here a program that replays its inputs.
FUZZ_TARGETS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
$(BUILD)/replay/%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(BUILD)/obj/tests/fuzz/replay.o $(BUILD)/libicp.a
	@mkdir -p $(@D)
	@echo "  link $@"
	$(Q)$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIB_LIBS) $(APR_LIBS)
$(BUILD)/fuzz/%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(BUILD)/libicp.a
	@mkdir -p $(@D)
	@echo "  link $@"
	$(Q)$(CC) -fsanitize=fuzzer $(SANFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIB_LIBS) $(APR_LIBS)

# libxml2 is only measured against, here and in one unit test.
$(BUILD)/bench/%: tests/bench/%.c $(BUILD)/libicp.a
	@mkdir -p $(@D)
	@echo "  link $@"
	$(Q)$(CC) $(ICP_CFLAGS) $(LDFLAGS) $$(pkg-config --cflags libxml-2.0) -o $@ $^ $$(pkg-config --libs libxml-2.0) $(LIB_LIBS) $(APR_LIBS)

.SECONDARY:
-include $(shell find $(BUILD)/obj $(BUILD)/counted -name '*.d' 2>/dev/null)

# --- what shows that it works -----------------------------------------------------------------------------------------

TEST_ENV = CK_DEFAULT_TIMEOUT=120 ICP_BUILD='$(abspath $(BUILD))' ICP_HTTPD=$(HTTPD) ICP_MODULES=$(LIBEXECDIR) SAN=$(SAN)

REPLAYS := $(FUZZ_TARGETS:%=$(BUILD)/replay/%)
PYTEST = $(TEST_ENV) $(PYTHON) -m pytest -q -n $(shell expr 2 \* $(JOBS))

# Everything is made first; then all tests run, also after one has failed.
.PHONY: check unit replay fuzz httpd demo bench lint
check: all $(BUILD)/icpadmin.8 $(UNIT_TESTS) $(REPLAYS)
	@$(PYTEST) tests $(T)

unit: $(UNIT_TESTS)
	@$(PYTEST) tests/test_programs.py::test_unit $(T)

replay: $(REPLAYS)
	@$(PYTEST) tests/test_programs.py::test_replay $(T)

# A search: make fuzz T=number SECONDS=600. New inputs stay in the build folder; one that showed a fault belongs into tests/fuzz/corpus.
SECONDS ?= 60
FUZZ_BUILD := build-fuzz
fuzz:
	$(MAKE) CC=clang BUILD=$(FUZZ_BUILD) SAN=fuzzer-no-link,address,undefined $(patsubst %,$(FUZZ_BUILD)/fuzz/%,$(or $(T),$(FUZZ_TARGETS)))
	@set -e; for target in $(or $(T),$(FUZZ_TARGETS)); do mkdir -p $(FUZZ_BUILD)/corpus/$$target; \
	 $(FUZZ_BUILD)/fuzz/$$target -max_total_time=$(SECONDS) -timeout=10 -artifact_prefix=$(FUZZ_BUILD)/ \
	     $$(ls tests/fuzz/$$target.dict 2>/dev/null | sed 's/^/-dict=/') \
	     $(FUZZ_BUILD)/corpus/$$target tests/fuzz/corpus/$$target; done

# A selection: make httpd T='-k gate'; one after the other: T='-n 0'
httpd: all $(BUILD)/icpadmin.8
	@$(PYTEST) tests/httpd tests/demo tests/repo $(T)

demo: all
	@$(TEST_ENV) sh tests/demo/demo.sh

bench: all $(BUILD)/bench/read_page
	@$(TEST_ENV) $(PYTHON) tests/bench/bench.py $(T)

lint: all $(BUILD)/icpadmin.8
	@tools/lint.sh $(BUILD) $(ICP_CFLAGS)
	@$(TEST_ENV) $(PYTHON) -m pytest -q tests/repo

# --- where it goes ----------------------------------------------------------------------------------------------------

WORKER ?= www-data
MANDIR ?= /usr/share/man
DOCDIR ?= /usr/share/doc/mod-icp
UNITDIR ?= /lib/systemd/system
MODS := $(DESTDIR)$(SYSCONFDIR)/mods-available
UNITS := $(notdir $(wildcard conf/systemd/icp-*.service conf/systemd/icp-*.timer conf/systemd/icp-*.path))
DOCS := $(wildcard docs/*.md) conf/example-vhost.conf
# These two are where programs, icp.conf and units look: what is elsewhere is named to each of them (docs/operations.md).
override STATEDIR := /var/lib/icp
override CONFDIR := /etc/icp

# Modes are said of every file, so that the umask of whoever installs decides nothing.
.PHONY: install uninstall
install: all $(BUILD)/icpadmin.8
	install -d -m 0755 $(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(SBINDIR) $(DESTDIR)$(MANDIR)/man8 $(DESTDIR)$(DOCDIR) $(MODS) $(DESTDIR)$(CONFDIR)
	install -m 0644 $(BUILD)/mod_icp.so $(DESTDIR)$(LIBEXECDIR)/mod_icp.so
	install -m 0755 $(BUILD)/icpadmin $(DESTDIR)$(SBINDIR)/icpadmin
	install -m 0644 $(BUILD)/icpadmin.8 $(DESTDIR)$(MANDIR)/man8/icpadmin.8
	install -m 0644 $(DOCS) $(DESTDIR)$(DOCDIR)
	sed 's|@LIBEXECDIR@|$(LIBEXECDIR)|' conf/icp.load > $(MODS)/icp.load && chmod 0644 $(MODS)/icp.load
	test -e $(MODS)/icp.conf || install -m 0644 conf/icp.conf $(MODS)/icp.conf
	test -e $(DESTDIR)$(CONFDIR)/holidays.tsv || install -m 0644 conf/holidays.tsv $(DESTDIR)$(CONFDIR)/holidays.tsv
	install -d -m 0755 $(DESTDIR)$(UNITDIR)/icp-.service.d
	set -e; for unit in $(UNITS); do \
	 sed 's|@SBINDIR@|$(SBINDIR)|' conf/systemd/$$unit > $(DESTDIR)$(UNITDIR)/$$unit; chmod 0644 $(DESTDIR)$(UNITDIR)/$$unit; done
	install -m 0644 conf/systemd/icp-sandbox.conf $(DESTDIR)$(UNITDIR)/icp-.service.d/sandbox.conf
	install -d -m 0755 $(DESTDIR)$(STATEDIR)
	if [ "$$(id -u)" -eq 0 ]; then install -d -m 0750 -o $(WORKER) -g $(WORKER) $(DESTDIR)$(STATEDIR)/sightings; \
	 else install -d -m 0750 $(DESTDIR)$(STATEDIR)/sightings; fi

# The register and everything else in $(STATEDIR) stays, and so do an icp.conf and a list of holidays that were edited.
uninstall: $(BUILD)/config.mk
	rm -f $(DESTDIR)$(LIBEXECDIR)/mod_icp.so $(DESTDIR)$(SBINDIR)/icpadmin $(DESTDIR)$(MANDIR)/man8/icpadmin.8 $(MODS)/icp.load
	rm -f $(addprefix $(DESTDIR)$(DOCDIR)/,$(notdir $(DOCS)))
	! cmp -s conf/icp.conf $(MODS)/icp.conf || rm -f $(MODS)/icp.conf
	! cmp -s conf/holidays.tsv $(DESTDIR)$(CONFDIR)/holidays.tsv || rm -f $(DESTDIR)$(CONFDIR)/holidays.tsv
	rm -f $(addprefix $(DESTDIR)$(UNITDIR)/,$(UNITS) icp-.service.d/sandbox.conf)
	rmdir $(DESTDIR)$(CONFDIR) $(DESTDIR)$(DOCDIR) $(DESTDIR)$(UNITDIR)/icp-.service.d 2>/dev/null || true

.PHONY: clean help
clean:
	rm -rf $(BUILD)

help:
	@echo "make             build/mod_icp.so and build/icpadmin"
	@echo "make deps        install the Debian packages that are missing, for building and testing"
	@echo "make server-deps the same for a server: Apache httpd, and what building needs; no browser, no tests"
	@echo "make demo        the whole story on a private httpd; ONCE=1 ends by itself"
	@echo "make check       unit tests and tests against a real httpd; SAN=address,undefined or SAN=thread: under sanitizers; JOBS=N as for N processors"
	@echo "make unit|httpd  one half of check; both take options of pytest: T='-k NAME'"
	@echo "make fuzz        search for inputs that break a parser (clang); takes T=NAME SECONDS=60"
	@echo "make bench       what gate and inspection cost, beside their peers"
	@echo "make lint        the compilers' analyses, shellcheck, pyflakes, guards against drift"
	@echo "make docs        write docs/icpadmin.md anew from the program, docs/faq.*.md from conf/faq"
	@echo "make install     into the httpd that apxs describes (DESTDIR is honoured); make uninstall"
	@echo "make clean"
