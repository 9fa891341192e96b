package persisted

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"sync"
	"time"

	"github.com/agora-supergraph/agora/router/persisted/manifest"
	"github.com/agora-supergraph/agora/router/persisted/store"
)

// Manifest is one source of documents.
type Manifest struct {
	// Source is where it is read.
	Source store.Source
	// Client is whose documents those are that name no client of their own, as name or name~version. Empty means everybody's.
	Client string
	// Interval is the time between two looks at the source. Zero means 10 s.
	Interval time.Duration
	// Optional lets Load succeed while the source can't be read: that is logged, Ready tells, and Run goes on trying.
	Optional bool
}

// watched is a manifest with what was read last. Engine.mu guards it.
type watched struct {
	Manifest
	version   string
	documents []manifest.Document
	// wrong is the error that was logged last; empty if the last reading was good.
	wrong string
}

// Load reads all manifests. It returns what can't be read and is not optional; those that could be read are in force.
func (e *Engine) Load(ctx context.Context) error {
	var errs []error
	for _, w := range e.manifests {
		if err := e.read(ctx, w); err != nil && !w.Optional {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Run reads manifests again as their intervals say, until ctx ends. What can't be read is logged once, and the last good
// manifest goes on.
func (e *Engine) Run(ctx context.Context) {
	var running sync.WaitGroup
	defer running.Wait()
	for _, w := range e.manifests {
		running.Go(func() {
			tick := time.NewTicker(cmp.Or(w.Interval, 10*time.Second))
			defer tick.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
					// The error is logged; there is nobody else to tell.
					_ = e.read(ctx, w)
				}
			}
		})
	}
}

// Ready is an error as long as a manifest has never been read.
func (e *Engine) Ready() error {
	if n := e.missing.Load(); n > 0 {
		return fmt.Errorf("%d manifests of persisted documents have not been read", n)
	}
	return nil
}

// Documents are all documents that are in force, in the order of the manifests.
func (e *Engine) Documents() iter.Seq[manifest.Document] {
	return func(yield func(manifest.Document) bool) {
		now := e.cfg.Now()
		for _, d := range e.library.Load().documents {
			if !d.Retired(now) && !yield(d.Document) {
				return
			}
		}
	}
}

// Warm calls Config.Warm for the text of every document, as is wanted when the supergraph has changed, and logs what it refuses.
func (e *Engine) Warm(ctx context.Context) {
	if e.cfg.Warm == nil {
		return
	}
	done := map[string]bool{}
	for d := range e.Documents() {
		if ctx.Err() != nil {
			return
		}
		if !done[d.Text] {
			e.warm(ctx, d)
			done[d.Text] = true
		}
	}
}

func (e *Engine) warm(ctx context.Context, d manifest.Document) {
	err := e.cfg.Warm(ctx, d.Text)
	if err != nil && ctx.Err() == nil {
		e.cfg.Logger.LogAttrs(
			ctx, slog.LevelError, "persisted document can't be executed",
			slog.String("client", d.Client), slog.String("operation", d.Name), slog.String("document", d.ID), slog.Any("error", err),
		)
	}
}

// read looks at one manifest, and replaces the library if it has changed.
func (e *Engine) read(ctx context.Context, w *watched) error {
	e.mu.Lock()
	since := w.version
	e.mu.Unlock()
	// Without the lock: a source that is slow must not keep others from being read.
	documents, version, err := w.Source.Load(ctx, since)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if err != nil {
		if w.wrong != err.Error() {
			w.wrong = err.Error()
			e.cfg.Logger.LogAttrs(ctx, slog.LevelError, "persisted documents not read: the last good ones go on", slog.String("source", w.Source.String()), slog.Any("error", err))
		}
		return err
	}
	w.wrong = ""
	if version == w.version && version != "" {
		return nil
	}
	first := w.version == ""
	w.documents, w.version = documents, version
	next := e.newLibrary(e.library.Load())
	e.warmNew(ctx, next)
	e.library.Store(next)
	if first {
		e.missing.Add(-1)
	}
	e.cfg.Logger.LogAttrs(ctx, slog.LevelInfo, "persisted documents read", slog.String("source", w.Source.String()), slog.Int("documents", len(documents)))
	return nil
}

// newLibrary puts the documents of all manifests together, and takes over from the old one what is known of the same texts. The
// caller holds mu, or is alone.
func (e *Engine) newLibrary(old *library) *library {
	known := map[string]*document{}
	if old != nil {
		for _, d := range old.documents {
			known[d.Text] = d
		}
	}
	l := &library{byID: map[idKey]*document{}, byText: map[textKey]*document{}}
	for _, w := range e.manifests {
		for _, d := range w.documents {
			d.Client = cmp.Or(d.Client, w.Client)
			if l.add(e.newDocument(d, known[d.Text])) {
				e.cfg.Logger.Warn("a document's id is taken by another one", "source", w.Source.String(), "client", d.Client, "operation", d.Name, "document", d.ID)
			}
		}
	}
	return l
}

func (e *Engine) newDocument(d manifest.Document, same *document) *document {
	if same != nil {
		return &document{d, same.normal, same.warm}
	}
	form, err := manifest.Normalise(d.Text, 0)
	if err != nil {
		form = d.Text // its own bytes find it, and then it is refused as what it is
	}
	return &document{d, sha256.Sum256([]byte(form)), false}
}

// warmNew warms those documents that were in no library before this one.
func (e *Engine) warmNew(ctx context.Context, l *library) {
	if e.cfg.Warm == nil {
		return
	}
	done := map[string]bool{}
	for _, d := range l.documents {
		if !d.warm && !done[d.Text] {
			e.warm(ctx, d.Document)
			done[d.Text] = true
		}
		d.warm = true
	}
}
