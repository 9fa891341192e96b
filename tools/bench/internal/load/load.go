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

// Run sends requests until the duration is over, the limit is reached or ctx ends.
func Run(ctx context.Context, cfg Config) Result {
	ctx, cancel := context.WithTimeout(ctx, cfg.Duration)
	defer cancel()
	var next atomic.Int64
	workers := make([]worker, cfg.Connections)
	start := time.Now()
	var all sync.WaitGroup
	for i := range workers {
		all.Go(func() { workers[i].run(ctx, &cfg, &next) })
	}
	all.Wait()
	result := Result{Elapsed: time.Since(start)}
	sum := &histogram{}
	for i := range workers {
		sum.merge(&workers[i].times)
		result.Requests += int64(workers[i].times.total) + workers[i].failed
		result.Failed += workers[i].failed
		if result.Err == nil {
			result.Err = workers[i].err
		}
	}
	result.P50, result.P99 = sum.quantile(0.5), sum.quantile(0.99)
	return result
}

// patience is how long an answer may take.
const patience = 30 * time.Second

// worker is one connection.
type worker struct {
	times   histogram
	failed  int64
	err     error
	conn    *h1.Conn
	body    []byte
	request []byte
}

func (w *worker) run(ctx context.Context, cfg *Config, next *atomic.Int64) {
	defer w.close()
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

// once sends one request and receives its answer.
func (w *worker) once(ctx context.Context, cfg *Config, seq uint64) error {
	if w.conn == nil {
		conn, err := h1.Dial(cfg.Address)
		if err != nil {
			return err
		}
		w.conn = conn
		deadline, _ := ctx.Deadline()
		if err := conn.SetDeadline(deadline.Add(patience)); err != nil {
			return err
		}
	}
	w.body = cfg.Body(w.body[:0], seq)
	w.request = h1.Request(w.request[:0], cfg.Address, cfg.Path, w.body)
	if err := w.conn.Send(w.request); err != nil {
		return err
	}
	status, answer, err := w.conn.Receive()
	if err != nil {
		return err
	}
	if status != 200 {
		return fmt.Errorf("status %d: %.300s", status, answer)
	}
	return cfg.Verify(seq, answer)
}
