package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/agora-supergraph/agora/router"
	"github.com/agora-supergraph/agora/router/auth/apikey"
	"github.com/agora-supergraph/agora/router/config"
	"github.com/agora-supergraph/agora/router/persisted"
)

// documents are what a router needs beside it for persisted documents and API keys. Each is nil where it is not configured.
type documents struct {
	engine *persisted.Engine
	keys   *apikey.Keys
	// router is set once there is one: documents are planned on its supergraph.
	router *router.Router
}

// addDocuments puts persisted documents and API keys into the configuration of a router.
func addDocuments(cfg config.Config, made *router.Config, log *slog.Logger) (*documents, error) {
	d := &documents{}
	keys, ok, err := cfg.APIKeys.Keys(made.Serve.Verifier, log)
	if err != nil {
		return nil, err
	}
	if ok {
		if d.keys, err = apikey.New(keys); err != nil {
			return nil, err
		}
		made.Serve.Verifier = d.keys
		made.Serve.InitHeaders = append(made.Serve.InitHeaders, cfg.APIKeys.HeaderName())
	}
	if !cfg.Persisted.On() {
		return d, nil
	}
	engine, err := cfg.Persisted.Engine(log)
	if err != nil {
		return nil, err
	}
	engine.Warm = func(ctx context.Context, text string) error { return d.router.Warm(ctx, text) }
	if d.engine, err = persisted.New(engine); err != nil {
		return nil, err
	}
	made.Around = d.engine.Around
	made.Serve.DocumentIDs = cfg.Persisted.IDs()
	ready := made.Serve.Ready
	made.Serve.Ready = func(ctx context.Context) error {
		if ready != nil {
			if err := ready(ctx); err != nil {
				return err
			}
		}
		return d.engine.Ready()
	}
	return d, nil
}

// load reads everything before the first request. Files have to be there; what is elsewhere may come later.
func (d *documents) load(ctx context.Context, r *router.Router) error {
	d.router = r
	var errs []error
	if d.keys != nil {
		if err := d.keys.Load(ctx); err != nil && !d.keys.Remote() {
			errs = append(errs, err)
		}
	}
	if d.engine != nil {
		errs = append(errs, d.engine.Load(ctx))
	}
	return errors.Join(errs...)
}

// run keeps everything fresh until ctx ends.
func (d *documents) run(ctx context.Context) {
	var running sync.WaitGroup
	defer running.Wait()
	if d.keys != nil {
		running.Go(func() { d.keys.Run(ctx) })
	}
	if d.engine != nil {
		running.Go(func() { d.engine.Run(ctx) })
	}
}

// reloaded validates all documents against a supergraph that has just replaced another one.
func (d *documents) reloaded(ctx context.Context) {
	if d.engine != nil {
		d.engine.Warm(ctx)
	}
}
