package main

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/agora-supergraph/agora/router/compose"
)

//go:embed oracle.js
var oracleSource []byte

// finding is an error or hint of either side.
type finding struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// outcome is what either side made of a case.
type outcome struct {
	Errors []finding `json:"errors"`
	Hints  []finding `json:"hints"`
	SDL    string    `json:"sdl"`
	API    string    `json:"api"`
	// Crash is set where the reference threw something that is no composition error.
	Crash string `json:"crash"`
}

// oracle is the reference, in a process of its own that answers case after case.
type oracle struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	script  string
}

// startOracle starts the reference that npm installed in the folder, or the second opinion.
func startOracle(ctx context.Context, folder, which string) (*oracle, error) {
	script, err := os.CreateTemp("", "composediff-*.js")
	if err != nil {
		return nil, fmt.Errorf("start oracle: %w", err)
	}
	if _, err := script.Write(oracleSource); err != nil {
		return nil, fmt.Errorf("start oracle: %w", err)
	}
	if err := script.Close(); err != nil {
		return nil, fmt.Errorf("start oracle: %w", err)
	}
	absolute, err := filepath.Abs(folder)
	if err != nil {
		return nil, fmt.Errorf("start oracle: %w", err)
	}
	command := exec.CommandContext(ctx, "node", "--stack-size=4000", script.Name(), absolute, which)
	command.Stderr = os.Stderr
	in, err := command.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start oracle: %w", err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start oracle: %w", err)
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start oracle: %w", err)
	}
	return &oracle{command: command, in: in, out: bufio.NewReaderSize(out, 1<<20), script: script.Name()}, nil
}

// compose asks the reference.
func (o *oracle) compose(subgraphs []compose.Subgraph) (outcome, error) {
	type service struct {
		Name string `json:"name"`
		URL  string `json:"url"`
		SDL  string `json:"sdl"`
	}
	var question struct {
		Subgraphs []service `json:"subgraphs"`
	}
	for _, s := range subgraphs {
		question.Subgraphs = append(question.Subgraphs, service{s.Name, s.URL, s.SDL})
	}
	line, err := json.Marshal(question)
	if err != nil {
		return outcome{}, fmt.Errorf("ask oracle: %w", err)
	}
	if _, err := o.in.Write(append(line, '\n')); err != nil {
		return outcome{}, fmt.Errorf("ask oracle: %w", err)
	}
	reply, err := o.out.ReadBytes('\n')
	if err != nil {
		return outcome{}, fmt.Errorf("ask oracle: %w", err)
	}
	var answer outcome
	if err := json.Unmarshal(reply, &answer); err != nil {
		return outcome{}, fmt.Errorf("ask oracle: %w", err)
	}
	return answer, nil
}

// stop ends the process.
func (o *oracle) stop() {
	_ = o.in.Close()
	_ = o.command.Wait()
	_ = os.Remove(o.script)
}

// ours composes with this repository's library.
func ours(subgraphs []compose.Subgraph) outcome {
	r, errs := compose.Compose(subgraphs, compose.Config{})
	var o outcome
	for _, e := range errs {
		o.Errors = append(o.Errors, finding{string(e.Code), e.Message})
	}
	if r != nil {
		o.SDL, o.API = r.SDL, r.APISchema
		for _, h := range r.Hints {
			o.Hints = append(o.Hints, finding{string(h.Code), h.Message})
		}
	}
	return o
}
