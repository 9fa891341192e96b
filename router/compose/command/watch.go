package command

import (
	"context"
	"fmt"
	"slices"

	"github.com/agora-supergraph/agora/router/compose"
	"github.com/agora-supergraph/agora/router/compose/config"
)

// Watch is Compose, and Compose again whenever the configuration or a file that it read changes, or a running subgraph shows
// another SDL, until ctx ends. Errors are reported and do not end it; nothing is written where nothing changed. The status is
// NotRun for bad options, else Composed.
func Watch(ctx context.Context, o Options) int {
	failOn, err := o.check()
	if err == nil && o.Config == "-" {
		err = fmt.Errorf("standard input can't be watched: name a configuration file")
	}
	if err != nil {
		return o.notRun(err.Error())
	}
	var last input
	for ctx.Err() == nil {
		c, problems := config.Read(ctx, config.Options{Path: o.Config, Client: o.Client, Timeout: o.Timeout})
		if ctx.Err() != nil {
			break
		}
		if now := (input{c.FederationVersion, c.Subgraphs, problems.Error()}); !now.equal(last) {
			last = now
			if len(problems) > 0 {
				o.unreadable(problems)
			} else {
				o.compose(c, failOn)
			}
		}
		c.Await(ctx, o.Poll)
	}
	return Composed
}

// input is all that the outcome of a composition depends on.
type input struct {
	version   string
	subgraphs []compose.Subgraph
	problems  string
}

func (i input) equal(o input) bool {
	return i.version == o.version && i.problems == o.problems && slices.Equal(i.subgraphs, o.subgraphs)
}
