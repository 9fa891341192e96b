package main

import (
	"bytes"
	"context"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/agora-supergraph/agora/router/config"
	"github.com/agora-supergraph/agora/router/serve"
)

// reload keeps a running router on the newest state of its configuration file and of its supergraph's files.
type reload struct {
	server
	current *serving
	// front is the handler that listens; those of later configurations answer behind it.
	front   *serve.Handler
	running *sync.WaitGroup
	// wrong is what was wrong at the last look, and has been logged.
	wrong string
}

// run watches the files until ctx ends. What can't be read, composed or loaded is logged once, and the last good state
// goes on. Requests are never stopped: those under way end on what they began with, subscriptions go on.
func (r *reload) run(ctx context.Context) {
	for {
		from := *r.current.read.from
		if r.file != "" {
			from.Files = append(slices.Clip(from.Files), r.current.source.files...)
		}
		from.Await(ctx, r.poll)
		if ctx.Err() != nil {
			return
		}
		err := r.look(ctx)
		switch {
		case ctx.Err() != nil:
		case err == nil && r.wrong != "":
			r.wrong = ""
			r.current.log.Info("all is well again", "file", r.current.cfg.Supergraph)
		case err != nil && err.Error() != r.wrong:
			r.wrong = err.Error()
			r.current.log.Error("not reloaded: the last good state is served on", "file", r.current.cfg.Supergraph, "error", r.wrong)
		}
		if err != nil { // not all files were read: some of them may count as changed still
			select {
			case <-ctx.Done():
			case <-time.After(r.poll):
			}
		}
	}
}

// look reads everything, and loads what has changed. Nothing is loaded that has not.
func (r *reload) look(ctx context.Context) error {
	cfg, source, err := r.configuration()
	changed := !bytes.Equal(source.text, r.current.source.text)
	r.current.source.files = source.files
	if err != nil {
		return err
	}
	read, err := readSupergraph(ctx, cfg.Supergraph)
	if read.from != nil {
		r.current.read.from = read.from // what is to be watched
	}
	if err != nil {
		return err
	}
	if changed {
		return r.configure(ctx, cfg, source, read)
	}
	if read.sdl == r.current.read.sdl {
		return nil
	}
	if err := r.current.engine.Load(read.sdl); err != nil {
		return err
	}
	r.current.read = read
	r.current.log.Info("supergraph reloaded", "file", cfg.Supergraph, "subgraphs", len(r.current.engine.Supergraph().Subgraphs))
	r.current.warn()
	r.current.beside.reloaded(ctx)
	return nil
}

// configure puts a router of a new configuration behind the listener.
func (r *reload) configure(ctx context.Context, cfg config.Config, source source, read reading) error {
	next, err := r.start(ctx, cfg, read, r.running)
	if err != nil {
		return err
	}
	next.source = source
	old := r.current
	r.front.Replace(next.engine.Front())
	r.current = next
	old.stop()
	err = old.engine.Close()
	next.log.Info("configuration reloaded", "file", r.file)
	if !reflect.DeepEqual(old.cfg.Telemetry, cfg.Telemetry) {
		next.log.Warn("telemetry changes at the next start only", "file", r.file)
	}
	if !old.cfg.Serve.SameListener(cfg.Serve) {
		next.log.Warn("listen, tls, h2c and the bounds of connections change at the next start only", "file", r.file)
	}
	return err
}
