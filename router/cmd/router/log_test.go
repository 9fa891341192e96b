package main

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
)

func TestNoLineOfTheLogIsLostWhenServeStops(t *testing.T) {
	folder(t, map[string]string{
		"supergraph.yaml": "subgraphs:\n  a:\n    routing_url: http://127.0.0.1:1/\n    schema:\n      file: a.graphql\n",
		"a.graphql":       "type Query { x: String }",
		"router.yaml":     "supergraph: supergraph.yaml\nlisten: 127.0.0.1:0\nlog: {format: json}\n",
	})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out, log := &output{}, &output{}
	done := make(chan int, 1)
	go func() { done <- run(ctx, []string{"serve", "--config", "router.yaml"}, streams{nil, out, log}) }()
	eventually(t, "listening", func() bool { return strings.HasSuffix(out.String(), "/graphql\n") })
	url := strings.TrimSpace(out.String()[strings.Index(out.String(), "http://"):])
	const requests = 50
	for range requests {
		ask(t, url, "{ __typename }")
	}
	stop()
	if status := <-done; status != 0 {
		t.Fatalf("serve exits with %d: %s", status, log)
	}
	lines := 0
	for line := range strings.Lines(log.String()) {
		var read struct{ Msg string }
		if err := json.Unmarshal([]byte(line), &read); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if read.Msg == "request" {
			lines++
		}
	}
	if lines != requests {
		t.Errorf("%d lines for %d requests", lines, requests)
	}
}
