# Everything a person does with this repository. `make help` lists it.
GO ?= go

.DEFAULT_GOAL := help

.PHONY: help
help: ## what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: ## start the whole supergraph in one process and say where to point a browser
	$(GO) run ./tools/agora dev

.PHONY: cluster
cluster: ## start the distributed mode on this machine: processes on a local Postgres and NATS; CLUSTER passes flags
	$(GO) run ./tools/agora cluster $(CLUSTER)

# The secrets of the containers. Name a file of your own outside of development.
ENV_FILE ?= tools/deploy/development.env

.PHONY: up
up: ## build and start everything in containers: http://127.0.0.1:4000, dashboards at http://127.0.0.1:3000
	docker compose --env-file $(ENV_FILE) up --build --detach

.PHONY: down
down: ## stop the containers; what they keep stays in volumes
	docker compose --env-file $(ENV_FILE) down

.PHONY: test
test: ## run all tests; what they need is found, started or installed by the script
	@tools/test.sh

.PHONY: soak
soak: ## random supergraphs and operations for an hour, answers held against one server's; SOAK passes flags, failing cases stay in the folder
	$(GO) test ./router/plan -run RandomSupergraphs -v -timeout 0 -soak 1h -requests 65 -keep . $(SOAK)

.PHONY: lint
lint: ## formatting, vet, staticcheck, dead code, and the rules of the house
	@test -z "$$($(GO) tool gofumpt -l $$(git ls-files '*.go' | grep -v /gen/))" || { $(GO) tool gofumpt -l $$(git ls-files '*.go' | grep -v /gen/); echo "make format mends these files"; exit 1; }
	$(GO) vet ./...
	$(GO) vet -tags record ./internal/database
	$(GO) tool staticcheck $$($(GO) list ./... | grep -v /gen$$)
	@dead=$$($(GO) tool deadcode -test -generated ./... | grep -v /gen/ || true); test -z "$$dead" || { echo "$$dead"; exit 1; }
	$(GO) test ./internal/lint

.PHONY: format
format: ## format all hand-written Go files
	$(GO) tool gofumpt -l -w $$(git ls-files '*.go' | grep -v /gen/)

.PHONY: generate
generate: ## generate the subgraphs' GraphQL servers from schema/ and gqlgen.yml
	$(GO) run ./tools/gqlgen

.PHONY: compose
compose: ## compose schema/*.graphql into schema/supergraph.graphql
	$(GO) run ./router/cmd/router compose --config schema/supergraph.yaml --output schema/supergraph.graphql

.PHONY: verify
verify: generate compose ## generated code and the composed supergraph are fresh
	@git diff --exit-code --stat -- schema subgraphs/*/gen || { echo "commit what make generate and make compose changed"; exit 1; }

.PHONY: bench
bench: ## run every Go benchmark once
	$(GO) test -run '^$$' -bench . -benchtime 1x ./...

.PHONY: bench-router
bench-router: ## measure the router beside a floor program; BENCH passes flags
	$(GO) run ./tools/bench router $(BENCH)

.PHONY: chaos
chaos: ## break the shop in one process on purpose, under load, and report in figures; CHAOS=--full tries as often as is promised
	$(GO) run ./tools/chaos $(CHAOS)

.PHONY: chaos-cluster
chaos-cluster: ## the same with two routers and two replicas of each service, on stores that are stopped too; CHAOS passes flags
	$(GO) run ./tools/chaos cluster $(CHAOS)

.PHONY: bench-shop
bench-shop: ## checkouts a second beside the same writes alone, on a cluster and in one process, and a catalogue of 100,000 products: what it takes to answer, and in memory
	$(GO) run ./tools/chaos pace --for 10s $(CHAOS)

.PHONY: playground
playground: ## rebuild the Playground's files (needs Node.js)
	cd router/playground/ui && npm ci && npm run build
