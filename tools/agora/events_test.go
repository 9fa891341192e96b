package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/event"
	"github.com/agora-supergraph/agora/schema"
)

// eventSchemas are the compiled schemas of events by type.
func eventSchemas(t *testing.T) map[string]*jsonschema.Schema {
	t.Helper()
	files, err := schema.Events.ReadDir("events")
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	all := map[string]*jsonschema.Schema{}
	for _, f := range files {
		raw, err := schema.Events.ReadFile("events/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err != nil {
			t.Fatalf("%s: %v", f.Name(), err)
		}
		typ := strings.TrimSuffix(f.Name(), ".json")
		if err := compiler.AddResource(event.SchemaID(typ), document); err != nil {
			t.Fatalf("%s: %v", f.Name(), err)
		}
		if all[typ], err = compiler.Compile(event.SchemaID(typ)); err != nil {
			t.Errorf("%s: %v", f.Name(), err)
		}
		if all[typ] != nil && all[typ].Location != event.SchemaID(typ)+"#" {
			t.Errorf("%s: its $id is not %s", f.Name(), event.SchemaID(typ))
		}
	}
	return all
}

// outboxes are the events of all services of a data folder, each as its type and its data.
func outboxes(t *testing.T, folder string) [][2]string {
	t.Helper()
	var all [][2]string
	for name := range sources {
		db, err := database.View("sqlite:" + filepath.Join(folder, name+".db"))
		if err != nil {
			t.Fatal(err)
		}
		var rows []struct{ Type, Data string }
		if err := db.Read.Select(&rows, `SELECT type, data FROM outbox`); err != nil {
			t.Fatal(err)
		}
		db.Close()
		for _, r := range rows {
			all = append(all, [2]string{r.Type, r.Data})
		}
	}
	return all
}

func TestEveryEventThatIsSaidIsAsItsSchemaSays(t *testing.T) {
	t.Parallel()
	schemas := eventSchemas(t)
	folder := t.TempDir()
	p := start(t, folder)
	journey(t, p)
	trade(p)
	staff := p.staff()
	staff.do(`mutation { logout { userErrors { message } } }`, nil)
	p.interrupt()
	seen := map[string]int{}
	for _, e := range outboxes(t, folder) {
		seen[e[0]]++
		s := schemas[e[0]]
		if s == nil {
			t.Errorf("there is no schema/events/%s.json", e[0])
			continue
		}
		data, err := jsonschema.UnmarshalJSON(strings.NewReader(e[1]))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(data); err != nil && seen[e[0]] == 1 {
			t.Errorf("%s: %s\n%v", e[0], e[1], err)
		}
	}
	for _, typ := range []string{
		"agora.users.user.registered.v1", "agora.products.variant.created.v1", "agora.inventory.reservation.committed.v1",
		"agora.orders.order.confirmed.v1", "agora.orders.order.rejected.v1", "agora.payments.payment.captured.v1", "agora.payments.payment.declined.v1",
	} {
		if seen[typ] == 0 {
			t.Errorf("no %s was said: %v", typ, seen)
		}
	}
}

// promises are what consumers may rely on in a schema: where each member is, its type, and whether it is always there.
func promises(raw []byte) (map[string]string, error) {
	var s struct {
		Type       json.RawMessage
		Const      json.RawMessage
		Required   []string
		Properties map[string]json.RawMessage
		Items      json.RawMessage
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, err
	}
	all := map[string]string{"": string(s.Type) + string(s.Const)}
	parts := s.Properties
	if s.Items != nil {
		parts = map[string]json.RawMessage{"[]": s.Items}
	}
	for name, part := range parts {
		inner, err := promises(part)
		if err != nil {
			return nil, err
		}
		for path, what := range inner {
			all["/"+name+path] = what
		}
		if slices.Contains(s.Required, name) {
			all["/"+name+" required"] = "true"
		}
	}
	return all, nil
}

// broken are the promises of an old schema that a new one does not keep, and what it demands that the old one did not.
func broken(before, after []byte) ([]string, error) {
	was, err := promises(before)
	if err != nil {
		return nil, err
	}
	is, err := promises(after)
	if err != nil {
		return nil, err
	}
	var list []string
	for _, path := range names(was) {
		if is[path] != was[path] {
			list = append(list, fmt.Sprintf("%s was %s and is %q", path, was[path], is[path]))
		}
	}
	for _, path := range names(is) {
		if strings.HasSuffix(path, " required") && was[path] == "" {
			list = append(list, path+" is new: events that are stored lack it")
		}
	}
	return list, nil
}

// A version of a type is a promise: an event that was stored years ago is read by it. What has to change otherwise is a
// type with another version.
func TestSchemasOfEventsOnlyGetOptionalMembers(t *testing.T) {
	t.Parallel()
	for _, commit := range []string{"HEAD", "HEAD~1"} {
		listed, err := exec.Command("git", "ls-tree", "--name-only", commit, "../../schema/events/").Output()
		if err != nil {
			t.Logf("there is nothing to compare with: %s: %v", commit, err)
			continue
		}
		for _, file := range strings.Fields(string(listed)) {
			before, err := exec.Command("git", "show", commit+":./"+file).Output()
			if err != nil {
				t.Fatalf("%s of %s: %v", file, commit, err)
			}
			after, err := os.ReadFile(file)
			if err != nil {
				t.Errorf("%s: a type that was said once is known for ever: %v", file, err)
				continue
			}
			list, err := broken(before, after)
			if err != nil || len(list) > 0 {
				t.Errorf("%s since %s: %s %v", file, commit, strings.Join(list, "; "), err)
			}
		}
	}
}

func TestAnIncompatibleSchemaIsNoticed(t *testing.T) {
	const before = `{"type":"object","required":["a"],"properties":{"a":{"type":"string"},"l":{"type":"array","items":{"type":"integer"}}}}`
	for after, want := range map[string]string{
		`{"type":"object","required":["a"],"properties":{"a":{"type":"string"},"b":{"type":"string"},"l":{"type":"array","items":{"type":"integer"}}}}`: "",
		`{"type":"object","required":["a","b"],"properties":{"a":{"type":"string"},"b":{},"l":{"type":"array","items":{"type":"integer"}}}}`:            "/b required is new",
		`{"type":"object","properties":{"a":{"type":"string"},"l":{"type":"array","items":{"type":"integer"}}}}`:                                        "/a required was true",
		`{"type":"object","required":["a"],"properties":{"a":{"type":"string"},"l":{"type":"array","items":{"type":"string"}}}}`:                        `/l/[] was "integer"`,
		`{"type":"object","required":["a"],"properties":{"a":{"type":"string"}}}`:                                                                       `/l was "array"`,
	} {
		list, err := broken([]byte(before), []byte(after))
		if got := strings.Join(list, "; "); err != nil || !strings.Contains(got, want) || (want == "" && got != "") {
			t.Errorf("%s: %q, %v, want %q", after, got, err, want)
		}
	}
}
