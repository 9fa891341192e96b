package feed

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// maxLine bounds a line of JSON, in bytes: the largest product takes less.
const maxLine = 4 << 20

// bom is what some editors write at the beginning of UTF-8.
var bom = []byte("\xef\xbb\xbf")

type jsonReader struct {
	lines *bufio.Reader
	line  int
}

func newJSONReader(r io.Reader) *jsonReader {
	return &jsonReader{lines: bufio.NewReaderSize(r, 64<<10)}
}

// Next reads the next line that is not blank.
func (r *jsonReader) Next() (*Unit, error) {
	for {
		text, long, err := r.read()
		if err != nil {
			return nil, err
		}
		unit := &Unit{Line: r.line, Last: r.line}
		switch {
		case long:
			unit.problem("want a line of %d bytes at most", maxLine)
		case len(bytes.TrimSpace(text)) == 0:
			continue
		case !utf8.Valid(text):
			unit.problem("want UTF-8")
		default:
			unit.decode(text)
		}
		return unit, nil
	}
}

func (u *Unit) problem(format string, args ...any) {
	u.Problems = append(u.Problems, Problem{u.Line, fmt.Sprintf(format, args...)})
}

// read returns the next line without its end; long says that it is longer than a line may be, and left out.
func (r *jsonReader) read() (text []byte, long bool, err error) {
	r.line++
	for {
		part, err := r.lines.ReadSlice('\n')
		if long = long || len(text)+len(part) > maxLine; !long {
			text = append(text, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && (len(text) > 0 || long):
		case err != nil:
			return nil, false, err
		}
		if r.line == 1 {
			text = bytes.TrimPrefix(text, bom)
		}
		return text, long, nil
	}
}

func (u *Unit) decode(text []byte) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var wrong *json.UnmarshalTypeError
	switch err := d.Decode(&u.Product); {
	case errors.As(err, &wrong):
		u.problem("%s: want %s, not %s", wrong.Field, wrong.Type, wrong.Value)
	case err != nil:
		u.problem("want a JSON object of a product: %v", err)
	case d.More():
		u.problem("want one product in a line")
	}
	for range u.Product.Variants {
		u.VariantLines = append(u.VariantLines, u.Line)
	}
}

type jsonWriter struct {
	buffer  *bufio.Writer
	encoder *json.Encoder
}

func newJSONWriter(w io.Writer) *jsonWriter {
	buffer := bufio.NewWriter(w)
	encoder := json.NewEncoder(buffer)
	encoder.SetEscapeHTML(false)
	return &jsonWriter{buffer, encoder}
}

// Write writes a line.
func (w *jsonWriter) Write(p *Product) error { return w.encoder.Encode(p) }

// Flush writes what is still held back.
func (w *jsonWriter) Flush() error { return w.buffer.Flush() }
