package shop

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
)

// root is the object of the query type.
type root struct{}

// service is what a subgraph says of itself.
type service struct{ sdl string }

// stock is a product as inventory sees it: what it requires of others is what came with the representation.
type stock struct {
	*product
	representation map[string]any
}

func typename(v any) string {
	switch v.(type) {
	case root:
		return "Query"
	case service:
		return "_Service"
	case *user:
		return "User"
	case *review:
		return "Review"
	}
	return "Product"
}

// resolve is the value of a field: nil for null, a list as []any.
func (x *execution) resolve(v any, f *ast.Field) (any, error) {
	if f.Name == "__typename" {
		return typename(v), nil
	}
	switch v := v.(type) {
	case root:
		return x.root(f)
	case service:
		return v.sdl, nil
	case *user:
		return v.field(f.Name)
	case *product:
		return v.field(f.Name)
	case stock:
		return v.field(f.Name)
	case *review:
		return v.field(f.Name)
	}
	return nil, fmt.Errorf("no fields in %T", v)
}

func (x *execution) root(f *ast.Field) (any, error) {
	w, arguments := x.service.world, f.ArgumentMap(x.variables)
	switch f.Name {
	case "me":
		return w.users[0], nil
	case "users":
		return list(w.users[:circleUsers]), nil
	case "user":
		return orNull(pick(w.users, fmt.Sprint(arguments["id"]))), nil
	case "topProducts":
		n, err := strconv.Atoi(fmt.Sprint(arguments["first"]))
		if err != nil {
			return nil, err
		}
		return list(w.products[:max(0, min(n, Products))]), nil
	case "_service":
		return service{SDL(x.service.name)}, nil
	case "_entities":
		return x.entities(arguments["representations"])
	}
	return nil, fmt.Errorf("no resolver of Query.%s", f.Name)
}

// entities finds what representations stand for; what is unknown is null.
func (x *execution) entities(representations any) (any, error) {
	all, ok := representations.([]any)
	if !ok {
		return nil, fmt.Errorf("representations: got %T, want a list", representations)
	}
	found := make([]any, len(all))
	for i, one := range all {
		r, ok := one.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("representation %d: got %T, want an object", i, one)
		}
		switch w := x.service.world; r["__typename"] {
		case "User":
			found[i] = orNull(pick(w.users, fmt.Sprint(r["id"])))
		case "Review":
			found[i] = orNull(pick(w.reviews, fmt.Sprint(r["id"])))
		case "Product":
			p := pick(w.products, fmt.Sprint(r["upc"]))
			found[i] = orNull(p)
			if p != nil && x.service.name == "inventory" {
				found[i] = stock{p, r}
			}
		default:
			return nil, fmt.Errorf("representation %d: unknown type %v", i, r["__typename"])
		}
	}
	return found, nil
}

func (u *user) field(name string) (any, error) {
	switch name {
	case "id":
		return u.id, nil
	case "name":
		return u.name, nil
	case "username":
		return u.username, nil
	case "birthday":
		return u.birthday, nil
	case "reviews":
		return list(u.reviews), nil
	}
	return nil, fmt.Errorf("no resolver of User.%s", name)
}

func (p *product) field(name string) (any, error) {
	switch name {
	case "upc":
		return p.upc, nil
	case "name":
		return p.name, nil
	case "price":
		return p.price, nil
	case "weight":
		return p.weight, nil
	case "inStock":
		return p.inStock, nil
	case "shippingEstimate":
		return shippingEstimate(p.price, p.weight), nil
	case "reviews":
		return list(p.reviews), nil
	}
	return nil, fmt.Errorf("no resolver of Product.%s", name)
}

func (s stock) field(name string) (any, error) {
	switch name {
	case "price", "weight":
		return s.required(name)
	case "shippingEstimate":
		price, err := s.required("price")
		if err != nil {
			return nil, err
		}
		weight, err := s.required("weight")
		return shippingEstimate(price, weight), err
	}
	return s.product.field(name)
}

// required is a number of the representation.
func (s stock) required(name string) (int, error) {
	n, ok := s.representation[name].(json.Number)
	if !ok {
		return 0, fmt.Errorf("representation of product %s: %s is %v, want a number", s.upc, name, s.representation[name])
	}
	return strconv.Atoi(string(n))
}

func (r *review) field(name string) (any, error) {
	switch name {
	case "id":
		return r.id, nil
	case "body":
		return r.body, nil
	case "author":
		return r.author, nil
	case "product":
		return r.product, nil
	}
	return nil, fmt.Errorf("no resolver of Review.%s", name)
}

func list[T any](elements []*T) []any {
	all := make([]any, len(elements))
	for i, e := range elements {
		all[i] = e
	}
	return all
}

// orNull is v, and a nil without a type for a nil pointer.
func orNull[T any](v *T) any {
	if v == nil {
		return nil
	}
	return v
}
