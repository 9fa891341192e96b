package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/agora-supergraph/agora/tools/bench/internal/floor"
	"github.com/agora-supergraph/agora/tools/bench/internal/process"
)

// target is a program that is measured.
type target struct {
	name string
	// dir, command and env start it; {port}, {supergraph} and {fixture} in them are replaced. The same are in the
	// environment as PORT and SUPERGRAPH.
	dir     string
	command []string
	env     []string
	// port is where it listens; empty lets the benchmark choose. path is that of the endpoint.
	port, path string
	// floor tells that it is one: it answers anything with the same bytes.
	floor bool
}

// running is a target that has been started.
type running struct {
	target
	process *process.Process
	address string
	log     *os.File
}

// start starts a target and waits until it answers.
func (b *bench) start(ctx context.Context, t target, fixture string) (*running, error) {
	address := net.JoinHostPort("127.0.0.1", t.port)
	if t.port == "" {
		var err error
		if address, err = process.Address(); err != nil {
			return nil, err
		}
	}
	_, port, _ := net.SplitHostPort(address)
	fill := strings.NewReplacer("{port}", port, "{supergraph}", b.supergraph, "{fixture}", fixture)
	var command []string
	for _, word := range t.command {
		command = append(command, fill.Replace(word))
	}
	log, err := os.Create(filepath.Join(b.dir, strings.ReplaceAll(t.name, "/", "-")+".log"))
	if err != nil {
		return nil, err
	}
	p, err := process.Start(log, t.dir, append([]string{"PORT=" + port, "SUPERGRAPH=" + b.supergraph}, t.env...), command...)
	if err != nil {
		return nil, err
	}
	r := &running{t, p, address, log}
	if err := r.ready(ctx); err != nil {
		r.stop()
		return nil, fmt.Errorf("%s: %w", t.name, err)
	}
	return r, nil
}

func (r *running) stop() {
	r.process.Stop()
	_ = r.log.Close()
}

// startTime is how long a program may take until it answers.
const startTime = time.Minute

// ready waits until the target answers.
func (r *running) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for {
		_, err := post(ctx, "http://"+r.address+r.path, requestBody("{__typename}"))
		if err == nil {
			return nil
		}
		select {
		case <-r.process.Done():
			return fmt.Errorf("ended (%v): %s", r.process.Err(), tail(r.log.Name()))
		case <-ctx.Done():
			return fmt.Errorf("does not answer: %w: %s", err, tail(r.log.Name()))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// tail is the end of a file.
func tail(file string) string {
	text, _ := os.ReadFile(file)
	return string(text[max(0, len(text)-2000):])
}

// post sends one request and returns the body of a good answer.
func post(ctx context.Context, url string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %.300s", response.Status, answer)
	}
	return answer, err
}

// fixture makes the file that tells a floor what the reference does for a workload.
func (b *bench) fixture(ctx context.Context, w workload, reference *running) (string, error) {
	// With a pause before each answer, what one stage of a plan asks overlaps, and what two stages ask does not.
	if err := b.subgraphs.Set(ctx, state(recordPause, true)); err != nil {
		return "", err
	}
	answer, err := post(ctx, "http://"+reference.address+reference.path, w.body()(nil, w.typical))
	if err != nil {
		return "", fmt.Errorf("%s: %w", reference.name, err)
	}
	recorded, err := b.subgraphs.State(ctx)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(floor.Fixture{Subgraphs: b.subgraphs.Address, Stages: floor.Stages(recorded.Recorded), Answer: string(answer)})
	if err != nil {
		return "", err
	}
	file := filepath.Join(b.dir, "fixture-"+w.name+".json")
	return file, os.WriteFile(file, text, 0o600)
}

const recordPause = 30 * time.Millisecond
