package main

import (
	"os"
	"strings"
	"testing"
)

// TestAClusterSurvivesWhateverBreaks is the short form of make chaos-cluster: all of its campaigns, a few seconds each. It needs
// a machine for itself: make test runs it behind all others, with AGORA_CAMPAIGN.
func TestAClusterSurvivesWhateverBreaks(t *testing.T) {
	if os.Getenv("AGORA_CAMPAIGN") == "" {
		t.Skip("AGORA_CAMPAIGN is not set")
	}
	var out strings.Builder
	err := run(t.Context(), []string{"cluster", "--for", "5s", "--slower", "0"}, &out)
	t.Log(out.String())
	if err != nil {
		t.Error(err)
	}
}
