package validate

import "slices"

// https://spec.graphql.org/draft/#sec-Directives-Are-Defined and
// https://spec.graphql.org/draft/#sec-Directives-Are-in-Valid-Locations
func knownDirectives(d *document) {
	for _, def := range d.definitions {
		for _, on := range def.directives {
			for _, directive := range on.list {
				switch {
				case directive.Definition == nil:
					d.report(at(directive.Position), `Unknown directive "@%s".`, directive.Name)
				case !slices.Contains(directive.Definition.Locations, on.location):
					d.report(at(directive.Position), `Directive "@%s" may not be used on %s.`,
						directive.Name, on.location)
				}
			}
		}
	}
}
