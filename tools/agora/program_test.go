package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// binary is the program under test, built once.
var binary string

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "agora")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(folder, "agora")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(folder)
	os.Exit(code)
}

// program is a started agora.
type program struct {
	*testing.T
	url     string
	command *exec.Cmd
	// output is all that it has printed so far; complete once it has ended.
	output *bytes.Buffer
	ended  chan struct{}
}

// start starts `agora dev` on the data in folder and waits until it is ready. env are settings such as
// "AGORA_FAULTS=…".
func start(t *testing.T, folder string, env ...string) *program {
	t.Helper()
	p := &program{T: t, output: &bytes.Buffer{}, ended: make(chan struct{})}
	p.command = exec.Command(binary, "dev", "--listen", "127.0.0.1:0", "--data", folder)
	p.command.Env = append(os.Environ(), env...)
	p.command.Stderr = p.output
	stdout, err := p.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.kill() })
	ready := make(chan string, 1)
	go func() {
		defer close(p.ended)
		defer close(ready)
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			fmt.Fprintln(p.output, lines.Text())
			if found := regexp.MustCompile(`http://\S+/graphql`).FindString(lines.Text()); found != "" {
				select {
				case ready <- strings.TrimSuffix(found, "/graphql"):
				default:
				}
			}
		}
		p.command.Wait()
	}()
	select {
	case p.url = <-ready:
		if p.url == "" {
			t.Fatalf("agora dev ended before it was ready:\n%s", p.output)
		}
	case <-time.After(time.Minute):
		t.Fatal("agora dev is not ready after a minute")
	}
	return p
}

// kill ends the program as a power cut would.
func (p *program) kill() {
	p.command.Process.Signal(syscall.SIGKILL)
	<-p.ended
}

// interrupt ends it as Ctrl-C does, and returns its exit status.
func (p *program) interrupt() int {
	p.command.Process.Signal(os.Interrupt)
	select {
	case <-p.ended:
	case <-time.After(20 * time.Second):
		p.Error("agora dev does not stop on an interrupt")
		p.kill()
	}
	return p.command.ProcessState.ExitCode()
}

// client is somebody who sends requests to a program.
type client struct {
	*program
	token string
}

// response is a GraphQL response.
type response struct {
	Data   map[string]any
	Errors []struct {
		Message    string
		Path       []any
		Extensions map[string]any
	}
	// status is that of HTTP.
	status int
}

// send sends an operation, and returns an error if there is no response.
func (c client) send(query string, variables map[string]any) (*response, error) {
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+"/graphql", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/graphql-response+json")
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	r := &response{status: resp.StatusCode}
	if err := json.Unmarshal(raw, r); err != nil {
		return nil, fmt.Errorf("%s: %w", raw, err)
	}
	return r, nil
}

// do sends an operation that must be answered without errors, and returns its data.
func (c client) do(query string, variables map[string]any) map[string]any {
	c.Helper()
	r, err := c.send(query, variables)
	if err != nil {
		c.Fatal(err)
	}
	if len(r.Errors) > 0 {
		c.Fatalf("%s\nerrors: %+v", query, r.Errors)
	}
	return r.Data
}

// at is the value at a path like "me.orders.edges.0.node.id" in decoded JSON, or nil.
func at(value any, path string) any {
	for part := range strings.SplitSeq(path, ".") {
		switch v := value.(type) {
		case map[string]any:
			value = v[part]
		case []any:
			var i int
			if _, err := fmt.Sscan(part, &i); err != nil || i >= len(v) {
				return nil
			}
			value = v[i]
		default:
			return nil
		}
	}
	return value
}

// text is at for a string.
func text(value any, path string) string {
	s, _ := at(value, path).(string)
	return s
}

// number is at for a number.
func number(value any, path string) int {
	n, _ := at(value, path).(float64)
	return int(n)
}
