# The targets that CONTRIBUTING.md speaks of. `make test` is what CI runs.
GO ?= go

.PHONY: test virtual servers check prove cover simulate drill drills-docker reliability image fuzz bench lint lambdas

# Tests on real servers keep time: what computes stands back for them (nice).
DOCKER_TESTS := github.com/lifeboat-dr/lifeboat/drills/target/docker

# The game days on real servers that fit into CI: each kind of loss, one that must not
# fail over, and the functions crashing inside each. `make drills-docker` plays all, and
# every run of `make test` plays all in virtual time.
DOCKER_DRILLS := region-killed,database-frozen,region-partition,link-partition,monitor-crash-inside-partition,trigger-killed-after-each-step

# Every fault once, some of which show only with the next ticks, and half-failures for half
# a minute each: for make drills-docker.
DOCKER_SKIP := ^(TestFaults|TestHarmOnMySQL)$$

# What runs programs, compresses their output or reads their source, and has no goroutines
# of its own: the race detector would make it five times as slow.
MODULE := github.com/lifeboat-dr/lifeboat
UNRACED := $(MODULE)/terraform $(MODULE)/lambdas/build/internal/artifact

# What plays worlds in virtual time: a sample of them with the race detector, as package
# internal/raced draws it, and all of them without.
WHOLE := $(addprefix $(MODULE)/,drills drills/drill drills/target/embedded drills/conformance pkg/dr/failover pkg/dr/failover/guard lambdas/function/monitor)

# What make prove plays.
WHOLE_SKIP := ^TestKillTable$$|^TestSameBytesAnywhere$$/^the_functions$$

test: check ## everything that must be green: virtual and servers, side by side
	@$(MAKE) --no-print-directory -j2 virtual servers

virtual: ## all tests that need no server: what runs goroutines with the race detector, and without it every simulated world
	nice $(GO) test -race -cpu 1 -parallel 2 -timeout 30m $$($(GO) list ./... | grep -vx $(addprefix -e ,$(DOCKER_TESTS) $(UNRACED)))
	nice $(GO) test -cpu 1 -parallel 2 -timeout 30m -skip '$(WHOLE_SKIP)' $(UNRACED) $(WHOLE)

servers: ## the tests and game days on real MySQL, where a Docker engine answers
	@if docker info >/dev/null 2>&1; then \
		set -e; \
		echo "$(GO) test -race -skip '$(DOCKER_SKIP)' -timeout 30m ./drills/target/docker"; \
		$(GO) test -race -skip '$(DOCKER_SKIP)' -timeout 30m ./drills/target/docker; \
		echo "DRILL_TARGET=docker DRILL_SCENARIO=$(DOCKER_DRILLS) $(GO) test ./drills -short -run TestGameDay -count=1, in two halves side by side"; \
		game="$(GO) test ./drills -short -run TestGameDay -count=1 -timeout 20m"; failed=; \
		export DRILL_TARGET=docker DRILL_SCENARIO=$${DRILL_SCENARIO:-$(DOCKER_DRILLS)}; \
		DRILL_SHARD=1/2 $$game & half=$$!; \
		DRILL_SHARD=2/2 DRILL_OUT=out/second $$game || failed=1; \
		wait $$half || failed=1; \
		[ -z "$$failed" ]; \
	elif echo "$$DRILL_REQUIRE" | grep -q docker; then \
		echo "DRILL_REQUIRE=$$DRILL_REQUIRE, and no Docker engine answers" >&2; exit 1; \
	else \
		echo "no Docker engine answers: the tests and game days on real MySQL are skipped"; \
	fi

check: ## what needs no test to run
	$(GO) vet ./...
	@test -z "$$(gofmt -l .)" || { echo "not formatted:"; gofmt -l .; exit 1; }

# A world in a process with one processor can be replayed byte for byte. A process becomes slow
# after some thousand worlds, so each plays 100.
WORLDS ?= 10000
SEED ?= 1
simulate: ## WORLDS of ten minutes under drawn faults, from SEED on, two at a time
	@mkdir -p drills/out; rm -f drills/out/simulation-*.txt; $(GO) test -c -o drills/out/simulation.test ./drills || exit 1; \
	n=$$(( ($(WORLDS) + 99) / 100 )); export DRILL_REPEAT=$(WORLDS) DRILL_SEED=$(SEED); cd drills; failed=; \
	seq 1 $$n | xargs -P 2 -I K sh -c 'DRILL_SHARD=K/'$$n' out/simulation.test -test.run "^TestSimulation$$/^worlds" -test.cpu 1 -test.v -test.timeout 30m >out/simulation-K.txt 2>&1' || failed=1; \
	grep -hE "violation|simulation_test.go:[0-9]+: seed|replay:|smaller:" out/simulation-*.txt; \
	echo "$$(cat out/simulation-*.txt | grep -c '^=== RUN .*seed=') worlds, of $$(grep -lE '^ok|^PASS' out/simulation-*.txt | wc -l) of $$n processes without a violation; the whole of it: drills/out/simulation-*.txt"; [ -z "$$failed" ]

prove: ## what takes minutes: every state of the model, every built-in bug, every crash point, every case of harm, every world with the race detector, the functions' bytes in two folders
	LIFEBOAT_MODEL=full $(GO) test ./drills -run 'TestModel' -count=1 -v -timeout 60m
	DRILL_BUGS=all $(GO) test ./drills -run 'TestKillTable' -count=1 -v -timeout 60m
	$(GO) test ./lambdas/build/... -run 'TestSameBytesAnywhere' -count=1
	LIFEBOAT_POINTS=all $(GO) test ./pkg/dr/failover ./drills/conformance -run 'TestCrashPoints' -count=1 -v -timeout 60m
	DRILL_HARM=all $(GO) test ./drills -run '^TestHarm$$' -count=1 -timeout 60m
	LIFEBOAT_RACED=all $(GO) test -race -cpu 1 -parallel 2 -skip '$(WHOLE_SKIP)' $(WHOLE) -count=1 -timeout 60m

# What decides, and the suites that play it.
COVERED := $(MODULE)/pkg/dr/lease,$(MODULE)/pkg/dr/failover/guard,$(MODULE)/pkg/dr/failover,$(MODULE)/pkg/dr/health
cover: ## the share of the statements of lease, guard, failover and health that their suites run: 95 % at least
	@mkdir -p drills/out
	$(GO) test -cpu 1 -parallel 2 -count=1 -timeout 30m -coverpkg=$(COVERED) -coverprofile=drills/out/cover.txt ./pkg/dr/... ./lambdas/function/... ./drills/conformance ./drills/target/embedded
	$(GO) run ./internal/covered/cmd -least 95 -of $(COVERED) drills/out/cover.txt

drill: ## one drill in real time, no Docker, no account
	$(GO) run ./examples/quickstart

drills-docker: ## every game day on two real MySQL servers, every fault, and what must do no harm
	DRILL_REQUIRE=docker $(GO) test ./drills/target/docker -count=1 -timeout 30m
	DRILL_TARGET=docker DRILL_REQUIRE=docker $(GO) test ./drills -run TestGameDay -count=1 -v -timeout 60m

# How many runs each scenario gets, on what, and with how much of the time in which nothing
# happens. In virtual time a run takes half a second and leaves 1.2 MB; real servers take a
# minute, and -short shortens that.
RUNS ?= 100
TARGET ?= embedded
PACE ?= $(if $(filter embedded,$(TARGET)),,-short)

# A run that fails must reach the table, so the program follows whatever go test says, and
# counts what left no result.
reliability: ## many runs of every scenario, and README's table of them: RUNS=100 TARGET=embedded
	@out=$(CURDIR)/drills/out/reliability/$(TARGET)-$$(date -u +%Y%m%dT%H%M%SZ); \
	stamp=auto; git status --porcelain >/dev/null 2>&1 && stamp=true; \
	echo "$(RUNS) runs of every scenario on $(TARGET), saved in $$out"; \
	DRILL_SHARD= DRILL_TARGET=$(TARGET) DRILL_REQUIRE=$(TARGET) DRILL_REPEAT=$(RUNS) DRILL_OUT=$$out \
		$(GO) test -buildvcs=$$stamp ./drills -run '^TestGameDay$$' $(PACE) -count=1 -timeout 0; status=$$?; \
	$(GO) run ./drills/report/reliability -readme README.md -runs $(RUNS) -scenarios "$$DRILL_SCENARIO" $$out && exit $$status

image: ## a MySQL image from Debian's packages, where none can be pulled (needs root and debootstrap)
	drills/target/docker/build-image.sh

lambdas: ## the functions' packages for both architectures and their checksums, the same bytes on every machine
	$(GO) run ./lambdas/build -go $(GO) -out dist

fuzz: ## thirty seconds for every fuzz target
	@for p in $$($(GO) list ./...); do for f in $$($(GO) test -list '^Fuzz' $$p 2>/dev/null | grep '^Fuzz'); do echo "$$p $$f"; $(GO) test $$p -run '^$$' -fuzz "^$$f$$" -fuzztime 30s -fuzzminimizetime 10x || exit 1; done; done

bench: ## what must stay fast
	$(GO) test -run '^$$' -bench . -benchmem ./...

lint: ## golangci-lint, where it is installed
	golangci-lint run
