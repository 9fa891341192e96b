package cost

// Estimate is the most that the operation may cost with these variables: raw JSON by the index in
// operation.Operation.Variables, nil where none was given.
func (c *Cost) Estimate(variables [][]byte) float64 {
	if c.fixed >= 0 {
		return c.fixed
	}
	return c.base + c.root.estimate(variables)
}

func (s *selections) estimate(variables [][]byte) float64 {
	if s.together == nil {
		sum := 0.0
		for i := range s.fields {
			sum += s.fields[i].estimate(variables)
		}
		return sum
	}
	most := 0.0
	for _, set := range s.together {
		sum := 0.0
		for _, i := range set {
			sum += s.fields[i].estimate(variables)
		}
		most = max(most, sum)
	}
	return most
}

func (f *field) estimate(variables [][]byte) float64 {
	cost := f.weight
	if len(f.selections.fields) > 0 {
		cost += f.selections.estimate(variables)
	}
	cost *= f.size.of(variables)
	for i := range f.arguments {
		cost += f.arguments[i].cost(variables)
	}
	return cost
}
