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

// validateFederation applies the rules. Federation 1 has looser ones: such a subgraph is checked once it is upgraded.
func validateFederation(s *Subgraph) {
	s.Analyse()
	if s.Fed1() && !s.upgraded {
		return
	}
	for _, rule := range rules {
		rule(s)
	}
}
