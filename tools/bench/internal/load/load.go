// Package load sends requests to a router from a number of connections at once, each as soon as the answer before has
// come (a closed loop), for a given time, and says how many there were and how long they took.
//
// It has no part in what it measures but the processor time that it takes away: one goroutine a connection, a raw
// HTTP/1.1 client, no allocation per request.
package load

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/agora-supergraph/agora/tools/bench/internal/h1"
)

// Config says what to send where.
type Config struct {
	// Address is the host and port, Path that of the endpoint.
	Address, Path string
	// Connections is how many requests are in flight.
	Connections int
	// Duration is for how long. Requests limits how many, if it is not zero.
	Duration time.Duration
	Requests int64
	// Body appends the JSON body of the request that has the number seq, which counts up from First.
	Body  func(buf []byte, seq uint64) []byte
	First uint64
	// Verify says what is wrong with the answer to that request. It is called from several goroutines.
	Verify func(seq uint64, answer []byte) error
}

// Result is what happened.
type Result struct {
	Requests int64
	// Failed is the number of requests among them that had no answer or a wrong one; Err is one of the reasons.
	Failed   int64
	Err      error
	Elapsed  time.Duration
	P50, P99 time.Duration
}

// Client has the connections to one program. They stay open from one Run to the next, so that what a round measures is
// not the opening of connections. The zero value is ready; Runs follow one another.
type Client struct{ workers []*worker }

// Close closes the connections.
func (c *Client) Close() {
	for _, w := range c.workers {
		w.close()
	}
}

// Run sends requests until the duration is over, the limit is reached or ctx ends.
func (c *Client) Run(ctx context.Context, cfg Config) Result {
	ctx, cancel := context.WithTimeout(ctx, cfg.Duration)
	defer cancel()
	for len(c.workers) < cfg.Connections {
		c.workers = append(c.workers, &worker{})
	}
	workers := c.workers[:cfg.Connections]
	var next atomic.Int64
	start := time.Now()
	var all sync.WaitGroup
	for _, w := range workers {
		all.Go(func() { w.run(ctx, &cfg, &next) })
	}
	all.Wait()
	result := Result{Elapsed: time.Since(start)}
	sum := &histogram{}
	for _, w := range workers {
		sum.merge(&w.times)
		result.Requests += int64(w.times.total) + w.failed
		result.Failed += w.failed
		if result.Err == nil {
			result.Err = w.err
		}
	}
	result.P50, result.P99 = sum.quantile(0.5), sum.quantile(0.99)
	return result
}

// patience is how long an answer may take.
const patience = 30 * time.Second

// worker is one connection.
type worker struct {
	times  histogram
	failed int64
	err    error
	conn   *h1.Conn
	// kept tells that the connection has been idle since an earlier run: the other side may have closed it.
	kept    bool
	body    []byte
	request []byte
}

func (w *worker) run(ctx context.Context, cfg *Config, next *atomic.Int64) {
	w.times, w.failed, w.err = histogram{}, 0, nil
	w.kept = w.conn != nil
	if w.kept {
		w.setDeadline(ctx)
	}
	for ctx.Err() == nil {
		n := next.Add(1)
		if cfg.Requests > 0 && n > cfg.Requests {
			return
		}
		start := time.Now()
		if err := w.once(ctx, cfg, cfg.First+uint64(n-1)); err != nil {
			w.failed++
			w.err = err
			w.close()
			time.Sleep(time.Millisecond)
			continue
		}
		w.times.add(time.Since(start))
	}
}

func (w *worker) close() {
	if w.conn != nil {
		_ = w.conn.Close()
		w.conn = nil
	}
}

// setDeadline bounds the run, instead of each request.
func (w *worker) setDeadline(ctx context.Context) {
	deadline, _ := ctx.Deadline()
	_ = w.conn.SetDeadline(deadline.Add(patience))
}

// once sends one request and receives its answer.
func (w *worker) once(ctx context.Context, cfg *Config, seq uint64) error {
	w.body = cfg.Body(w.body[:0], seq)
	w.request = h1.Request(w.request[:0], cfg.Address, cfg.Path, w.body)
	status, answer, err := w.exchange(ctx, cfg)
	if err != nil && w.kept {
		w.close()
		status, answer, err = w.exchange(ctx, cfg)
	}
	w.kept = false
	if err != nil {
		return err
	}
	if status != 200 {
		return fmt.Errorf("status %d: %.300s", status, answer)
	}
	return cfg.Verify(seq, answer)
}

func (w *worker) exchange(ctx context.Context, cfg *Config) (status int, answer []byte, err error) {
	if w.conn == nil {
		if w.conn, err = h1.Dial(cfg.Address); err != nil {
			w.conn = nil
			return 0, nil, err
		}
		w.setDeadline(ctx)
	}
	if err := w.conn.Send(w.request); err != nil {
		return 0, nil, err
	}
	return w.conn.Receive()
}
