package serve

import (
	"bytes"
	"context"
	"log/slog"
	"math"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/router/log"
)

// hidden is a handler that takes records only.
type hidden struct{ slog.Handler }

func TestLinesWrittenDirectlyAreThoseOfSlog(t *testing.T) {
	odd := "a\"b\\c\x00\x01\b\f\n\r\t\x1f\x7fé\u2028\u2029<&>\xff😀 end"
	records := map[string]Record{
		"nothing known": {},
		"http":          {ID: "i", Transport: "http", Method: "POST", Path: "/graphql", Address: "127.0.0.1", Status: 200, Sent: 66, Received: -1, Duration: time.Second},
		"all": {
			ID: odd, Transport: "http", Method: "GET", Path: odd, Address: odd, Client: Client{odd, "1.0"}, Proven: odd, Document: odd, Status: 499,
			Sent: math.MaxInt64, Received: 1, Duration: -1,
			Operation: Operation{Name: odd, Kind: "query", Code: odd, Cost: 7, Trace: "t", Fetches: 3, Subgraphs: time.Minute},
		},
		"websocket": {ID: "i", Transport: "websocket", Responses: 2, Operation: Operation{Kind: "subscription"}},
	}
	for _, cost := range []float64{0.5, 1e21, 1e-7, 1e15, 123456789, math.MaxFloat64, -3} {
		records[slog.Float64("cost", cost).String()] = Record{Operation: Operation{Cost: cost}}
	}
	times := regexp.MustCompile(`"time":"[^"]*"`)
	for name, r := range records {
		t.Run(name, func(t *testing.T) {
			written := func(decorate func(slog.Handler) slog.Handler) string {
				var out bytes.Buffer
				lines := log.NewLines(&out)
				to := slog.New(decorate(log.New(lines, true, slog.LevelDebug).Handler()))
				r.log(context.Background(), to, slog.LevelInfo, "request")
				r.log(context.Background(), to, slog.LevelDebug, "operation")
				if err := lines.Flush(); err != nil {
					t.Fatal(err)
				}
				return times.ReplaceAllString(out.String(), `"time":""`)
			}
			bySlog := written(func(h slog.Handler) slog.Handler { return hidden{h} })
			direct := written(func(h slog.Handler) slog.Handler { return h })
			if diff := cmp.Diff(bySlog, direct); diff != "" {
				t.Errorf("(-slog +direct):\n%s", diff)
			}
		})
	}
}

func TestLinesWrittenDirectlyHaveTheTimeOfSlog(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 60, time.FixedZone("", 3600))
	var out bytes.Buffer
	r := slog.NewRecord(now, slog.LevelWarn, "request", 0)
	if err := slog.NewJSONHandler(&out, nil).Handle(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	want := out.Bytes()[:out.Len()-2]
	if got := (&Record{}).appendJSON(nil, now, slog.LevelWarn, "request"); !bytes.HasPrefix(got, want) {
		t.Errorf("%s does not begin as %s", got, want)
	}
}

func TestALineIsNotWrittenBelowItsLevel(t *testing.T) {
	var out bytes.Buffer
	to := log.New(log.NewLines(&out), true, slog.LevelWarn)
	(&Record{}).log(context.Background(), to, slog.LevelInfo, "operation")
	if out.Len() > 0 {
		t.Errorf("%s", &out)
	}
}
