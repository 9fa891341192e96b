// Package dashboards holds Grafana dashboards of the router and of the services: import the JSON files.
package dashboards

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var metric = regexp.MustCompile(`\b(router|subgraph|database|event|orders)_[a-z_]+\b`)

func TestDashboardsShowOnlyMetricsThatThereAre(t *testing.T) {
	var sources strings.Builder
	for _, pattern := range []string{"../../router/telemetry/*.go", "../../internal/telemetry/*.go", "../../internal/event/*.go", "../../subgraphs/orders/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			sources.Write(source)
		}
	}
	for _, file := range []string{"router.json", "services.json"} {
		board, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		names := metric.FindAllString(string(board), -1)
		if len(names) < 10 {
			t.Errorf("%s shows %d metrics", file, len(names))
		}
		for _, name := range names {
			name = strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_count")
			if !strings.Contains(sources.String(), `"`+name+`"`) {
				t.Errorf("%s shows %s, and nothing in the program has that name", file, name)
			}
		}
	}
}
