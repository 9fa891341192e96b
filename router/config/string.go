package config

import (
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

const redacted = "(redacted)"

// String is the configuration as YAML, without what is left at its default. Secrets are redacted: fields
// that are tagged so, the values of headers, and passwords in URLs.
func (c Config) String() string {
	var b strings.Builder
	writeObject(&b, reflect.ValueOf(c), "")
	return b.String()
}

func writeObject(b *strings.Builder, v reflect.Value, indent string) {
	for _, f := range fields(v.Type()) {
		value := v.FieldByIndex(f.index)
		if value.IsZero() {
			continue
		}
		if f.Tag.Get("secret") != "" {
			value = reflect.ValueOf(redacted)
		}
		writeEntry(b, f.name, value, indent)
	}
}

func writeEntry(b *strings.Builder, name string, v reflect.Value, indent string) {
	b.WriteString(indent + name + ":")
	switch v.Kind() {
	case reflect.Struct:
		b.WriteByte('\n')
		writeObject(b, v, indent+"  ")
	case reflect.Map:
		b.WriteByte('\n')
		keys := v.MapKeys()
		slices.SortFunc(keys, func(x, y reflect.Value) int { return strings.Compare(x.String(), y.String()) })
		for _, key := range keys {
			value := v.MapIndex(key)
			if name == "headers" {
				value = reflect.ValueOf(redacted)
			}
			writeEntry(b, strconv.Quote(key.String()), value, indent+"  ")
		}
	case reflect.Slice:
		b.WriteByte('\n')
		for i := range v.Len() {
			if item := v.Index(i); item.Kind() != reflect.Struct {
				b.WriteString(indent + "  - " + scalarText(item) + "\n")
				continue
			}
			var inner strings.Builder
			writeObject(&inner, v.Index(i), indent+"    ")
			b.WriteString(indent + "  - " + strings.TrimPrefix(inner.String(), indent+"    "))
		}
	default:
		b.WriteString(" " + scalarText(v) + "\n")
	}
}

func scalarText(v reflect.Value) string {
	if v.Type() == durationType {
		return time.Duration(v.Int()).String()
	}
	if v.Kind() != reflect.String {
		return fmt.Sprint(v.Interface())
	}
	text := v.String()
	if u, err := url.Parse(text); err == nil && u.User != nil {
		text = strings.Replace(text, u.User.String()+"@", redacted+"@", 1)
	}
	return strconv.Quote(strings.ReplaceAll(text, "${", "$${"))
}
