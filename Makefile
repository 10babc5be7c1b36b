# Everything here is a plain command; .ci/run is what has to pass.
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

test: ## run the tests, as the README says
	go test ./...

race: ## run the tests under the race detector
	go test -race ./...

stress: ## run the randomized tests at several widths; SEED=n repeats a run
	FRESHET_SEED=$(SEED) go test -race -run 'Stress|Linear' -count=1 -cpu=1,2,8 -v ./actors/... ./api/... ./streams/...

bench: ## compare with other caches and streams, in under a minute
	go -C bench run . -quick

golden: ## rewrite the golden scripts of the state machine from what it does
	go test ./actors/lifecycle -run Golden -rewrite

quickstart: ## see it work
	go run ./examples/quickstart

ci: ## what has to pass before a change lands
	.ci/run

.PHONY: help test race stress bench golden quickstart ci
