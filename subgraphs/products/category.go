package products

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/subgraphs/products/gen"
)

// categoryRow is a category as it is stored.
type categoryRow struct {
	ID       string
	Slug     string
	Name     string
	ParentID *string `db:"parent_id"`
	Version  int64
}

func (r *categoryRow) model() *gen.Category {
	return &gen.Category{ID: r.ID, Slug: r.Slug, Name: r.Name, Version: int(r.Version)}
}

// tree is all categories. A shop has some hundreds of them at most: they are read as a whole, once for an operation,
// and everything about them is answered from there. It is immutable.
type tree struct {
	byID   map[string]*categoryRow
	bySlug map[string]*categoryRow
	// below are the children of each, in order of name; those of "" are the roots.
	below map[string][]*categoryRow
}

// tree reads all categories. One statement.
func (s *Service) tree(ctx context.Context, q database.Querier) (*tree, error) {
	rows, err := s.readCategories(ctx, q)
	if err != nil {
		return nil, err
	}
	return growTree(rows), nil
}

// readCategories reads all categories, in order of name.
func (s *Service) readCategories(ctx context.Context, q database.Querier) ([]*categoryRow, error) {
	rows, _, err := s.readGeneration(ctx, q)
	return rows, err
}

// readGeneration reads all categories, in order of name, and the generation of the catalogue that they are of. One statement.
func (s *Service) readGeneration(ctx context.Context, q database.Querier) (categories []*categoryRow, generation int64, err error) {
	var rows []struct {
		categoryRow
		Generation int64
	}
	err = q.SelectContext(ctx, &rows, `
		SELECT g.last AS generation, COALESCE(c.id, '') AS id, COALESCE(c.slug, '') AS slug, COALESCE(c.name, '') AS name, c.parent_id, COALESCE(c.version, 0) AS version
		FROM catalogue_generation g LEFT JOIN category c ON TRUE`)
	if err != nil {
		return nil, 0, fmt.Errorf("read categories: %w", err)
	}
	for i := range rows {
		generation = rows[i].Generation
		if rows[i].ID != "" { // else there are none
			categories = append(categories, &rows[i].categoryRow)
		}
	}
	slices.SortFunc(categories, func(a, b *categoryRow) int {
		return strings.Compare(a.Name+"\x00"+a.ID, b.Name+"\x00"+b.ID)
	})
	return categories, generation, nil
}

// growTree is the tree of all categories, in order of name.
func growTree(rows []*categoryRow) *tree {
	t := &tree{byID: map[string]*categoryRow{}, bySlug: map[string]*categoryRow{}, below: map[string][]*categoryRow{}}
	for _, r := range rows {
		t.byID[r.ID], t.bySlug[r.Slug] = r, r
		parent := ""
		if r.ParentID != nil {
			parent = *r.ParentID
		}
		t.below[parent] = append(t.below[parent], r)
	}
	return t
}

// ancestors are the categories above one, the root first.
func (t *tree) ancestors(id string) []*categoryRow {
	var above []*categoryRow
	for r := t.byID[id]; r != nil && r.ParentID != nil; {
		r = t.byID[*r.ParentID]
		above = append(above, r)
	}
	slices.Reverse(above)
	return above
}

// within are the ids of some categories and all below them, sorted, each once; those that don't exist are left out.
func (t *tree) within(ids []string) []string {
	var all []string
	var descend func(id string)
	descend = func(id string) {
		all = append(all, id)
		for _, child := range t.below[id] {
			descend(child.ID)
		}
	}
	for _, id := range ids {
		if t.byID[id] != nil {
			descend(id)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Category returns the resolver of Category.
func (r *resolver) Category() gen.CategoryResolver { return categories{r.s} }

type categories struct{ s *Service }

// Parent resolves Category.parent.
func (categories) Parent(ctx context.Context, c *gen.Category) (*gen.Category, error) {
	t, err := sharedIn(ctx).categories(ctx)
	if err != nil {
		return nil, err
	}
	above := t.ancestors(c.ID)
	if len(above) == 0 {
		return nil, nil
	}
	return above[len(above)-1].model(), nil
}

// Ancestors resolves Category.ancestors, the root first.
func (categories) Ancestors(ctx context.Context, c *gen.Category) ([]*gen.Category, error) {
	t, err := sharedIn(ctx).categories(ctx)
	if err != nil {
		return nil, err
	}
	return categoryModels(t.ancestors(c.ID)), nil
}

// Children resolves Category.children, in order of name.
func (categories) Children(ctx context.Context, c *gen.Category) ([]*gen.Category, error) {
	t, err := sharedIn(ctx).categories(ctx)
	if err != nil {
		return nil, err
	}
	return categoryModels(t.below[c.ID]), nil
}

// Products resolves Category.products: those of the category and of all below it.
func (c categories) Products(ctx context.Context, category *gen.Category, first *int, after *string, last *int, before *string, filter *gen.ProductFilter, sort *gen.ProductSort) (*gen.ProductConnection, error) {
	return c.s.list(ctx, arguments{within: category.ID, first: first, after: after, last: last, before: before, filter: filter, sort: sort})
}

func categoryModels(rows []*categoryRow) []*gen.Category {
	models := make([]*gen.Category, len(rows))
	for i, r := range rows {
		models[i] = r.model()
	}
	return models
}
