package event

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/database/databasetest"
)

func TestWhatIsGoneIsLookedForWithoutReadingAllThatIsPublished(t *testing.T) {
	db, err := database.Open(t.Context(), databasetest.Postgres(t), Migrations())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	conn, err := db.Read.Connx(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	run := func(statement string) string {
		var lines []string
		if err := conn.SelectContext(t.Context(), &lines, statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
		return strings.Join(lines, "\n")
	}
	// A process that has run since the beginning has a plan for an empty table.
	run(`SET plan_cache_mode = force_generic_plan`)
	const marked = `EXECUTE marked ('log', 2001, 2004, 2001, 2002, 2003, 2004, 'a', 'b', 'c', 'd')`
	run(`PREPARE marked AS ` + unpublish + atPositions + ` AND position IN ($4, $5, $6, $7) AND id NOT IN ($8, $9, $10, $11)`)
	run(marked)
	run(`INSERT INTO outbox (id, type, subject, sequence, time_us, correlation, causation, data, published_us, log, position)
		SELECT n::text, 't', n::text, 1, n, '', '', '{}', n, 'log', n FROM generate_series(1, 2000) n`)
	plans := []string{run(`EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) ` + marked)}
	// The others are planned each time.
	run(`ANALYZE outbox`)
	for _, where := range []string{inEarlierLog, inLaterLog, behindEnd} {
		where = strings.NewReplacer("$1", "'log'", "$2", "2000", "$3", "1000000").Replace(where)
		plans = append(plans, run(`EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) `+unpublish+where))
	}
	for _, plan := range plans {
		for _, found := range regexp.MustCompile(`(?:rows=|Filter: )(\d+)`).FindAllStringSubmatch(plan, -1) {
			if n, _ := strconv.Atoi(found[1]); n > 4 {
				t.Errorf("%d rows are read:\n%s", n, plan)
			}
		}
	}
}
