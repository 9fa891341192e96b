package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
)

// health answers whether the process is ready for requests: its databases answer, the bus is there, and it isn't about
// to end.
type health struct {
	databases map[string]*database.DB
	connected func() bool
	draining  atomic.Bool
}

// healthTimeout bounds the question to one database.
const healthTimeout = 2 * time.Second

// health opens connections of its own, so that the question isn't in the line of requests.
func (s *shop) health() (*health, error) {
	h := &health{databases: map[string]*database.DB{}, connected: func() bool { return true }}
	if s.stream != nil {
		h.connected = s.stream.Connected
	}
	for name := range s.servers {
		url := s.cfg.Services.byName(name).Database
		if url == "" {
			continue
		}
		db, err := database.View(s.cfg.database(name, url))
		if err != nil {
			h.close()
			return nil, err
		}
		db.Read.SetMaxIdleConns(1)
		h.databases[name] = db
	}
	return h, nil
}

// ServeHTTP answers 200, or 503 with what is missing, a line each.
func (h *health) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	missing := h.missing(r.Context())
	if len(missing) > 0 {
		http.Error(w, strings.Join(missing, "\n"), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ready")
}

func (h *health) missing(ctx context.Context) []string {
	var missing []string
	if h.draining.Load() {
		missing = append(missing, "the process is stopping")
	}
	if !h.connected() {
		missing = append(missing, "the bus can't be reached")
	}
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	for name, db := range h.databases {
		var one int
		if err := db.Read.GetContext(ctx, &one, `SELECT 1`); err != nil {
			missing = append(missing, "the database of "+name+" does not answer")
		}
	}
	slices.Sort(missing)
	return missing
}

func (h *health) close() {
	for _, db := range h.databases {
		db.Close()
	}
}
