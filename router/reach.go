package router

import (
	"errors"
	"fmt"
	"io"

	"github.com/agora-supergraph/agora/router/headers"
	"github.com/agora-supergraph/agora/router/supergraph"
	"github.com/agora-supergraph/agora/router/traffic"
	"github.com/agora-supergraph/agora/router/transport"
)

// reached is a way to a subgraph: its transport under the policies of Config.Traffic, and the URL that it goes to, if it
// goes over HTTP.
type reached struct {
	transport.Transport
	url  string
	http *transport.HTTP
}

// transports are the ways to the subgraphs of sg, in its order.
func (r *Router) transports(sg *supergraph.Supergraph, policy *headers.Policy) ([]transport.Transport, error) {
	list := make([]transport.Transport, len(sg.Subgraphs))
	kept := map[string]reached{}
	for i, s := range sg.Subgraphs {
		way, err := r.reach(&sg.Subgraphs[i], r.hooks.answerHeaders(s.Name, policy.Names(i)))
		if err != nil {
			return nil, fmt.Errorf("subgraph %s: %w", s.Name, err)
		}
		kept[s.Name] = way
		outer, err := r.hooks.onTransport(sg, i, way.Transport)
		if err != nil {
			return nil, err
		}
		list[i] = r.hooks.around(s.Name, outer)
	}
	for name, old := range r.reached {
		if old.http != nil && kept[name].http != old.http {
			old.http.Close() // what is under way on it ends by itself
		}
	}
	r.reached = kept
	return list, nil
}

// reach is the way to a subgraph: the one that there was, unless it goes elsewhere now. Of an answer's headers it keeps
// those named.
func (r *Router) reach(s *supergraph.Subgraph, answerHeaders []string) (reached, error) {
	old, had := r.reached[s.Name]
	if t, ok := r.cfg.Transports[s.Name]; ok {
		if had {
			return old, nil
		}
		return reached{Transport: r.guard(s.Name, t)}, nil
	}
	cfg := named(r.cfg.HTTP, s.Name)
	if cfg.URL == "" {
		cfg.URL = s.URL
	}
	if had && old.url == cfg.URL {
		return old, nil
	}
	cfg.AnswerHeaders = answerHeaders
	h, err := transport.NewHTTP(cfg)
	if err != nil {
		return reached{}, err
	}
	way := reached{Transport: r.guard(s.Name, h), url: cfg.URL, http: h}
	if r.cfg.Share {
		way.Transport = &transport.Shared{Transport: way.Transport, IgnoreHeaders: unshared, Subscriptions: cfg.Subscriptions}
	}
	return way, nil
}

// unshared are headers that name a request, and don't change its answer.
var unshared = []string{"Traceparent", "Tracestate", "X-Request-Id"}

// guard puts the policies for a subgraph around its transport.
func (r *Router) guard(name string, t transport.Transport) transport.Transport {
	var events traffic.Events
	if r.cfg.TrafficEvents != nil {
		events = r.cfg.TrafficEvents(name)
	}
	return traffic.Guard(t, named(r.cfg.Traffic, name), events)
}

// named is the setting for a subgraph, or that for those not named.
func named[T any](settings map[string]T, name string) T {
	if own, ok := settings[name]; ok {
		return own
	}
	return settings[""]
}

func names(sg *supergraph.Supergraph) []string {
	list := make([]string, len(sg.Subgraphs))
	for i, s := range sg.Subgraphs {
		list[i] = s.Name
	}
	return list
}

// Close ends what the router keeps open while nobody asks: connections to subgraphs that are not in use, and to Redis, and
// hooks around transports.
// Requests and streams under way go on.
func (r *Router) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, way := range r.reached {
		if way.http != nil {
			way.http.Close()
		}
	}
	var errs []error
	for _, each := range r.hooks.transport {
		if closer, ok := each.(io.Closer); ok {
			errs = append(errs, closer.Close())
		}
	}
	if r.limits != nil {
		errs = append(errs, r.limits.Close())
	}
	return errors.Join(errs...)
}
