package browsertest

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
)

// Message is a line in the page's console.
type Message struct {
	// Level is "error", "warning", "info", "log", "debug" or "verbose". Uncaught exceptions,
	// blocked requests and files that are not found are errors.
	Level string
	Text  string
}

// watched are the domains whose events are recorded, of the page and of each of its workers.
// Workers wait when they start, so that nothing they do first is missed.
var watched = []struct {
	method string
	params any
}{
	{"Runtime.enable", nil},
	{"Log.enable", nil},
	{"Network.enable", nil},
	{"Target.setAutoAttach", map[string]any{"autoAttach": true, "waitForDebuggerOnStart": true, "flatten": true}},
}

// record keeps what a page and its workers said and requested.
type record struct {
	conn *conn

	mu       sync.Mutex
	messages []Message
	requests []string
}

type exception struct {
	Text      string
	Exception struct{ Description string }
}

// String is the exception as a console shows it.
func (e *exception) String() string { return strings.TrimSpace(e.Text + " " + e.Exception.Description) }

type remoteObject struct {
	Value       json.RawMessage
	Description string
}

func (o remoteObject) text() string {
	var text string
	if json.Unmarshal(o.Value, &text) == nil {
		return text
	}
	if o.Description != "" {
		return o.Description
	}
	return string(o.Value)
}

// event takes an event of the page or of one of its workers.
func (r *record) event(m message) {
	var params struct {
		Type             string
		Args             []remoteObject
		ExceptionDetails *exception
		Entry            struct{ Level, Text, URL string }
		Request          struct{ URL string }
		URL              string
		SessionID        string
	}
	if err := json.Unmarshal(m.Params, &params); err != nil {
		r.message("error", "unreadable event "+m.Method+": "+err.Error())
		return
	}
	switch m.Method {
	case "Runtime.consoleAPICalled":
		texts := make([]string, len(params.Args))
		for i, arg := range params.Args {
			texts[i] = arg.text()
		}
		r.message(params.Type, strings.Join(texts, " "))
	case "Runtime.exceptionThrown":
		r.message("error", params.ExceptionDetails.String())
	case "Log.entryAdded":
		r.message(params.Entry.Level, strings.TrimSpace(params.Entry.Text+" "+params.Entry.URL))
	case "Network.requestWillBeSent":
		r.request(params.Request.URL)
	case "Network.webSocketCreated":
		r.request(params.URL)
	case "Target.attachedToTarget":
		r.follow(params.SessionID)
	}
}

// follow records a worker too, then lets it start. Answers are not waited for: this runs on the
// goroutine that reads them.
func (r *record) follow(session string) {
	r.conn.listen(session, r.event)
	for _, domain := range watched {
		r.send(session, domain.method, domain.params)
	}
	r.send(session, "Runtime.runIfWaitingForDebugger", nil)
}

func (r *record) send(session, method string, params any) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, _, err := r.conn.send(ctx, session, method, params); err != nil {
		r.message("error", "follow a worker: "+err.Error())
	}
}

func (r *record) message(level, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.messages = append(r.messages, Message{Level: level, Text: text})
}

func (r *record) request(url string) {
	if strings.HasPrefix(url, "data:") || strings.HasPrefix(url, "blob:") {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, url)
}

func (r *record) allMessages() []Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Message(nil), r.messages...)
}

func (r *record) allRequests() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.requests...)
}
