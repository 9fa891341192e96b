package report

import "testing"

func TestEveryCodeOfCompositionSaysHowToMendIt(t *testing.T) {
	none := map[Code]bool{
		InvalidGraphql: true, UnsupportedLinkedFeature: true, UnsupportedFeature: true, InvalidFederationSupergraph: true, DownstreamServiceError: true,
	}
	for _, code := range Codes {
		if (code.Advice() == "") != none[code] {
			t.Errorf("%s: advice %q, none expected: %t", code, code.Advice(), none[code])
		}
	}
	if len(advice)+len(none) != len(Codes) {
		t.Errorf("%d codes have advice and %d need none, of %d", len(advice), len(none), len(Codes))
	}
}
