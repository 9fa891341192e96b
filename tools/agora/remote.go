package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// ports are those of the routing URLs in schema/supergraph.yaml.
var ports = map[string]int{"users": 4001, "products": 4002, "inventory": 4003, "orders": 4004, "payments": 4005, "node": 4006}

// remote is a subgraph that is served over HTTP.
type remote struct {
	url      string
	listener net.Listener
	server   http.Handler
}

// listenHTTP opens the ports of the subgraphs in a list of names; "all" are all of them. Where the router listens on
// a port that the system chooses, they do too.
func (r *reopenable) listenHTTP(list, router string) (map[string]*remote, error) {
	wanted := strings.FieldsFunc(list, func(r rune) bool { return r == ',' })
	if list == "all" {
		wanted = names(r.servers)
	}
	remotes := map[string]*remote{}
	for _, name := range wanted {
		if _, ok := r.servers[name]; !ok {
			return nil, fmt.Errorf("--http %s: there is no subgraph %q, but %s", list, name, strings.Join(names(r.servers), ", "))
		}
		port := ports[name]
		if strings.HasSuffix(router, ":0") {
			port = 0
		}
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			return nil, fmt.Errorf("subgraph %s: %w", name, err)
		}
		remotes[name] = &remote{url: "http://" + listener.Addr().String() + "/graphql", listener: listener, server: r.page(func(s *shop) http.Handler { return s.servers[name] })}
	}
	return remotes, nil
}

// serve answers requests until ctx ends.
func (r *remote) serve(ctx context.Context) error {
	mux := http.NewServeMux()
	mux.Handle("/graphql", r.server)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	if err := server.Serve(r.listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func names[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }
