# Makefile: builds, tests and checks Crescendo. One make, no recursion: every target knows all of its inputs.
#   make            the programs, in build/ (missing packages are named and installed first)
#   make demo       real pushes, orders and requests on loopback, from nothing; CORE=separate; BREAK=build|test|fixed|yaml|start shows it fail
#   make check      every test; the last line counts them
#   make long       the flows that take too long for it
#   make asan       the tests under the address and undefined-behaviour sanitizers
#   make lint       layers, purity, headers, banned functions, clang-tidy, cppcheck, gcc -fanalyzer
#   make bench      figures, as ratios against a floor in the same run
#   make sim N=1000000          that many simulated runs
#   make sim-mutants            the simulator must find each of its mutants
#   make judge RUNS=20000       the KPI judge against simulated canaries of known truth
#   make crash      kill -9 at hundreds of moments of a run, a release, a canary, and of logs being compressed; no power at each durable point of a
#                   release, and a disk that fails there
#   make upgrade FROM=HEAD~1    from an earlier commit, whose programs it builds, to this one in the middle of runs
#   make fuzz SECONDS_EACH=60   every fuzzer for that long
#   make format     clang-format
#   make install    PREFIX=/usr/local, DESTDIR=
#   make clean
MAKEFLAGS += --no-builtin-rules --no-builtin-variables
.SUFFIXES:
.DELETE_ON_ERROR:
SHELL := /bin/bash

BUILD  ?= build
CC     := gcc
MUSLCC := musl-gcc
PREFIX ?= /usr/local
VERSION := 0.1.0

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wvla -Wmissing-prototypes -Wswitch-enum -Wno-missing-field-initializers -Werror
CPPFLAGS := -D_GNU_SOURCE -DCRESCENDO_VERSION='"$(VERSION)"' -Iinclude -Iengine -I. -I$(BUILD)/gen
OPTIMISE := -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
SANITISE :=
CFLAGS   := -std=gnu11 $(WARNINGS) $(OPTIMISE) $(SANITISE)
LDFLAGS  := -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(SANITISE)
# The static programs: nothing but musl, the kernel's headers behind its own.
KERNEL_HEADERS = -idirafter /usr/include -idirafter /usr/include/$(shell $(CC) -print-multiarch)
MUSL_CFLAGS := -std=gnu11 $(WARNINGS) -Os -g -fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections
MUSL_LDFLAGS := -static -Wl,--gc-sections -Wl,-z,relro,-z,now

# --- what there is: each folder is an archive; the order is the order of the layers, lowest first -------------------------------
sources = $(sort $(wildcard $(1)/*.c))
FOLDERS := base spec plan state sim store exec net http run trigger orchestrator server cli
MAINS   := engine/cli/main.c engine/server/main.c steps/main.c
$(foreach f,$(FOLDERS),$(eval $(f)_SOURCES := $(filter-out $(MAINS),$(call sources,engine/$(f)))))
net_SOURCES     += $(call sources,engine/net/tmf)
orchestrator_SOURCES := $(call sources,orchestrator) $(foreach d,tmf fulfil telemetry,$(call sources,orchestrator/$(d)))
# A step type's table (steps/NAME.c) is linked everywhere; what performs it (steps/NAME_perform.c) only into crescendo-step.
steps_SOURCES   := $(filter-out $(MAINS),$(call sources,steps))
perform_SOURCES := $(filter %_perform.c steps/protocol.c,$(steps_SOURCES))
types_SOURCES   := $(filter-out $(perform_SOURCES),$(steps_SOURCES))
# The judge of KPIs: pure, and computed again to the same bits wherever it runs.
kpi_SOURCES     := $(call sources,steps/kpi)
perform_SOURCES += $(kpi_SOURCES)
# The core's driver types, in the same two halves.
drivers_ALL     := $(call sources,orchestrator/drivers)
drivers_SOURCES := $(filter-out %_perform.c,$(drivers_ALL))
perform_SOURCES += $(filter %_perform.c,$(drivers_ALL))
STATIC_BASE     := $(addprefix engine/base/,text.c mem.c error.c encode.c)
SHIM_SOURCES    := $(call sources,engine/exec/shim) $(call sources,engine/exec/shim/keep) $(STATIC_BASE)
# What hides secrets in the shim, for its unit test.
mask_SOURCES    := $(wildcard engine/exec/shim/mask*.c) engine/exec/shim/forms.c
HOOK_SOURCES    := $(call sources,engine/trigger/hook) engine/net/local.c $(STATIC_BASE)

object  = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
archive = $(foreach f,$(1),$(if $($(f)_SOURCES),$(BUILD)/lib/lib$(f).a))
PURE    := $(call object,$(spec_SOURCES) $(plan_SOURCES) $(state_SOURCES) $(sim_SOURCES))

PROGRAMS := $(addprefix $(BUILD)/,crescendo crescendo-server crescendo-step crescendo-shim crescendo-hook)
.PHONY: all
all: $(PROGRAMS)

# What is missing on this machine is said and installed before anything is compiled (packages.txt; asks first on a terminal).
$(BUILD)/packages-%: packages.txt tools/packages
	@mkdir -p $(@D)
	@tools/packages $(subst -, ,$*)
	@touch $@

# --- compiling ------------------------------------------------------------------------------------------------------------------
$(BUILD)/obj/%.o: %.c Makefile | $(BUILD)/packages-build
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/musl/%.o: %.c Makefile | $(BUILD)/packages-build
	@mkdir -p $(@D)
	$(MUSLCC) $(CPPFLAGS) $(MUSL_CFLAGS) $(KERNEL_HEADERS) -MMD -MP -c $< -o $@

$(call object,$(kpi_SOURCES)): CFLAGS += -ffp-contract=off

# It looks at every byte that a step prints.
$(BUILD)/musl/engine/exec/shim/mask_index.o: MUSL_CFLAGS += -O2

define archive_rule
$(BUILD)/lib/lib$(1).a: $(call object,$($(1)_SOURCES))
	@mkdir -p $$(@D) && rm -f $$@
	ar rcs $$@ $$^
endef
$(foreach f,$(FOLDERS) types drivers perform mask,$(eval $(call archive_rule,$(f))))

# --- linking: the archives from the highest layer down, net behind the tables that use it ---------------------------------------
$(BUILD)/crescendo: $(call object,engine/cli/main.c) $(call archive,cli sim state plan spec types net base)
	$(CC) $(LDFLAGS) $(filter %.o %.a,$^) -lyaml -ljansson -lm -o $@

$(BUILD)/crescendo-server: $(call object,engine/server/main.c) $(call archive,server orchestrator trigger run http exec store state plan spec types drivers net base)
	$(CC) $(LDFLAGS) $(filter %.o %.a,$^) -luv -lmicrohttpd -lsqlite3 -lzstd -lyaml -ljansson -lm -o $@

$(BUILD)/crescendo-step: $(call object,steps/main.c) $(call archive,perform types drivers net base)
	$(CC) $(LDFLAGS) $(filter %.o,$^) -Wl,--whole-archive $(call archive,perform) -Wl,--no-whole-archive $(call archive,types drivers net base) -larchive -lgit2 -lcurl -lyaml -ljansson -lm -o $@

$(BUILD)/crescendo-shim: $(patsubst %.c,$(BUILD)/musl/%.o,$(SHIM_SOURCES))
	$(MUSLCC) $(MUSL_LDFLAGS) $^ -o $@

$(BUILD)/crescendo-hook: $(patsubst %.c,$(BUILD)/musl/%.o,$(HOOK_SOURCES))
	$(MUSLCC) $(MUSL_LDFLAGS) $^ -o $@

# The shim's system call filter is compiled at build time by libseccomp, so that the static shim carries only its BPF.
$(BUILD)/gen/seccomp_filter.h: $(BUILD)/tools/make-seccomp-filter
	@mkdir -p $(@D)
	$< > $@
$(BUILD)/tools/make-seccomp-filter: tools/make-seccomp-filter.c | $(BUILD)/packages-build
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -std=gnu11 $(WARNINGS) -O1 $< -lseccomp -o $@
$(patsubst %.c,$(BUILD)/musl/%.o,$(SHIM_SOURCES)): | $(BUILD)/gen/seccomp_filter.h

# --- tests: tests/unit/FOLDER/test_X.c is one cmocka program, linked with its layer and those below --------------------------------
LIBRARIES  := -luv -lmicrohttpd -lsqlite3 -lzstd -lyaml -lcurl -lgit2 -larchive -ljansson
UNIT_SOURCES := $(sort $(wildcard tests/unit/*/test_*.c tests/unit/*/*/test_*.c))
UNIT_TESTS   := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(UNIT_SOURCES))
# unit/spec/test_x needs the archives from its own layer down; steps need all that steps may use.
below_base := base
below_spec := spec types net base
below_plan := plan spec types net base
below_state := state plan spec types net base
below_sim := sim state plan spec types net base
below_store := store base
below_exec := exec mask base
below_net := net base
below_http := http net base
below_run := run http exec store state plan spec types net base
below_trigger := trigger $(below_run)
below_orchestrator := orchestrator run http exec store state plan spec perform types drivers net base
below_server := server orchestrator trigger $(below_run)
below_cli := cli sim state plan spec types net base
below_steps := perform types drivers net base
define unit_rule
$(BUILD)/unit/$(1): $(BUILD)/obj/tests/unit/$(1).o $(call archive,$(below_$(firstword $(subst /, ,$(1)))))
	@mkdir -p $$(@D)
	$$(CC) $$(LDFLAGS) $$(filter %.o %.a,$$^) $$(LIBRARIES) -lcmocka -lm -o $$@
endef
$(foreach t,$(patsubst tests/unit/%.c,%,$(UNIT_SOURCES)),$(eval $(call unit_rule,$(t))))
.PHONY: unit
unit: $(UNIT_TESTS)

# The simulated world is a layer of its own (crescendo simulate); here its objects stand beside the tests', so that a mutant replaces one.
SIM_SOURCES := $(call sources,tests/sim) $(sim_SOURCES)
$(BUILD)/sim: $(call object,$(SIM_SOURCES)) $(call archive,state plan spec types net base)
	$(CC) $(LDFLAGS) $(filter %.o %.a,$^) -lyaml -ljansson -lm -o $@

SIM_LIBRARIES := $(call archive,state plan spec types net base) -lyaml -ljansson -lm
.PHONY: sim-mutants
sim-mutants: $(BUILD)/sim
	@BUILD=$(BUILD) SIM_COMPILE="$(subst ",\",$(CC) $(CPPFLAGS) $(OPTIMISE) -std=gnu11)" SIM_OBJECTS="$(call object,$(SIM_SOURCES))" \
	    SIM_LINK="$(CC) $(LDFLAGS) @ $(SIM_LIBRARIES)" tests/sim/mutants/run

$(BUILD)/judge: $(call object,$(call sources,tests/judge)) $(call archive,perform base)
	$(CC) $(LDFLAGS) $(filter %.o %.a,$^) -ljansson -lm -o $@

# What flows, the demo and benches ask services with, and the service that they ask.
SUPPORT := $(BUILD)/load $(BUILD)/answer
$(BUILD)/load: $(call object,$(wildcard tests/support/load*.c) orchestrator/telemetry/histogram.c)
	$(CC) $(LDFLAGS) $^ -o $@
$(BUILD)/answer: $(call object,tests/support/answer.c)
	$(CC) $(LDFLAGS) $^ -o $@

# A disk whose power goes, to be loaded into the real programs.
SUPPORT += $(BUILD)/power/disk.so $(BUILD)/power/crescendo-shim
$(BUILD)/power/disk.so: $(wildcard tests/crash/power/*.c tests/crash/power/*.h)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -std=gnu11 $(WARNINGS) -O2 -g -fPIC -shared $(filter %.c,$^) -o $@
# The shim of a power cut has to be dynamic, so that something can be loaded into it.
$(BUILD)/power/crescendo-shim: $(call object,$(SHIM_SOURCES))
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) $^ -o $@
$(call object,$(filter engine/exec/shim/%,$(SHIM_SOURCES))): | $(BUILD)/gen/seccomp_filter.h

# --- what one runs ---------------------------------------------------------------------------------------------------------------
.PHONY: demo check long asan lint bench fuzz crash upgrade format install clean help compile_commands.json
demo: $(PROGRAMS) $(SUPPORT)
	@BUILD=$(BUILD) tools/demo

$(UNIT_TESTS) $(call object,$(UNIT_SOURCES)): | $(BUILD)/packages-build-test
check: $(PROGRAMS) $(UNIT_TESTS) $(BUILD)/sim $(BUILD)/judge $(SUPPORT)
	@BUILD=$(BUILD) tests/run

crash: $(PROGRAMS) $(SUPPORT)
	@BUILD=$(BUILD) tests/crash/run --moments 500
	@BUILD=$(BUILD) tests/crash/orders --moments 340
	@BUILD=$(BUILD) tests/crash/canary --moments 120
	@BUILD=$(BUILD) tests/crash/logs --moments 40
	@BUILD=$(BUILD) tests/crash/power/run --points all

long: $(PROGRAMS) $(SUPPORT)
	@BUILD=$(BUILD) tests/flow/run --long

FROM ?= $(shell cat tests/upgrade/commits)
upgrade: $(PROGRAMS)
	@for commit in $(FROM); do BUILD=$(BUILD) tests/upgrade/build $$commit && BUILD=$(BUILD) UPGRADE_FROM=$$commit tests/flow/run upgrade || exit 1; done

N ?= 20000
.PHONY: sim
sim: $(BUILD)/sim
	@$(BUILD)/sim $(N)

RUNS ?= 20000
.PHONY: judge
judge: $(BUILD)/judge
	@$(BUILD)/judge $(RUNS)

# The same tests under the sanitizers; the static programs are built as ever (musl has no sanitizers).
ASAN := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
asan:
	@$(MAKE) --no-print-directory BUILD=build-asan OPTIMISE='-O1 -g' SANITISE='$(ASAN)' asan-check
.PHONY: asan-check
asan-check: $(PROGRAMS) $(UNIT_TESTS) $(BUILD)/sim $(BUILD)/judge $(SUPPORT)
	@BUILD=$(BUILD) ASAN_OPTIONS=detect_leaks=1:abort_on_error=1 UBSAN_OPTIONS=print_stacktrace=1 SIM_RUNS=3000 tests/run layers unit golden sim flow

lint: $(PROGRAMS) | $(BUILD)/packages-build-test-lint
	@BUILD=$(BUILD) tools/lint $(PURE)

$(BUILD)/bench/floor: $(call object,tests/bench/floor.c)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) $^ -o $@
$(BUILD)/bench/events: $(call object,tests/bench/events.c) $(call archive,store base)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) $^ $(LIBRARIES) -o $@
bench: $(PROGRAMS) $(SUPPORT) $(BUILD)/bench/floor $(BUILD)/bench/events $(BUILD)/judge | $(BUILD)/packages-build-test-bench
	@BUILD=$(BUILD) tests/bench/run
	@BUILD=$(BUILD) tests/bench/graph
	@BUILD=$(BUILD) tests/bench/plan
	@BUILD=$(BUILD) tests/bench/restart
	@BUILD=$(BUILD) tests/bench/events
	@BUILD=$(BUILD) tests/bench/history
	@BUILD=$(BUILD) tests/bench/memory
	@BUILD=$(BUILD) tests/bench/domain
	@BUILD=$(BUILD) tests/bench/core
	@BUILD=$(BUILD) tests/bench/orders
	@BUILD=$(BUILD) tests/bench/canary
	@BUILD=$(BUILD) tests/bench/judge
	@BUILD=$(BUILD) tests/bench/logs
	@BUILD=$(BUILD) tests/bench/masking

SECONDS_EACH ?= 60
fuzz: | $(BUILD)/packages-build-test-lint
	@BUILD=$(BUILD) tests/fuzz/run $(SECONDS_EACH)

format: | $(BUILD)/packages-lint
	clang-format-14 -i $$(git ls-files '*.c' '*.h')

compile_commands.json:
	@tools/compile-commands $(CC) $(CPPFLAGS) $(CFLAGS) > $@ && echo "$@ written"

install: $(PROGRAMS)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/libexec/crescendo $(DESTDIR)$(PREFIX)/share/crescendo/pipelines
	install -m 755 $(BUILD)/crescendo $(DESTDIR)$(PREFIX)/bin/
	install -m 755 $(filter-out $(BUILD)/crescendo,$(PROGRAMS)) $(DESTDIR)$(PREFIX)/libexec/crescendo/
	install -m 644 $(wildcard pipelines/*.yaml) $(DESTDIR)$(PREFIX)/share/crescendo/pipelines/

clean:
	rm -rf build build-asan compile_commands.json

help:
	@sed -n 's/^#   make/make/p' Makefile

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
