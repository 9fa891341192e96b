package validate

import "github.com/vektah/gqlparser/v2/ast"

// deferLabels are of the rule "Defer And Stream Directive Labels Are Unique": a label is a literal, and names one
// @defer of the document (https://github.com/graphql/graphql-spec/pull/1110).
func deferLabels(d *document) {
	known := map[string]*ast.Position{}
	d.eachDefer(func(directive *ast.Directive, _ *ast.Definition) {
		label := directive.Arguments.ForName("label")
		switch {
		case label == nil || label.Value.Kind == ast.NullValue:
		case label.Value.Kind != ast.StringValue && label.Value.Kind != ast.BlockValue:
			d.report(at(directive.Position), `Argument "@defer(label:)" must be a static string.`)
		case known[label.Value.Raw] != nil:
			d.report(at(known[label.Value.Raw], directive.Position),
				`Value for arguments "defer(label:)" and "defer(label:)" must be unique across all Defer/Stream directive usages.`)
		default:
			known[label.Value.Raw] = directive.Position
		}
	})
}

// deferOnRootFields is the rule "Defer And Stream Directives Are Used On Valid Root Field": the root fields of a
// mutation are carried out in order, and a subscription has but one.
func deferOnRootFields(d *document) {
	d.eachDefer(func(directive *ast.Directive, parent *ast.Definition) {
		switch {
		case parent == nil:
		case parent == d.api.Mutation:
			d.report(at(directive.Position), `Defer directive cannot be used on root mutation type "%s".`, parent.Name)
		case parent == d.api.Subscription:
			d.report(at(directive.Position), `Defer directive cannot be used on root subscription type "%s".`, parent.Name)
		}
	})
}

// deferInOperations is the rule "Defer And Stream Directives Are Used On Valid Operations": a subscription's events
// come whole. One that a variable may switch off is let through; for subscriptions it is never on.
func deferInOperations(d *document) {
	reached := map[*definition]bool{}
	var reach func(*definition)
	reach = func(def *definition) {
		if def == nil || reached[def] {
			return
		}
		reached[def] = true
		for _, s := range def.spreads {
			reach(d.fragments[s.Name])
		}
	}
	for _, op := range d.operations {
		if op.operation.Operation == ast.Subscription {
			reach(op)
		}
	}
	for _, def := range d.definitions {
		if !reached[def] {
			continue
		}
		for _, on := range def.directives {
			for _, directive := range on.list {
				if directive.Name == "defer" && !maybeOff(directive) {
					d.report(at(directive.Position), "Defer directive not supported on subscription operations. Disable `@defer` by setting the `if` argument to `false`.")
				}
			}
		}
	}
}

// maybeOff reports whether a @defer is switched off, or may be.
func maybeOff(directive *ast.Directive) bool {
	condition := directive.Arguments.ForName("if")
	return condition != nil && (condition.Value.Kind == ast.Variable || condition.Value.Raw == "false")
}

// eachDefer visits every @defer of the document, with the type that its fragment is spread in.
func (d *document) eachDefer(visit func(directive *ast.Directive, parent *ast.Definition)) {
	each := func(list ast.DirectiveList, parent *ast.Definition) {
		for _, directive := range list {
			if directive.Name == "defer" {
				visit(directive, parent)
			}
		}
	}
	for _, def := range d.definitions {
		for _, f := range def.inlines {
			each(f.Directives, f.ObjectDefinition)
		}
		for _, s := range def.spreads {
			each(s.Directives, s.ObjectDefinition)
		}
	}
}
