package report

import (
	"encoding/json"
	"fmt"
	"io"
)

// nodesLimit is how many places of one error the document holds; the rest is counted in omittedNodesCount, as rover does.
const nodesLimit = 20

type document struct {
	Version string    `json:"json_version"`
	Data    data      `json:"data"`
	Error   *jsonFail `json:"error"`
}

type data struct {
	CoreSchema        *string     `json:"core_schema,omitempty"`
	Hints             *[]jsonHint `json:"hints,omitempty"`
	FederationVersion *string     `json:"federation_version,omitempty"`
	Success           bool        `json:"success"`
}

type jsonFail struct {
	Message string      `json:"message"`
	Code    *string     `json:"code"`
	Details *jsonErrors `json:"details,omitempty"`
}

type jsonErrors struct {
	BuildErrors []jsonError `json:"build_errors"`
}

type jsonHint struct {
	Message    string     `json:"message"`
	Code       string     `json:"code"`
	Nodes      []jsonNode `json:"nodes"`
	Omitted    int        `json:"omittedNodesCount"`
	Coordinate *string    `json:"schemaCoordinate"`
}

type jsonError struct {
	Message    string     `json:"message"`
	Code       *string    `json:"code"`
	Type       string     `json:"type"`
	Nodes      []jsonNode `json:"nodes"`
	Omitted    int        `json:"omittedNodesCount"`
	Coordinate *string    `json:"schemaCoordinate"`
	Help       *string    `json:"help,omitempty"`
}

type jsonNode struct {
	Subgraph string     `json:"subgraph"`
	Source   string     `json:"source"`
	Start    *jsonPoint `json:"start"`
	End      *jsonPoint `json:"end"`
}

type jsonPoint struct {
	Line   int `json:"line"`
	Column int `json:"column"`
	Start  int `json:"start"`
	End    int `json:"end"`
}

// WriteJSON writes the document of a successful composition, as rover's --format json does, with a schemaCoordinate added
// to each hint.
func WriteJSON(w io.Writer, sdl, federationVersion string, hints []Hint) error {
	list := make([]jsonHint, 0, len(hints))
	for _, h := range hints {
		nodes, omitted := jsonNodes(h.Nodes)
		list = append(list, jsonHint{fmt.Sprintf("[%s]: %s", h.Code, h.Message), string(h.Code), nodes, omitted, optional(h.Coordinate)})
	}
	return write(w, document{Version: "1", Data: data{CoreSchema: &sdl, Hints: &list, FederationVersion: &federationVersion, Success: true}})
}

// WriteErrorsJSON writes the document of a failed composition, as rover's --format json does, with a schemaCoordinate and a
// help added to each error.
func WriteErrorsJSON(w io.Writer, errs Errors) error {
	list := make([]jsonError, 0, len(errs))
	for _, e := range errs {
		nodes, omitted := jsonNodes(e.Nodes)
		list = append(list, jsonError{e.Message, optional(string(e.Code)), "composition", nodes, omitted, optional(e.Coordinate), optional(e.Code.Advice())})
	}
	return writeBuildErrors(w, list)
}

// WriteConfigJSON writes the document for a configuration that can't be read, each of its problems as a build error of type
// config.
func WriteConfigJSON(w io.Writer, problems []string) error {
	list := make([]jsonError, 0, len(problems))
	for _, p := range problems {
		list = append(list, jsonError{Message: p, Type: "config", Nodes: []jsonNode{}})
	}
	return writeBuildErrors(w, list)
}

func writeBuildErrors(w io.Writer, list []jsonError) error {
	what := "errors"
	if len(list) == 1 {
		what = "error"
	}
	code := "E029"
	message := fmt.Sprintf("Encountered %d build %s while trying to build a supergraph.", len(list), what)
	return write(w, document{Version: "1", Error: &jsonFail{Message: message, Code: &code, Details: &jsonErrors{list}}})
}

// WriteFailureJSON writes the document for a command that could not run for another reason: bad options, a full disk.
func WriteFailureJSON(w io.Writer, message string) error {
	return write(w, document{Version: "1", Error: &jsonFail{Message: message}})
}

func write(w io.Writer, d document) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(d)
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func jsonNodes(nodes []Node) ([]jsonNode, int) {
	omitted := max(len(nodes)-nodesLimit, 0)
	list := make([]jsonNode, 0, len(nodes)-omitted)
	for _, n := range nodes[:len(nodes)-omitted] {
		node := jsonNode{Subgraph: n.Subgraph, Source: n.Source}
		if n.Start.Line > 0 {
			node.Start, node.End = point(n.Start), point(n.End)
		}
		list = append(list, node)
	}
	return list, omitted
}

func point(p Point) *jsonPoint { return &jsonPoint{p.Line, p.Column, p.Start, p.End} }
