package main

import (
	"github.com/agora-supergraph/agora/router/compose"
)

func generate(seed uint64) []compose.Subgraph { return nil }
