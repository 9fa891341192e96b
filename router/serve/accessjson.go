package serve

import (
	"encoding/json"
	"log/slog"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/agora-supergraph/agora/router/log"
)

// accessLines are buffers for lines of the access log.
var accessLines = sync.Pool{New: func() any { b := make([]byte, 0, 1<<10); return &b }}

// writeLine writes the same line as log, in the same bytes, without attributes in between.
func (r *Record) writeLine(to log.LineWriter, level slog.Level, message string) {
	line := accessLines.Get().(*[]byte)
	now := r.ended
	if now.IsZero() {
		now = time.Now()
	}
	*line = r.appendJSON((*line)[:0], now, level, message)
	_ = to.WriteLine(level, *line) // like slog: a log that can't be written has nobody to say so to
	accessLines.Put(line)
}

// appendJSON appends a record as slog.JSONHandler writes the attributes of log.
func (r *Record) appendJSON(b []byte, now time.Time, level slog.Level, message string) []byte {
	b = append(b, `{"time":"`...)
	b = now.AppendFormat(b, time.RFC3339Nano)
	b = append(append(b, `","level":"`...), level.String()...)
	b = append(append(append(b, `","msg":"`...), message...), '"')
	b = appendText(b, `,"id":`, r.ID)
	if r.Transport == "http" {
		b = appendText(b, `,"method":`, r.Method)
		b = appendText(b, `,"path":`, r.Path)
	}
	b = appendText(b, `,"address":`, r.Address)
	b = appendText(b, `,"client":`, r.Client.Name)
	b = appendText(b, `,"version":`, r.Client.Version)
	b = appendText(b, `,"operation":`, r.Operation.Name)
	b = appendText(b, `,"kind":`, r.Operation.Kind)
	if r.Transport == "http" {
		b = appendInt(b, `,"status":`, int64(r.Status))
		b = appendText(b, `,"code":`, r.Operation.Code)
		b = appendInt(b, `,"bytes":`, r.Sent)
		b = appendInt(b, `,"received":`, r.Received)
	} else {
		b = appendText(b, `,"code":`, r.Operation.Code)
		b = appendInt(b, `,"responses":`, int64(r.Responses))
	}
	b = appendCost(b, r.Operation.Cost)
	b = appendInt(b, `,"duration":`, int64(r.Duration))
	if r.Document != "" {
		b = appendText(b, `,"document":`, r.Document)
	}
	if r.Proven != "" {
		b = appendText(b, `,"key":`, r.Proven)
	}
	if r.Operation.Fetches > 0 {
		b = appendInt(b, `,"fetches":`, int64(r.Operation.Fetches))
		b = appendInt(b, `,"subgraphs":`, int64(r.Operation.Subgraphs))
	}
	if r.Operation.Trace != "" {
		b = appendText(b, `,"trace":`, r.Operation.Trace)
	}
	return append(b, "}\n"...)
}

func appendInt(b []byte, key string, n int64) []byte {
	return strconv.AppendInt(append(b, key...), n, 10)
}

// appendCost writes a number as encoding/json does; costs are whole, mostly.
func appendCost(b []byte, cost float64) []byte {
	b = append(b, `,"cost":`...)
	if whole := int64(cost); float64(whole) == cost && whole < 1e15 {
		return strconv.AppendInt(b, whole, 10)
	}
	text, err := json.Marshal(cost)
	if err != nil {
		return strconv.AppendQuote(b, err.Error()) // not a number, or infinite
	}
	return append(b, text...)
}

// plain are the bytes that stand for themselves in a string.
var plain = func() (is [256]bool) {
	for c := byte(' '); c < utf8.RuneSelf; c++ {
		is[c] = c != '"' && c != '\\'
	}
	return is
}()

// appendText writes a string as slog does: escaped for JSON, but not for HTML.
func appendText(b []byte, key, s string) []byte {
	b = append(append(b, key...), '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if plain[c] {
			i++
			continue
		}
		size := 1
		escaped := ""
		switch {
		case c >= utf8.RuneSelf:
			var r rune
			if r, size = utf8.DecodeRuneInString(s[i:]); r == utf8.RuneError && size == 1 {
				escaped = `\ufffd`
			} else if r == '\u2028' || r == '\u2029' {
				escaped = `\u202` + string('8'+byte(r-'\u2028'))
			}
		case c == '"', c == '\\':
			escaped = `\` + s[i:i+1]
		case c == '\n':
			escaped = `\n`
		case c == '\r':
			escaped = `\r`
		case c == '\t':
			escaped = `\t`
		default:
			escaped = `\u00` + string([]byte{hexDigits[c>>4], hexDigits[c&15]})
		}
		if escaped != "" {
			b = append(append(b, s[from:i]...), escaped...)
			from = i + size
		}
		i += size
	}
	return append(append(b, s[from:]...), '"')
}

const hexDigits = "0123456789abcdef"
