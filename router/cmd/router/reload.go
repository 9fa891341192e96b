package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/agora-supergraph/agora/router"
)

// reload keeps a running router on the newest supergraph of a file.
type reload struct {
	file   string
	poll   time.Duration
	engine *router.Router
	beside *documents
	log    *slog.Logger
}

// run watches what the supergraph was read from, and loads what it becomes, until ctx ends. What can't be read, composed or
// loaded is logged once, and the last good supergraph goes on. The router's requests are never stopped: those under way end
// on the supergraph that they began with.
func (r *reload) run(ctx context.Context, serving reading) {
	sdl, wrong := serving.sdl, ""
	for from := serving.from; ; {
		from.Await(ctx, r.poll)
		if ctx.Err() != nil {
			return
		}
		next, err := readSupergraph(ctx, r.file)
		from = next.from
		if err == nil && next.sdl == sdl {
			if wrong != "" {
				r.log.Info("supergraph is what is served again", "file", r.file)
			}
			wrong = ""
			continue
		}
		if err == nil {
			err = r.engine.Load(next.sdl)
		}
		switch {
		case ctx.Err() != nil:
		case err == nil:
			sdl, wrong = next.sdl, ""
			r.log.Info("supergraph reloaded", "file", r.file, "subgraphs", len(r.engine.Supergraph().Subgraphs))
			r.beside.reloaded(ctx)
		case err.Error() != wrong:
			wrong = err.Error()
			r.log.Error("supergraph not reloaded: the last good one is served on", "file", r.file, "error", wrong)
		}
	}
}
