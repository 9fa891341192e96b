package merge

import "github.com/agora-supergraph/agora/router/compose/report"

// Check validates a merged supergraph by the rules that only the whole shows.
func Check(s *Supergraph) report.Errors {
	var errs report.Errors
	for _, rule := range []func(*Supergraph) report.Errors{interfaceFields, requiresAfterMerge, transitiveAccessControl} {
		errs = append(errs, rule(s)...)
	}
	return errs
}
