// Package catalogue is what a shop has in its shelves at first: a general store of some 320 products with 1,000
// variants in a tree of categories, always the same. It is read from catalogue.txt, whose head says how it is written.
//
// Beyond its end it goes on: later rounds are new editions of the same products, as many as a test of a large
// catalogue needs.
package catalogue

import (
	_ "embed"
	"fmt"
	"hash/fnv"
	"io"
	"strconv"
	"strings"
	"sync"
)

//go:embed catalogue.txt
var source string

// Category is a category of the tree. The name is unique.
type Category struct {
	Name string
	// Parent is the name of the category above; empty for a root.
	Parent string
}

// Product is a product of the catalogue. The name is unique.
type Product struct {
	Name        string
	Description string
	// Category is the name of its category.
	Category string
	Variants []Variant
}

// Variant is what can be bought of a product.
type Variant struct {
	SKU     string
	Name    string
	Options []Option
	// Price is in cents.
	Price       int64
	WeightGrams int
}

// Option is what tells variants apart, such as the colour.
type Option struct{ Name, Value string }

// section is a category of the source with all that its products are made of.
type section struct {
	category, prefix string
	makers           []string
	options          []option
	also             []string
	kinds            []kind
}

// option is the name of an option and its values, with what each costs more, in percent.
type option struct {
	name   string
	values []string
	more   []int64
}

type kind struct {
	name, text string
	price      int64
	weight     int
}

// parsed are the categories and sections of the source. It is part of the program: what is wrong with it panics.
var parsed = sync.OnceValues(func() (categories []Category, sections []*section) {
	var root string
	var s *section
	for n, line := range strings.Split(source, "\n") {
		field, rest, _ := strings.Cut(line, ": ")
		switch {
		case line == "" || s == nil && root == "" && !strings.HasPrefix(line, "# "):
		case strings.HasPrefix(line, "# "):
			root = line[2:]
			categories = append(categories, Category{Name: root})
		case strings.HasPrefix(line, "## "):
			name, prefix, _ := strings.Cut(line[3:], " | ")
			s = &section{category: name, prefix: prefix}
			sections = append(sections, s)
			categories = append(categories, Category{Name: name, Parent: root})
		case field == "makers":
			s.makers = strings.Split(rest, "; ")
		case field == "option":
			s.options = append(s.options, parseOption(rest, n))
		case field == "also":
			s.also = strings.Split(strings.TrimSuffix(rest, "."), ".; ")
		default:
			s.kinds = append(s.kinds, parseKind(line, n))
		}
	}
	return categories, sections
})

func parseOption(text string, line int) option {
	name, values, _ := strings.Cut(text, " = ")
	o := option{name: name}
	for _, v := range strings.Split(values, ", ") {
		more := int64(0)
		if i := strings.LastIndexAny(v, "+-"); strings.HasSuffix(v, "%") {
			more, v = number(v[i:len(v)-1], line), strings.TrimSpace(v[:i])
		}
		o.values, o.more = append(o.values, v), append(o.more, more)
	}
	return o
}

func parseKind(text string, line int) kind {
	parts := strings.Split(text, " | ")
	if len(parts) != 4 {
		panic(fmt.Sprintf("catalogue.txt:%d: want name | price | weight | description", line+1))
	}
	return kind{name: parts[0], price: number(parts[1], line), weight: int(number(parts[2], line)), text: parts[3]}
}

func number(s string, line int) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		panic(fmt.Sprintf("catalogue.txt:%d: %v", line+1, err))
	}
	return n
}

// Categories are all categories, parents before their children.
func Categories() []Category {
	categories, _ := parsed()
	return categories
}

// Products are the products of the shop.
func Products() []Product {
	var all []Product
	for p := range editions(1) {
		all = append(all, p)
	}
	return all
}

// Generate returns n products: those of the shop first, then editions of them.
func Generate(n int) []Product {
	all := make([]Product, 0, n)
	for p := range editions(1 << 30) {
		if len(all) == n {
			break
		}
		all = append(all, p)
	}
	return all
}

// editions makes the products of a number of rounds.
func editions(rounds int) func(yield func(Product) bool) {
	return func(yield func(Product) bool) {
		_, sections := parsed()
		for round := 1; round <= rounds; round++ {
			for _, s := range sections {
				for i, k := range s.kinds {
					for j, maker := range s.makers {
						if !yield(s.product(k, maker, i*len(s.makers)+j, round)) {
							return
						}
					}
				}
			}
		}
	}
}

// product is what a maker makes of a kind; index is its number in the section.
func (s *section) product(k kind, maker string, index, round int) Product {
	name, sku := maker+" "+k.name, fmt.Sprintf("%s-%03d", s.prefix, index+1)
	description := k.text
	if len(s.makers) == 1 { // a book or a game is known by its title
		name, description = k.name, k.text+" By "+maker+"."
	}
	if round > 1 {
		name, sku = fmt.Sprintf("%s No. %d", name, round), fmt.Sprintf("%s-%d", sku, round)
	}
	h := digest(name)
	first := int(h % uint32(len(s.also)))
	second := (first + 1 + int(h>>8)%(len(s.also)-1)) % len(s.also)
	p := Product{
		Name:        name,
		Description: description + " " + s.also[first] + ". " + s.also[second] + ".",
		Category:    s.category,
	}
	// Makers differ in their prices, by up to a quarter.
	price := k.price * int64(100+h>>16%26) / 100
	p.Variants = s.variants(sku, price, k.weight)
	return p
}

// variants are all combinations of the options, at prices that end as shops like them to.
func (s *section) variants(sku string, price int64, weight int) []Variant {
	all := []Variant{{SKU: sku, Price: price, WeightGrams: weight}}
	for _, o := range s.options {
		var next []Variant
		for _, v := range all {
			for i, value := range o.values {
				w := v
				w.SKU += "-" + code(value)
				w.Options = append(append([]Option{}, v.Options...), Option{o.name, value})
				w.Price += w.Price * o.more[i] / 100
				if w.Name != "" {
					w.Name += " / "
				}
				w.Name += value
				next = append(next, w)
			}
		}
		all = next
	}
	for i := range all {
		all[i].Price = charm(all[i].Price)
	}
	return all
}

// charm rounds a price up to one that ends in 90 cents, or to whole euros less one cent if it is large.
func charm(price int64) int64 {
	if price >= 10_000 {
		return (price+99)/100*100 - 1
	}
	return price/100*100 + 90
}

// code is a short form of a value for SKUs: "24 cm" is 24CM, "Extra Fine" is EXTRAF.
func code(value string) string {
	c := strings.ToUpper(strings.NewReplacer(" ", "", "-", "", "ç", "c").Replace(value))
	return c[:min(len(c), 6)]
}

func digest(s string) uint32 {
	h := fnv.New32a()
	io.WriteString(h, s)
	return h.Sum32()
}
