package shop

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Server serves all subgraphs over HTTP, each at the path of its name, and its own State at /state.
type Server struct {
	services map[string]*Service
	requests atomic.Int64
	delay    atomic.Int64
	record   atomic.Bool

	mu       sync.Mutex
	recorded []Recorded
}

// State is what a server tells of itself, and, put there, what it is told.
type State struct {
	// Requests that subgraphs have answered since the start.
	Requests int64
	// Delay before every answer.
	Delay time.Duration
	// Record tells it to record requests. Recorded are those since it was told to.
	Record   bool
	Recorded []Recorded
}

// Recorded is a request that a subgraph has answered.
type Recorded struct {
	Subgraph   string
	Body       string
	Start, End time.Time
}

// NewServer returns a server of all subgraphs.
func NewServer() (*Server, error) {
	s := &Server{services: map[string]*Service{}}
	for _, name := range Names {
		service, err := Subgraph(name)
		if err != nil {
			return nil, err
		}
		s.services[name] = service
	}
	return s, nil
}

// buffers hold the bodies of requests.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// ServeHTTP answers a request to a subgraph, or about the state.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/")
	if name == "state" {
		s.state(w, r)
		return
	}
	service := s.services[name]
	if service == nil {
		http.NotFound(w, r)
		return
	}
	start := time.Now()
	body := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(body)
	body.Reset()
	if _, err := body.ReadFrom(r.Body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer := service.Answer(body.Bytes())
	if delay := time.Duration(s.delay.Load()); delay > 0 {
		time.Sleep(delay)
	}
	s.requests.Add(1)
	if s.record.Load() {
		s.mu.Lock()
		s.recorded = append(s.recorded, Recorded{name, body.String(), start, time.Now()})
		s.mu.Unlock()
	}
	w.Header()["Content-Type"] = contentType
	_, _ = w.Write(answer)
}

var contentType = []string{"application/json"}

func (s *Server) state(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Method == http.MethodPut {
		var set State
		if err := json.NewDecoder(r.Body).Decode(&set); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.delay.Store(int64(set.Delay))
		s.record.Store(set.Record)
		s.recorded = nil
	}
	state := State{s.requests.Load(), time.Duration(s.delay.Load()), s.record.Load(), s.recorded}
	_ = json.NewEncoder(w).Encode(state)
}

// Remote is a server in another process.
type Remote struct {
	// Address is its host and port.
	Address string
}

// URL is the endpoint of a subgraph.
func (r Remote) URL(name string) string { return "http://" + r.Address + "/" + name }

// State asks for the state.
func (r Remote) State(ctx context.Context) (State, error) { return r.ask(ctx, http.MethodGet, nil) }

// Set sets delay and recording.
func (r Remote) Set(ctx context.Context, state State) error {
	body, err := json.Marshal(state)
	if err != nil {
		return err
	}
	_, err = r.ask(ctx, http.MethodPut, bytes.NewReader(body))
	return err
}

func (r Remote) ask(ctx context.Context, method string, body io.Reader) (State, error) {
	var state State
	req, err := http.NewRequestWithContext(ctx, method, r.URL("state"), body)
	if err != nil {
		return state, err
	}
	response, err := http.DefaultClient.Do(req)
	if err != nil {
		return state, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return state, fmt.Errorf("state of the subgraphs: %s", response.Status)
	}
	return state, json.NewDecoder(response.Body).Decode(&state)
}
