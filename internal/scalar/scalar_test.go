package scalar

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"
)

func TestInt64IsANumberWhileEveryReaderHoldsItExactlyAndAStringBeyond(t *testing.T) {
	for n, want := range map[int64]string{0: `0`, 1<<53 - 1: `9007199254740991`, 1 << 53: `"9007199254740992"`, -1 << 63: `"-9223372036854775808"`} {
		var out bytes.Buffer
		if err := MarshalInt64(n).MarshalGQLContext(t.Context(), &out); err != nil || out.String() != want {
			t.Errorf("%d is written %s (%v), want %s", n, out.String(), err, want)
		}
		if got, err := UnmarshalInt64(t.Context(), json.Number(trim(want))); err != nil || got != n {
			t.Errorf("%s is read as %d, %v", want, got, err)
		}
	}
	for _, bad := range []any{"1.5", json.Number("1e3"), "9223372036854775808", 1.5, true, nil} {
		if got, err := UnmarshalInt64(t.Context(), bad); err == nil {
			t.Errorf("%v is read as %d", bad, got)
		}
	}
}

func trim(s string) string { return string(bytes.Trim([]byte(s), `"`)) }

func TestDateTimeIsUTCWithMicroseconds(t *testing.T) {
	read, err := UnmarshalDateTime(t.Context(), "2026-11-22T09:00:00.1234567+01:00")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := MarshalDateTime(read).MarshalGQLContext(t.Context(), &out); err != nil || out.String() != `"2026-11-22T08:00:00.123456Z"` {
		t.Errorf("written %s, %v", out.String(), err)
	}
	for _, bad := range []any{"yesterday", "2026-11-22", 5, nil} {
		if got, err := UnmarshalDateTime(t.Context(), bad); err == nil {
			t.Errorf("%v is read as %v", bad, got.Format(time.RFC3339))
		}
	}
}
