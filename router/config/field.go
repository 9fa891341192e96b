package config

import (
	"reflect"
	"strings"
	"time"
	"unicode"
)

// field is one setting: a field of a struct.
type field struct {
	// name is the key in the file.
	name  string
	index []int
	reflect.StructField
}

var durationType = reflect.TypeFor[time.Duration]()

// fields are the settings of a struct, in order of declaration. What no file can hold, such as an interface
// or a function, is none. An inline struct's settings stand among its parent's.
func fields(t reflect.Type) []field {
	var list []field
	for f := range t.Fields() {
		name, option, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case !f.IsExported(), name == "-", !settable(f.Type):
		case option == "inline":
			for _, inner := range fields(f.Type) {
				inner.index = append(append([]int{}, f.Index...), inner.index...)
				list = append(list, inner)
			}
		default:
			if name == "" {
				name = snake(f.Name)
			}
			list = append(list, field{name: name, index: f.Index, StructField: f})
		}
	}
	return list
}

// settable says whether a file can hold a value of a type.
func settable(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.String, reflect.Bool, reflect.Int, reflect.Int64, reflect.Float64, reflect.Struct:
		return true
	case reflect.Slice, reflect.Map:
		return settable(t.Elem())
	}
	return false
}

// snake writes a Go name as a key: MaxBodyBytes is max_body_bytes, JWKSURL is jwks_url.
func snake(name string) string {
	name = strings.Replace(name, "JWKSURL", "JWKSUrl", 1)
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		startsWord := i > 0 && unicode.IsUpper(r) &&
			(!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1]))
		if startsWord {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
