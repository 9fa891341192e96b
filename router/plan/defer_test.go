package plan_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/agora-supergraph/agora/router/execute"
	"github.com/agora-supergraph/agora/router/plan"
)

// part is one response of an answer in parts.
type part struct {
	Data    json.RawMessage
	Errors  []json.RawMessage
	Pending []struct {
		ID    string
		Path  []any
		Label string
	}
	Incremental []struct {
		ID      string
		Path    []any
		SubPath []any
		Data    map[string]any
		Errors  []json.RawMessage
	}
	Completed []struct {
		ID     string
		Errors []json.RawMessage
	}
	HasNext *bool
}

// inParts carries out a plan with deferred fragments and puts the parts together, as a client does; the response is
// what the answer would be as a whole. An error is a part that a client could not have understood.
func (o *oracle) inParts(p *plan.Plan, req *execute.Request) (*execute.Response, error) {
	first, rest := o.executor.ExecuteInParts(context.Background(), p, req)
	m := &merger{pending: map[string][]any{}, format: req.Format}
	if err := m.add(first.Body); err != nil {
		return nil, err
	}
	first.Release()
	for rest != nil {
		next, err := rest.Next()
		if errors.Is(err, io.EOF) {
			rest.Close()
			break
		}
		if err := m.add(next.Body); err != nil || m.parts > mostParts {
			rest.Close()
			return nil, fmt.Errorf("part %d: %s: %w", m.parts, next.Body, err)
		}
		next.Release()
	}
	if len(m.pending) > 0 || m.hasNext {
		return nil, fmt.Errorf("the answer ended too early: %v are pending", m.pending)
	}
	o.failed = m.failed
	body, err := json.Marshal(map[string]any{"data": m.data, "errors": m.errors})
	return &execute.Response{Body: body}, err
}

// mostParts is how many parts an answer may have here: one that doesn't end has more.
const mostParts = 1000

// merger is a client of incremental delivery.
type merger struct {
	format  execute.Format
	data    any
	errors  []json.RawMessage
	pending map[string][]any
	parts   int
	hasNext bool
	// failed says that a fragment came to nothing, since null was where it must not be.
	failed bool
}

func (m *merger) add(body []byte) error {
	var p part
	if err := json.Unmarshal(body, &p); err != nil {
		return fmt.Errorf("%w: %s", err, body)
	}
	if p.HasNext == nil && m.parts > 0 || m.parts > 0 && !m.hasNext {
		return fmt.Errorf("a part that nobody waits for, or without hasNext: %s", body)
	}
	m.hasNext = p.HasNext != nil && *p.HasNext
	if m.parts++; m.parts == 1 {
		if err := json.Unmarshal(p.Data, &m.data); err != nil {
			return err
		}
	}
	m.errors = append(m.errors, p.Errors...)
	for _, each := range p.Pending {
		m.pending[each.ID] = each.Path
	}
	for _, inc := range p.Incremental {
		path := inc.Path
		if m.format == execute.Pending {
			known, ok := m.pending[inc.ID]
			if path = append(known[:len(known):len(known)], inc.SubPath...); !ok {
				return fmt.Errorf("an increment of %s, which is not pending: %s", inc.ID, body)
			}
		}
		m.errors = append(m.errors, inc.Errors...)
		if m.failed = m.failed || inc.Data == nil; inc.Data == nil {
			continue
		}
		if err := m.merge(path, inc.Data); err != nil {
			return fmt.Errorf("%w: %s", err, body)
		}
	}
	for _, each := range p.Completed {
		if _, ok := m.pending[each.ID]; !ok {
			return fmt.Errorf("%s was not pending: %s", each.ID, body)
		}
		delete(m.pending, each.ID)
		m.errors = append(m.errors, each.Errors...)
		m.failed = m.failed || len(each.Errors) > 0
	}
	return nil
}

// merge puts an increment where its path leads.
func (m *merger) merge(path []any, data map[string]any) error {
	at := m.data
	for _, step := range path {
		switch step := step.(type) {
		case string:
			in, _ := at.(map[string]any)
			at = in[step]
		case float64:
			in, _ := at.([]any)
			if int(step) >= len(in) {
				return fmt.Errorf("no item %v on the path %v", step, path)
			}
			at = in[int(step)]
		}
	}
	to, ok := at.(map[string]any)
	if !ok {
		return fmt.Errorf("no object at %v", path)
	}
	for key, v := range data {
		if old, ok := to[key]; ok {
			return fmt.Errorf("%s at %v comes twice: %v and %v", key, path, old, v)
		}
		to[key] = v
	}
	return nil
}

// canonical writes JSON with its keys in order.
func canonical(b []byte) string {
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return err.Error()
	}
	out, _ := json.Marshal(v)
	return string(out)
}
