package subgraph

// rules are federation's rules for one subgraph, in the order in which their errors are reported. Each has a file.
var rules = []func(*Subgraph){
	keyFields,
	requiresFields,
	providesFields,
	externalOnInterface,
	externalUnused,
	keyOnInterface,
	interfaceObjectKey,
	shareableUsage,
	contextNames,
	fromContextArguments,
	costOnInterface,
	listSizeArguments,
	authOnInterface,
}

// validateFederation applies the rules.
func validateFederation(s *Subgraph) {
	s.Analyse()
	for _, rule := range rules {
		rule(s)
	}
}
