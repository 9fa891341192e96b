package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/database/databasetest"
)

// columns are those of all tables, as TABLE.COLUMN; how each engine searches is its own affair.
func columns(t *testing.T, url string) []string {
	t.Helper()
	db, err := database.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	query := `SELECT m.name || '.' || p.name FROM sqlite_master m, pragma_table_info(m.name) p WHERE m.type = 'table'`
	if db.Dialect == database.Postgres {
		query = `SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'public'`
	}
	var all []string
	if err := db.Read.Select(&all, query); err != nil {
		t.Fatal(err)
	}
	kept := map[string]bool{}
	for _, c := range all {
		if !strings.HasPrefix(c, "goose_") && !strings.HasPrefix(c, "sqlite_") && !strings.Contains(c, "search") {
			kept[c] = true
		}
	}
	return names(kept)
}

func TestBothEnginesHaveTheSameTables(t *testing.T) {
	t.Parallel()
	for _, name := range everything {
		if name == "node" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			seen := map[string][]string{}
			for engine, url := range map[string]string{"sqlite": databasetest.SQLite(t), "postgres": databasetest.Postgres(t)} {
				in := serviceSettings{Database: url}
				cfg := settings{
					Secret: strings.Repeat("s", minSecret), Services: serviceTable{in, in, in, in, in, in},
					Provider: providerSettings{Database: url, URL: "http://127.0.0.1:1"},
				}
				if err := cfg.migrate(t.Context(), name); err != nil {
					t.Fatal(err)
				}
				seen[engine] = columns(t, url)
			}
			if diff := cmp.Diff(seen["sqlite"], seen["postgres"]); diff != "" || len(seen["sqlite"]) < 5 {
				t.Errorf("sqlite (-) and postgres (+):\n%s", diff)
			}
		})
	}
}
