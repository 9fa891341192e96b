package main

import (
	"context"
	"strings"
)

// alone are the campaigns against a shop in one process, and those against a service in a test.
var alone = []campaign{
	{"reservations", tested("./subgraphs/inventory", "TestCartsOver|TestTwoLinesOf|TestNoRaceTakes|TestExactlyOneOf")},
	{"payments", tested("./subgraphs/payments", "TestNoChargeIsDoubled")},
	{"sessions", raced("./subgraphs/users", "TestFiftyRefreshes|TestAfterReuse|TestNoTokenOutlives|TestAClientWhoseAnswers")},
	{"events", tested("./tools/agora", "TestEventsThatCome")},
	{"input", tested("./tools/agora", "TestNothingThatIsPut")},
	{"roles", tested("./tools/agora", "TestEveryRole")},
	{"rush", onEach(rush)},
	{"key", onEach(oneKey)},
	{"cart", onEach(changedCarts)},
	{"faults", onEach(faults)},
	{"stops", onEach(stops)},
}

// onEach is a campaign on one engine after the other.
func onEach(run func(ctx context.Context, cfg *config, engine string) (figures string, err error)) func(ctx context.Context, cfg *config) (string, error) {
	return func(ctx context.Context, cfg *config) (string, error) {
		var all []string
		for _, engine := range cfg.engineNames() {
			figures, err := run(ctx, cfg, engine)
			all = append(all, engine+": "+figures)
			if err != nil {
				return strings.Join(all, "\n"), err
			}
		}
		return strings.Join(all, "\n"), nil
	}
}
