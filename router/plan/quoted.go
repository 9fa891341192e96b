package plan

import "encoding/binary"

// Quoted is a key as it stands in JSON, "key":, of length len(key)+3. It is looked for where it nearly always stands, by
// comparing eight bytes at a time: to call a function for so few would take longer than what it does.
type Quoted struct {
	// Head is the first eight bytes, little endian. Of a shorter text, Mask has zeros for what is behind it.
	Head, Mask uint64
	// Tail is the last eight bytes of a text that is longer than eight.
	Tail uint64
}

func quoted(key string) Quoted {
	var text [64]byte
	b := append(append(append(text[:0], '"'), key...), '"', ':')
	n := len(b)
	if n <= 8 {
		return Quoted{Head: binary.LittleEndian.Uint64(text[:]), Mask: ^uint64(0) >> (64 - 8*n)}
	}
	return Quoted{Head: binary.LittleEndian.Uint64(b), Mask: ^uint64(0), Tail: binary.LittleEndian.Uint64(b[n-8:])}
}

// setEncoded prepares the keys of an output and of those below it.
func (o *Output) setEncoded() {
	for i := range o.Fields {
		f := &o.Fields[i]
		b := make([]byte, 0, max(EncodedRoom, len(f.Key)+len(`,"":`)))
		f.Encoded = append(appendJSONString(append(b, ','), f.Key), ':')
		if f.Output != nil {
			f.Output.setEncoded()
		}
	}
}

// setQuoted prepares the keys of a selection and of those below it.
func (s *Selection) setQuoted() {
	for i := range s.Fields {
		f := &s.Fields[i]
		f.Quoted = quoted(f.Key)
		if f.Selection != nil {
			f.Selection.setQuoted()
		}
	}
}
