// Package floor is what a router can't do without, and nothing else: a program that answers every request with the same
// bytes, after it has made the same requests to subgraphs, with fixed bodies, as a router's plan makes.
//
// In comes a Fixture, made from what subgraphs recorded of a router's requests; what comes out is the least that a
// router in Go can cost. The server is net/http. The client is either raw, which sends the requests of a stage and
// then reads the answers in the goroutine of the client's request, or net/http's, with a goroutine for each
// request of a stage.
package floor

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"

	"github.com/agora-supergraph/agora/tools/bench/internal/h1"
	"github.com/agora-supergraph/agora/tools/bench/internal/shop"
)

// Fixture is what a floor does for each request.
type Fixture struct {
	// Subgraphs is the host and port of all subgraphs.
	Subgraphs string
	// Stages are made one after the other; the requests of one at the same time.
	Stages [][]Request
	// Answer is the answer.
	Answer string
}

// Request is a request to a subgraph.
type Request struct{ Path, Body string }

// Stages orders recorded requests: what began before any of a stage had ended belongs to it. The order within a stage
// is that of the beginning.
func Stages(recorded []shop.Recorded) [][]Request {
	sorted := slices.SortedFunc(slices.Values(recorded), func(a, b shop.Recorded) int { return a.Start.Compare(b.Start) })
	var stages [][]Request
	for i := 0; i < len(sorted); {
		end := sorted[i].End
		var stage []Request
		for ; i < len(sorted) && sorted[i].Start.Before(end); i++ {
			if sorted[i].End.Before(end) {
				end = sorted[i].End
			}
			stage = append(stage, Request{"/" + sorted[i].Subgraph, sorted[i].Body})
		}
		slices.SortFunc(stage, func(a, b Request) int { return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Body, b.Body)) })
		stages = append(stages, stage)
	}
	return stages
}

// Handler returns the floor with a client: raw or net/http.
func Handler(f Fixture, client string) (http.Handler, error) {
	var send func(ctx context.Context) error
	switch client {
	case "raw":
		send = newRaw(f).send
	case "net/http":
		send = newStandard(f).send
	default:
		return nil, fmt.Errorf("floor: no client %q: raw or net/http", client)
	}
	answer, length := []byte(f.Answer), []string{strconv.Itoa(len(f.Answer))}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if err := send(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		header := w.Header()
		header["Content-Type"], header["Content-Length"] = contentType, length
		_, _ = w.Write(answer)
	}), nil
}

var contentType = []string{"application/json"}

// raw is the lean client. Connections that are not in use are on a stack.
type raw struct {
	address string
	stages  [][][]byte
	mu      sync.Mutex
	idle    []*h1.Conn
}

func newRaw(f Fixture) *raw {
	c := &raw{address: f.Subgraphs}
	for _, stage := range f.Stages {
		var requests [][]byte
		for _, r := range stage {
			requests = append(requests, h1.Request(nil, f.Subgraphs, r.Path, []byte(r.Body)))
		}
		c.stages = append(c.stages, requests)
	}
	return c
}

func (c *raw) send(context.Context) error {
	for _, stage := range c.stages {
		if err := c.stage(stage); err != nil {
			return err
		}
	}
	return nil
}

func (c *raw) stage(requests [][]byte) error {
	var space [8]*h1.Conn
	conns := space[:0]
	for _, request := range requests {
		conn, err := c.get()
		if err != nil {
			return err
		}
		conns = append(conns, conn)
		if err := conn.Send(request); err != nil {
			return err
		}
	}
	for _, conn := range conns {
		status, _, err := conn.Receive()
		if err != nil || status != http.StatusOK {
			return fmt.Errorf("subgraph: status %d, %w", status, err)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.idle = append(c.idle, conns...)
	return nil
}

func (c *raw) get() (*h1.Conn, error) {
	c.mu.Lock()
	if n := len(c.idle) - 1; n >= 0 {
		defer c.mu.Unlock()
		conn := c.idle[n]
		c.idle = c.idle[:n]
		return conn, nil
	}
	c.mu.Unlock()
	return h1.Dial(c.address)
}

// standard is net/http's client.
type standard struct {
	transport *http.Transport
	stages    [][]Request
	urls      map[string]*url.URL
	buffers   sync.Pool
}

func newStandard(f Fixture) *standard {
	c := &standard{
		transport: &http.Transport{MaxIdleConns: 10_000, MaxIdleConnsPerHost: 10_000, DisableCompression: true, WriteBufferSize: 16 << 10, ReadBufferSize: 16 << 10},
		stages:    f.Stages, urls: map[string]*url.URL{},
		buffers: sync.Pool{New: func() any { return new(bytes.Buffer) }},
	}
	for _, stage := range f.Stages {
		for _, r := range stage {
			c.urls[r.Path] = &url.URL{Scheme: "http", Host: f.Subgraphs, Path: r.Path}
		}
	}
	return c
}

func (c *standard) send(ctx context.Context) error {
	for _, stage := range c.stages {
		errs := make([]error, len(stage))
		var others sync.WaitGroup
		for i, request := range stage[1:] {
			others.Go(func() { errs[i+1] = c.one(ctx, request) })
		}
		errs[0] = c.one(ctx, stage[0])
		others.Wait()
		for _, err := range errs {
			if err != nil {
				return err
			}
		}
	}
	return nil
}

var jsonHeader = http.Header{"Content-Type": contentType, "Accept": contentType}

func (c *standard) one(ctx context.Context, r Request) error {
	target := c.urls[r.Path]
	post := &http.Request{
		Method: http.MethodPost, URL: target, Host: target.Host, Header: jsonHeader,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		ContentLength: int64(len(r.Body)), Body: io.NopCloser(bytes.NewReader([]byte(r.Body))),
	}
	response, err := c.transport.RoundTrip(post.WithContext(ctx))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	buf := c.buffers.Get().(*bytes.Buffer)
	defer c.buffers.Put(buf)
	buf.Reset()
	if _, err := buf.ReadFrom(response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("subgraph: %s", response.Status)
	}
	return nil
}
