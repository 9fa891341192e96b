package products

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/internal/fault"
	"github.com/agora-supergraph/agora/subgraphs/products/catalogue"
	"github.com/agora-supergraph/agora/subgraphs/products/feed"
)

var formats = []feed.Format{feed.CSV, feed.JSONL}

// empty opens a service without products.
func empty(t *testing.T, url string) shop {
	t.Helper()
	s, err := New(t.Context(), Config{Database: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return shop{Service: s, TB: t}
}

// imported imports a file and returns what is refused, a line each.
func (s shop) imported(file string, format feed.Format, cfg ImportConfig) (result ImportResult, refused []string, err error) {
	s.Helper()
	r, err := feed.NewReader(strings.NewReader(file), format)
	if err != nil {
		return result, nil, err
	}
	cfg.Refused = func(p feed.Problem) { refused = append(refused, p.String()) }
	result, err = s.Import(s.Context(), r, cfg)
	return result, refused, err
}

func (s shop) exported(format feed.Format) string {
	s.Helper()
	var file bytes.Buffer
	options, err := s.MostOptions(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	w, err := feed.NewWriter(&file, format, options)
	if err != nil {
		s.Fatal(err)
	}
	if _, err := s.Export(s.Context(), w, nil); err != nil {
		s.Fatal(err)
	}
	return file.String()
}

func TestAnExportMakesTheSameCatalogueAgainOnEitherEngine(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		from := open(t, url, 40)
		product := from.create(with(with(input("x"), "name", "Kännchen 🫖 \u2067קומקום\u2069 \"=1+1\", 2"), "variants.0.compareAt", eur(5000)))
		from.get(updateMutation, data{"id": product["id"], "i": data{"name": "Samowar", "description": "Two\nlines; and\ttabs, \"quotes\".", "status": "ARCHIVED"}}, scopeWrite)
		for _, format := range formats {
			file := from.exported(format)
			again, refused, err := from.imported(file, format, ImportConfig{File: "same"})
			if want := (ImportResult{Line: again.Line, Same: 41}); err != nil || again != want {
				t.Errorf("%s into the same catalogue: %+v, want %+v (%v, %v)", format, again, want, refused, err)
			}
			for _, other := range []string{databasetest.SQLite(t), databasetest.Postgres(t)} {
				to := empty(t, other)
				result, refused, err := to.imported(file, format, ImportConfig{Batch: 7})
				if want := (ImportResult{Line: result.Line, Created: 41}); err != nil || result != want {
					t.Errorf("%s into an empty catalogue: %+v, want %+v (%v, %v)", format, result, want, refused, err)
				}
				if diff := cmp.Diff(file, to.exported(format)); diff != "" {
					t.Errorf("%s, exported again:\n%s", format, diff)
				}
			}
		}
	})
}

// pots is a small file with everything that can be said.
const pots = `slug,name,description,status,category,currency,created_at,former_slugs,sku,variant,price,compare_at,weight_grams,option1,value1
pot,Pot,A pot.,ACTIVE,kitchen:Kitchen > pots:Pots,EUR,2026-01-02T03:04:05Z,old-pot,POT-R,Red,21.00,25.50,900,Colour,Red
pot,,,,,,,,POT-B,Blue,19,,,Colour,Blue
lid,Lid,A lid.,,pots,JPY,,,LID,Lid,1900,,,,
`

func TestAnImportChangesWhatTheFileSaysOtherwiseAndNothingElse(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, 1)
		steps := []struct {
			name, file string
			want       ImportResult
		}{
			{"a new file", pots, ImportResult{Line: 4, Created: 2}},
			{"the same again", pots, ImportResult{Line: 4, Same: 2}},
			{"another price", strings.Replace(pots, "19,", "18.50,", 1), ImportResult{Line: 4, Changed: 1, Same: 1}},
			{"fewer variants", pots[:strings.Index(pots, "pot,,")], ImportResult{Line: 2, Same: 1}},
			{"another slug, found by its SKU", strings.ReplaceAll(pots, "\npot,", "\nsaucepan,"), ImportResult{Line: 4, Changed: 1, Same: 1}},
			{"one more variant", strings.Replace(pots, "lid,Lid", "pot,,,,,,,,POT-G,Green,20,,,Colour,Green\nlid,Lid", 1), ImportResult{Line: 5, Changed: 1, Same: 1}},
			{"other options", strings.Replace(pots, "Colour,Blue", "Colour,Navy", 1), ImportResult{Line: 4, Changed: 1, Same: 1}},
		}
		for _, step := range steps {
			result, refused, err := s.imported(step.file, feed.CSV, ImportConfig{})
			if err != nil || result != step.want {
				t.Errorf("%s: %+v, want %+v (%v, %v)", step.name, result, step.want, refused, err)
			}
		}
		got := s.get(`{ product(slug: "old-pot") { slug name createdAt version category { slug parent { slug } } variants { sku price { amount } compareAt { amount } options { value } } }
			found: products(query: "navy") { totalCount } green: products(query: "green pot", filter: {options: [{name: "Colour", values: ["Green"]}]}) { totalCount } }`, nil)
		variant := func(sku, price, colour string, compareAt any) data {
			return data{"sku": sku, "price": data{"amount": price}, "compareAt": compareAt, "options": []any{data{"value": colour}}}
		}
		want := data{
			"product": data{
				"slug": "saucepan", "name": "Pot", "createdAt": "2026-01-02T03:04:05.000000Z", "version": 5.0, "category": data{"slug": "pots", "parent": data{"slug": "kitchen"}},
				"variants": []any{variant("POT-R", "21.00", "Red", data{"amount": "25.50"}), variant("POT-B", "19.00", "Navy", nil), variant("POT-G", "20.00", "Green", nil)},
			},
			"found": data{"totalCount": 1.0}, "green": data{"totalCount": 1.0},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		var events int
		if err := s.db.Read.Get(&events, `SELECT COUNT(*) FROM outbox WHERE type = 'agora.products.variant.created.v1' AND data LIKE '%POT-%'`); err != nil || events != 3 {
			t.Errorf("%d events tell of 3 variants (%v)", events, err)
		}
	})
}

func TestWhatIsWrongIsToldByLineAndItsProductLeftOutAsAWhole(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, 1)
		taken := catalogue.Products()[0].Variants[0].SKU
		head, rows, _ := strings.Cut(pots, "\n")
		tests := []struct {
			name   string
			format feed.Format
			file   string
			want   string
		}{
			{"a price in words", feed.CSV, strings.Replace(pots, "19,", "cheap,", 1), `line 3: price: want an amount such as 21.00, not "cheap"`},
			{"too many digits", feed.CSV, strings.Replace(pots, "1900", "19.00", 1), `line 4: price: want an amount with 0 digits behind the point at most, not "19.00"`},
			{"a missing cell", feed.CSV, strings.Replace(pots, "POT-B,", "", 1), "line 3: want 15 cells as in line 1, not 14|line 4: the product is left out, since line 3 may belong to it"},
			{"a stray quote", feed.CSV, strings.Replace(pots, "Blue,19", `Bl"ue,19`, 1), `line 3: want CSV: bare " in non-quoted-field|line 4: the product is left out, since line 3 may belong to it`},
			{"no UTF-8", feed.CSV, strings.Replace(pots, "Blue,19", "Bl\xffue,19", 1), "line 3: want UTF-8|line 4: the product is left out, since line 3 may belong to it"},
			{"compared with less", feed.CSV, strings.Replace(pots, "25.50", "20", 1), "line 2: compareAt.minorUnits: it is compared with a higher price, up to 1000000000000 minor units, not with 2000"},
			{"an option twice", feed.CSV, head + ",option2,value2\n" + strings.ReplaceAll(rows, "\n", ",Colour,Red\n"), "line 2: options.1.name: the option Colour is there twice|line 3: options.1.name: the option Colour is there twice"},
			{"two names", feed.CSV, strings.Replace(pots, "pot,,", "pot,Pan,", 1), "line 3: name: want nothing, or the same as in line 2"},
			{"a SKU twice", feed.CSV, strings.Replace(pots, "LID", "POT-R", 1), "line 4: sku: want one that is not in line 2 already, not POT-R"},
			{"a SKU of another product", feed.CSV, strings.Replace(pots, "POT-B", taken, 1), "line 3: sku: want one that no other product has: " + taken + " belongs to the-slow-kitchen"},
			{"a status", feed.CSV, strings.Replace(pots, "ACTIVE", "on sale", 1), `line 2: status: want DRAFT, ACTIVE, ARCHIVED or nothing, not "on sale"`},
			{"a category that is nowhere", feed.CSV, strings.Replace(pots, "kitchen:Kitchen > pots:Pots", "pots", 1), "line 2: category: want the slug of a category, or a name for a new one as in pots:Name, not pots"},
			{"a category that is elsewhere", feed.CSV, strings.Replace(pots, "kitchen:Kitchen > pots:Pots", "garden > novels", 1), "line 2: category: want the path to novels as it is: books:Books > novels:Novels"},
			{"no JSON", feed.JSONL, "\n{\"slug\": \"x\",\n", "line 2: want a JSON object of a product: unexpected EOF"},
			{"a field too many", feed.JSONL, `{"slug": "x", "colour": 1}`, `line 1: want a JSON object of a product: json: unknown field "colour"`},
			{"a number for text", feed.JSONL, `{"slug": "x", "variants": [{"price": 12.5}]}`, "line 1: variants.price: want string, not number"},
			{"no variants", feed.JSONL, `{"slug": "x", "name": "X", "description": "X", "category": "novels", "currency": "EUR"}`, "line 1: variants: a product has 1 to 100 variants, not 0"},
		}
		before := s.exported(feed.JSONL)
		for _, test := range tests {
			result, refused, err := s.imported(test.file, test.format, ImportConfig{DryRun: true})
			for i, r := range refused {
				if strings.Contains(test.want, "may belong") || i == 0 || strings.Contains(test.want, r) {
					continue
				}
				if !strings.HasPrefix(r, "line 4: category") { // of the lid, whose category is new in the pot's line
					t.Errorf("%s: %s is refused too", test.name, r)
				}
			}
			if got := strings.Join(refused, "|"); err != nil || result.Refused == 0 || !strings.HasPrefix(got, test.want) {
				t.Errorf("%s: %q, want %q (%+v, %v)", test.name, got, test.want, result, err)
			}
		}
		if diff := cmp.Diff(before, s.exported(feed.JSONL)); diff != "" {
			t.Errorf("dry runs changed the catalogue:\n%s", diff)
		}
		bad := strings.Replace(strings.Replace(pots, "19,", "cheap,", 1), "\nlid,Lid,A lid.,,pots", "\nlid,Lid,A lid.,,novels", 1)
		result, _, err := s.imported(bad, feed.CSV, ImportConfig{})
		if want := (ImportResult{Line: 4, Created: 1, Refused: 1}); err != nil || result != want {
			t.Errorf("a bad product and a good one: %+v, want %+v (%v)", result, want, err)
		}
		if got := s.get(`{ pot: product(slug: "pot") { id } red: variant(sku: "POT-R") { id } category(slug: "pots") { id } }`, nil, scopeWrite); got["pot"] != nil || got["red"] != nil || got["category"] != nil {
			t.Errorf("of the bad product there is %v", got)
		}
	})
}

func TestAFileWithoutTheRightColumnsIsNotRead(t *testing.T) {
	for _, test := range []struct{ head, want string }{
		{"", "line 1: want the names of the columns"},
		{"slug,name,colour\n", `line 1: there is no column "colour"`},
		{"slug,slug\n", `line 1: the column "slug" is there twice`},
		{"slug,name,category,currency,sku,variant\n", `line 1: the column "price" is missing`},
	} {
		_, err := feed.NewReader(strings.NewReader(test.head), feed.CSV)
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%q: %v, want %s", test.head, err, test.want)
		}
	}
	if _, err := feed.NewReader(strings.NewReader("\xef\xbb\xbf"+pots), feed.CSV); err != nil {
		t.Errorf("a file that begins with a byte order mark: %v", err)
	}
}

// breaking is a reader that ends with an error, as a program that is killed would.
type breaking struct {
	feed.Reader
	left int
}

var errBroken = errors.New("broken")

func (b *breaking) Next() (*feed.Unit, error) {
	if b.left--; b.left < 0 {
		return nil, errBroken
	}
	return b.Reader.Next()
}

func TestAnImportThatWasInterruptedGoesOnBehindItsLastBatch(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		var file bytes.Buffer
		for i := range 50 {
			price := "1.00"
			if i == 3 {
				price = "?"
			}
			fmt.Fprintf(&file, `{"slug":"p-%d","name":"P %d","description":"x","category":"c:C","currency":"EUR","variants":[{"sku":"P-%d","name":"x","price":%q}]}`+"\n", i, i, i, price)
		}
		s := open(t, url, 1)
		cut := func(units int) (ImportResult, error) {
			r, err := feed.NewReader(bytes.NewReader(file.Bytes()), feed.JSONL)
			if err != nil {
				t.Fatal(err)
			}
			return s.Import(t.Context(), &breaking{r, units}, ImportConfig{File: "f", Batch: 10})
		}
		steps := []struct {
			units  int
			want   ImportResult
			broken bool
		}{
			{25, ImportResult{Line: 20, Created: 19, Refused: 1}, true},
			{20, ImportResult{Line: 20, Resumed: 20, Created: 19, Refused: 1}, true},
			{100, ImportResult{Line: 50, Resumed: 20, Created: 49, Refused: 1}, false},
			{100, ImportResult{Line: 50, Same: 49, Refused: 1}, false},
		}
		for i, step := range steps {
			got, err := cut(step.units)
			if got != step.want || errors.Is(err, errBroken) != step.broken {
				t.Errorf("run %d: %+v, want %+v (%v)", i, got, step.want, err)
			}
		}
		fault.Configure("products.imported=error", 1)
		defer fault.Configure("", 0)
		if got, err := cut(100); !errors.Is(err, fault.ErrInjected) || got.Line != 10 {
			t.Errorf("a fault behind the first batch: %+v, %v", got, err)
		}
		fault.Configure("", 0)
		if got, err := cut(100); err != nil || got.Resumed != 10 || got.Same != 49 {
			t.Errorf("after the fault: %+v, %v", got, err)
		}
	})
}

func TestAFileOfAnyBytesIsReadToItsEnd(t *testing.T) {
	for _, format := range formats {
		for _, file := range []string{pots, "\"", "\x00\n\xff", strings.Repeat("[", 10_000), strings.Repeat("a,", 100), pots + "\"unfinished\n\n\n", `{"slug":` + strings.Repeat(" ", 5<<20) + "}\n{}"} {
			r, err := feed.NewReader(strings.NewReader(file), format)
			for n := 0; err == nil && n < 100; n++ {
				_, err = r.Next()
			}
			if err == nil {
				t.Errorf("%s of %.20q has no end", format, file)
			}
			if errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s of %.20q: %v", format, file, err)
			}
		}
	}
}
