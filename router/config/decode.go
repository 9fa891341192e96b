package config

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// decoder fills a Config from a YAML tree. It goes on after an error, to find them all.
type decoder struct {
	file, dir string
	anchors   map[string]ast.Node
	errs      []positioned
}

// positioned is an error at a place of the file.
type positioned struct {
	line, column int
	err          error
}

// fail notes an error at a position.
func (d *decoder) fail(at *token.Token, format string, args ...any) {
	line, column := at.Position.Line, at.Position.Column
	err := fmt.Errorf("%s:%d:%d: %w", d.file, line, column, fmt.Errorf(format, args...))
	d.errs = append(d.errs, positioned{line, column, err})
}

// err is what was noted, in the order of the file.
func (d *decoder) err() error {
	slices.SortStableFunc(d.errs, func(a, b positioned) int {
		return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.column, b.column))
	})
	list := make([]error, len(d.errs))
	for i, e := range d.errs {
		list[i] = e.err
	}
	return errors.Join(list...)
}

// Visit notes anchors: settings are not read in the order of the file.
func (d *decoder) Visit(node ast.Node) ast.Visitor {
	if anchor, ok := node.(*ast.AnchorNode); ok {
		d.anchors[anchor.Name.String()] = anchor.Value
	}
	return d
}

// decode fills v. tag is that of the struct field that v is, or is an element of.
func (d *decoder) decode(node ast.Node, v reflect.Value, tag reflect.StructTag) {
	node = d.resolve(node)
	if node == nil || node.Type() == ast.NullType {
		return // a key without a value leaves the default
	}
	switch {
	case v.Type() == durationType:
		d.duration(node, v, tag)
	case v.Kind() == reflect.Struct:
		d.object(node, v)
	case v.Kind() == reflect.Map:
		d.table(node, v, tag)
	case v.Kind() == reflect.Slice:
		d.list(node, v, tag)
	default:
		d.scalar(node, v, tag)
	}
}

// resolve follows anchors and aliases. It returns nil after an error.
func (d *decoder) resolve(node ast.Node) ast.Node {
	switch n := node.(type) {
	case *ast.AnchorNode:
		return n.Value
	case *ast.AliasNode:
		target, ok := d.anchors[n.Value.String()]
		if !ok {
			d.fail(n.GetToken(), "unknown anchor %s", n.Value)
			return nil
		}
		return target
	case *ast.TagNode:
		d.fail(n.GetToken(), "tags are not supported")
		return nil
	}
	return node
}

// entries are the members of a mapping; ok is false if node is none, and then that is noted.
func (d *decoder) entries(node ast.Node, expected string) (list []*ast.MappingValueNode, ok bool) {
	switch n := node.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	d.fail(node.GetToken(), "found %s, expected %s", describe(node), expected)
	return nil, false
}

func keyOf(entry *ast.MappingValueNode) string {
	if key, ok := entry.Key.(*ast.StringNode); ok {
		return key.Value
	}
	return entry.Key.String()
}

// object fills a struct. The settings of all_subgraphs are read before subgraphs, whatever their order in
// the file, since subgraphs start from them.
func (d *decoder) object(node ast.Node, v reflect.Value) {
	known := fields(v.Type())
	list, ok := d.entries(node, "a mapping with "+names(known))
	if !ok {
		return
	}
	given := make(map[string]*ast.MappingValueNode, len(list))
	for _, entry := range list {
		name := keyOf(entry)
		if !slices.ContainsFunc(known, func(f field) bool { return f.name == name }) {
			d.fail(entry.Key.GetToken(), "unknown setting %s%s: expected one of %s", name, suggestion(name, known), names(known))
		}
		given[name] = entry
	}
	for _, f := range known {
		entry, ok := given[f.name]
		if ok {
			d.decode(entry.Value, v.FieldByIndex(f.index), f.Tag)
		}
		if f.Tag.Get("required") != "" && (!ok || v.FieldByIndex(f.index).IsZero()) {
			d.fail(node.GetToken(), "the setting %s is missing", f.name)
		}
	}
	if cfg, ok := v.Addr().Interface().(*Config); ok && given["subgraphs"] != nil {
		d.inherit(given["subgraphs"].Value, cfg)
	}
}

// inherit reads the subgraphs once more, each over a copy of what all have in common.
func (d *decoder) inherit(node ast.Node, cfg *Config) {
	if len(d.errs) > 0 {
		return // among them may be what is wrong with the subgraphs
	}
	node = d.resolve(node)
	if node == nil || node.Type() == ast.NullType {
		return
	}
	list, _ := d.entries(node, "")
	for _, entry := range list {
		sg := cfg.AllSubgraphs
		sg.Headers = maps.Clone(sg.Headers)
		d.decode(entry.Value, reflect.ValueOf(&sg).Elem(), "")
		cfg.Subgraphs[keyOf(entry)] = sg
	}
}

// table fills a map: its keys are names of the user's own.
func (d *decoder) table(node ast.Node, v reflect.Value, tag reflect.StructTag) {
	list, ok := d.entries(node, "a mapping")
	if !ok {
		return
	}
	if v.IsNil() {
		v.Set(reflect.MakeMapWithSize(v.Type(), len(list)))
	}
	for _, entry := range list {
		element := reflect.New(v.Type().Elem()).Elem()
		d.decode(entry.Value, element, tag)
		v.SetMapIndex(reflect.ValueOf(keyOf(entry)), element)
	}
}

func (d *decoder) list(node ast.Node, v reflect.Value, tag reflect.StructTag) {
	sequence, ok := node.(*ast.SequenceNode)
	if !ok {
		d.fail(node.GetToken(), "found %s, expected a list", describe(node))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(sequence.Values), len(sequence.Values)))
	for i, item := range sequence.Values {
		d.decode(item, v.Index(i), tag)
	}
}

// scalar fills a string, a boolean or a number.
func (d *decoder) scalar(node ast.Node, v reflect.Value, tag reflect.StructTag) {
	text, expanded, ok := d.text(node)
	if !ok {
		return
	}
	at := node.GetToken()
	switch v.Kind() {
	case reflect.String:
		if _, isString := node.(*ast.StringNode); !isString && node.Type() != ast.LiteralType {
			d.fail(at, "found %s, expected a string: put it in quotes", describe(node))
			return
		}
		v.SetString(text)
		d.checkString(at, text, tag)
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil || !expanded && node.Type() != ast.BoolType {
			d.fail(at, "found %s, expected true or false", describe(node))
			return
		}
		v.SetBool(b)
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(strings.ReplaceAll(text, "_", ""), 10, 64)
		if err != nil || !expanded && node.Type() != ast.IntegerType {
			d.fail(at, "found %s, expected a whole number", describe(node))
			return
		}
		v.SetInt(n)
		d.checkBounds(at, tag, float64(n), number, text)
	case reflect.Float64:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			d.fail(at, "found %s, expected a number", describe(node))
			return
		}
		v.SetFloat(f)
		d.checkBounds(at, tag, f, number, text)
	}
}

func (d *decoder) duration(node ast.Node, v reflect.Value, tag reflect.StructTag) {
	text, _, ok := d.text(node)
	if !ok {
		return
	}
	length, err := time.ParseDuration(text)
	if err != nil {
		d.fail(node.GetToken(), "found %s, expected a duration with its unit, such as 500ms, 10s or 2m", describe(node))
		return
	}
	v.SetInt(int64(length))
	d.checkBounds(node.GetToken(), tag, float64(length), func(bound string) (float64, error) {
		length, err := time.ParseDuration(bound)
		return float64(length), err
	}, text)
}

func number(bound string) (float64, error) { return strconv.ParseFloat(bound, 64) }

func (d *decoder) checkBounds(at *token.Token, tag reflect.StructTag, n float64, parse func(string) (float64, error), text string) {
	low, high := tag.Get("min"), tag.Get("max")
	if low == "" {
		return
	}
	least, err := parse(low)
	if err != nil {
		panic(fmt.Sprintf("tag min:%q: %v", low, err))
	}
	most, err := parse(high)
	if err != nil {
		panic(fmt.Sprintf("tag max:%q: %v", high, err))
	}
	if !(n >= least && n <= most) { // NaN is within no bounds.
		d.fail(at, "found %s, expected a value from %s to %s", text, low, high)
	}
}

func (d *decoder) checkString(at *token.Token, text string, tag reflect.StructTag) {
	if enum := tag.Get("enum"); enum != "" && text != "" && !slices.Contains(strings.Split(enum, ","), text) {
		d.fail(at, "found %q, expected one of %s", text, strings.ReplaceAll(enum, ",", ", "))
	}
	if tag.Get("format") == "uri" && text != "" {
		d.checkURL(at, text, strings.Split(cmp.Or(tag.Get("schemes"), "http,https"), ","))
	}
}

// checkURL wants a URL of one of some schemes: one of a socket's file, or one with a host.
func (d *decoder) checkURL(at *token.Token, text string, schemes []string) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme == "" || (u.Host == "") != (u.Scheme == "unix") || u.Scheme == "unix" && u.Path == "":
		d.fail(at, "found %q, expected a URL such as %s", text, map[string]string{"http": "http://127.0.0.1:4001/graphql", "redis": "redis://127.0.0.1:6379/0"}[schemes[0]])
	case !slices.Contains(schemes, u.Scheme):
		d.fail(at, "found %q, expected a URL that begins with %s://", text, strings.Join(schemes, ":// or "))
	}
}

// text is the text of a scalar, expanded.
func (d *decoder) text(node ast.Node) (text string, expanded, ok bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		text = n.Value
	case *ast.LiteralNode:
		text = n.Value.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, false, true
	default:
		d.fail(node.GetToken(), "found %s, expected a single value", describe(node))
		return "", false, false
	}
	after, err := expand(text, d.dir)
	if err != nil {
		d.fail(node.GetToken(), "%v", err)
		return "", false, false
	}
	return after, after != text, true
}

// describe says what a node is, for messages.
func describe(node ast.Node) string {
	switch n := node.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.StringNode:
		return strconv.Quote(n.Value)
	case *ast.LiteralNode:
		return "a text"
	}
	return node.String()
}
