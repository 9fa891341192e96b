package operation

import "encoding/binary"

// Values returns a request's values for all of the operation's variables: those that Coerce returned, and the
// literals. It appends to coerced, which must not be used afterwards.
func (o *Operation) Values(coerced [][]byte) [][]byte {
	for _, v := range o.Variables[len(coerced):] {
		coerced = append(coerced, v.Literal)
	}
	return coerced
}

// AppendShape appends bytes that are equal for operations which plan the same: those that differ in no more than
// the values of literals, or in how fragments and whitespace write the same fields. Made for the keys of a plan
// cache; together with the variant's overrides, which are not part of the normal form.
func (o *Operation) AppendShape(dst []byte) []byte {
	dst = append(dst, byte(o.Kind))
	dst = appendText(dst, o.Name)
	dst = binary.AppendUvarint(dst, uint64(len(o.Variables)))
	for _, v := range o.Variables {
		dst = appendText(appendText(dst, v.Name), v.Type)
	}
	dst = binary.AppendUvarint(dst, uint64(len(o.Defers)))
	for _, d := range o.Defers {
		dst = appendText(DeferredBy{d.Parent, d.ParentUp}.append(dst), d.Label)
	}
	return appendFields(dst, o.Selections)
}

func appendText(dst []byte, text string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
}

func appendFields(dst []byte, fields []*Field) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(fields)))
	for _, f := range fields {
		dst = appendText(appendText(dst, f.ResponseKey), f.Name)
		dst = appendTypes(dst, f.Types)
		if f.Denied {
			dst = append(dst, 1)
		} else {
			dst = append(dst, 0)
		}
		dst = binary.AppendUvarint(dst, uint64(len(f.Deferred)))
		for _, by := range f.Deferred {
			dst = by.append(dst)
		}
		dst = appendArguments(dst, f.Arguments)
		dst = appendFields(dst, f.Selections)
	}
	return dst
}

func appendArguments(dst []byte, arguments []Argument) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(arguments)))
	for _, a := range arguments {
		dst = appendValue(appendText(dst, a.Name), a.Value)
	}
	return dst
}

func appendValue(dst []byte, v Value) []byte {
	dst = append(dst, byte(v.Kind))
	switch v.Kind {
	case ValueVariable:
		return binary.AppendUvarint(dst, uint64(v.Variable))
	case ValueLiteral:
		return appendText(dst, v.Literal)
	case ValueObject:
		return appendArguments(dst, v.Object)
	}
	dst = binary.AppendUvarint(dst, uint64(len(v.List)))
	for _, item := range v.List {
		dst = appendValue(dst, item)
	}
	return dst
}
