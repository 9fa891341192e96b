package main

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// line is a network connection that can be spoilt.
type line struct {
	proxy *toxiproxy.Proxy
}

// openLine opens a line to an address.
func openLine(name, to string) (*line, error) {
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	l := &line{toxiproxy.NewProxy(server, name, "127.0.0.1:0", to)}
	return l, l.proxy.Start()
}

// address is where the line begins.
func (l *line) address() string { return l.proxy.Listen }

// close cuts all connections, and takes no more.
func (l *line) close() {
	if l != nil {
		l.proxy.Stop()
	}
}

// toxics are the ways in which a network is bad, as toxiproxy names them.
var toxics = []string{
	`{"name": "x", "type": "latency", "stream": "downstream", "attributes": {"latency": 300, "jitter": 200}}`,
	`{"name": "x", "type": "slicer", "stream": "downstream", "attributes": {"average_size": 50, "size_variation": 20, "delay": 200}}`,
	`{"name": "x", "type": "limit_data", "stream": "downstream", "attributes": {"bytes": 20000}}`,
	`{"name": "x", "type": "reset_peer", "stream": "downstream", "attributes": {"timeout": 300}}`,
	`{"name": "x", "type": "timeout", "stream": "upstream", "attributes": {"timeout": 1500}}`,
}

// spoil makes the line bad until the returned function is called.
func (l *line) spoil(toxic string) (mend func(), err error) {
	_, err = l.proxy.Toxics.AddToxicJson(strings.NewReader(toxic))
	return func() { l.proxy.Toxics.ResetToxics(context.Background()) }, err
}

// childrenOf are the processes that a process has started and that run, by what Linux says of each.
func childrenOf(parent int) []int {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	var children []int
	for _, file := range stats {
		raw, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended meanwhile
		}
		// PID (NAME) STATE PARENT …, where the name may hold anything.
		_, rest, _ := strings.Cut(string(raw), ") ")
		words := strings.Fields(rest)
		if len(words) < 2 || words[0] == "Z" || words[1] != strconv.Itoa(parent) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil {
			children = append(children, pid)
		}
	}
	return children
}
