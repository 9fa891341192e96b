package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

// program is a started program that answers GraphQL.
type program struct {
	url     string
	command *exec.Cmd
	ended   chan struct{}

	mu     sync.Mutex
	output strings.Builder
}

// startTimeout bounds how long a program takes until it is ready.
const startTimeout = 10 * time.Minute

var endpoint = regexp.MustCompile(`(http://\S+)/graphql`)

// launch starts a program, and returns when it is ready. env are settings such as "AGORA_FAULTS=…".
func launch(env []string, command ...string) (*program, error) {
	p := &program{command: exec.Command(command[0], command[1:]...), ended: make(chan struct{})}
	p.command.Env = append(os.Environ(), env...)
	p.command.Stderr = p
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
	case url, ok := <-ready:
		if p.url = url; ok {
			return p, nil
		}
		return nil, &errEnded{command, p.said()}
	case <-time.After(startTimeout):
		p.kill()
		return nil, fmt.Errorf("%v is not ready after %v:\n%s", command, startTimeout, p.said())
	}
}

// errEnded says that a program ended before it was ready.
type errEnded struct {
	command []string
	said    string
}

func (e *errEnded) Error() string {
	return fmt.Sprintf("%v ended before it was ready:\n%s", e.command, e.said)
}

// read reads what the program prints to its end.
func (p *program) read(stdout io.Reader, ready chan<- string) {
	defer close(p.ended)
	defer close(ready)
	url := ""
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		line := lines.Text()
		p.mu.Lock()
		p.output.WriteString(line + "\n")
		p.mu.Unlock()
		if found := endpoint.FindStringSubmatch(line); found != nil && url == "" {
			url = found[1]
		}
		if strings.Contains(line, "Ctrl-C stops it") {
			ready <- url
		}
	}
	p.command.Wait()
}

// Write takes what the program says on standard error.
func (p *program) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.Write(b)
}

// said is the last of what it has printed.
func (p *program) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := p.output.String()
	return text[max(0, len(text)-2000):]
}

// kill ends it as a power cut would.
func (p *program) kill() {
	p.command.Process.Kill()
	<-p.ended
}

// interrupt ends it as Ctrl-C does.
func (p *program) interrupt() {
	p.command.Process.Signal(syscall.SIGINT)
	select {
	case <-p.ended:
	case <-time.After(time.Minute):
		p.kill()
	}
}

// client is somebody who sends requests.
type client struct{ url, token, refresh string }

// requestTimeout bounds a request.
const requestTimeout = 30 * time.Second

// browser keeps the connections of all buyers.
var browser = &http.Client{Timeout: requestTimeout, Transport: &http.Transport{MaxIdleConnsPerHost: 256}}

// send sends an operation. An error is that there is no answer, or one with GraphQL errors.
func (c client) send(ctx context.Context, query string, variables map[string]any) (map[string]any, error) {
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+"/graphql", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := browser.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var answer struct {
		Data   map[string]any
		Errors []struct{ Message string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return nil, err
	}
	if len(answer.Errors) > 0 {
		return answer.Data, errors.New(answer.Errors[0].Message)
	}
	return answer.Data, nil
}

// text is the string at a path like "orderCreate.order.id", or "".
func text(value any, path string) string {
	s, _ := at(value, path).(string)
	return s
}

// number is the whole number at a path, or 0.
func number(value any, path string) int {
	n, _ := at(value, path).(float64)
	return int(n)
}

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
