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
	"sync"
	"syscall"
	"testing"
	"time"
)

// The programs under test, built once.
var binary, routerBinary string

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "agora")
	if err != nil {
		panic(err)
	}
	binary, routerBinary = filepath.Join(folder, "agora"), filepath.Join(folder, "router")
	if out, err := exec.Command("go", "build", "-o", folder, ".", "../../router/cmd/router").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	if open.program != nil {
		open.program.kill()
		os.RemoveAll(open.folder)
	}
	os.RemoveAll(folder)
	os.Exit(code)
}

// program is a started program.
type program struct {
	*testing.T
	url     string
	command *exec.Cmd
	output  *output
	ended   chan struct{}
}

// output is all that a program has printed so far; complete once it has ended.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write takes what the program prints.
func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

// String is what it has printed.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// start starts `agora dev` on the data in folder and waits until it is ready. env are settings such as
// "AGORA_FAULTS=…".
func start(t *testing.T, folder string, env ...string) *program {
	t.Helper()
	return startCommand(t, env, binary, "dev", "--listen", "127.0.0.1:0", "--data", folder)
}

// startCommand starts a program that ends with its test, and waits until it is ready.
func startCommand(t *testing.T, env []string, command ...string) *program {
	t.Helper()
	p, err := launch(env, command...)
	if err != nil {
		t.Fatal(err)
	}
	p.T = t
	t.Cleanup(p.kill)
	return p
}

// open is the shop that tests share which neither stop it nor need it for themselves.
var open struct {
	sync.Mutex
	*program
	folder string
}

// shared is the shop that tests share.
func shared(t *testing.T) *program {
	t.Helper()
	open.Lock()
	defer open.Unlock()
	if open.program == nil {
		var err error
		if open.folder, err = os.MkdirTemp("", "agora"); err != nil {
			t.Fatal(err)
		}
		if open.program, err = launch(nil, binary, "dev", "--listen", "127.0.0.1:0", "--data", open.folder); err != nil {
			t.Fatal(err)
		}
	}
	mine := *open.program
	mine.T = t
	return &mine
}

// launch starts a program and waits until it has said the address of its GraphQL endpoint, and all else that it says
// at the start.
func launch(env []string, command ...string) (*program, error) {
	p := &program{output: &output{}, ended: make(chan struct{})}
	p.command = exec.Command(command[0], command[1:]...)
	p.command.Env = append(os.Environ(), env...)
	p.command.Stderr = p.output
	stdout, err := p.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.command.Start(); err != nil {
		return nil, err
	}
	ready := make(chan string, 1)
	go p.read(stdout, ready)
	select {
	case p.url = <-ready:
		if p.url == "" {
			return nil, fmt.Errorf("%v ended before it was ready:\n%s", command, p.output)
		}
	case <-time.After(3 * time.Minute):
		p.kill()
		return nil, fmt.Errorf("%v is not ready after three minutes:\n%s", command, p.output)
	}
	return p, nil
}

var endpoint = regexp.MustCompile(`(http://\S+)/graphql`)

// read reads what the program prints to its end.
func (p *program) read(stdout io.Reader, ready chan<- string) {
	defer close(p.ended)
	defer close(ready)
	lines, url := bufio.NewScanner(stdout), ""
	for lines.Scan() {
		fmt.Fprintln(p.output, lines.Text())
		if found := endpoint.FindStringSubmatch(lines.Text()); found != nil && url == "" {
			url = found[1]
		}
		if strings.Contains(lines.Text(), "Ctrl-C stops it") || strings.HasPrefix(lines.Text(), "router: GraphQL at") {
			ready <- url
		}
	}
	p.command.Wait()
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
