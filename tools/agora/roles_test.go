package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// matrixFile is the table of who may do what, for people to read: a line for each field and mutation of the supergraph.
const matrixFile = "testdata/roles.md"

// The table asks everything about one customer's things, so that a column says what a role sees of somebody else's.
// "owner" is that customer, and "stranger" another one.
var matrixRoles = []string{"anonymous", "stranger", "support", "catalogue", "warehouse", "finance", "admin", "owner"}

// answers are what a cell says.
const (
	answerYes    = "yes"
	answerNull   = "null"
	answerDenied = "–"
)

// matrix is a shop in which each role has sent each operation.
type matrix struct {
	*testing.T
	schema  introspected
	clients map[string]client
	// fixture are arguments and members of inputs by name.
	fixture map[string]any
	// secrets are what nobody but the owner and those with a scope may ever be sent.
	secrets []string
	lines   []string
	cells   int
}

// TestEveryRoleSeesAndDoesWhatTheTableSays sends every field and every mutation of the supergraph with the token of every
// role through the router, and compares who gets what with a table that people have read.
func TestEveryRoleSeesAndDoesWhatTheTableSays(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	m.lines = append(m.lines,
		"# Who sees and does what", "",
		"Every field and mutation of the supergraph, sent through the router with the token of every role. All of it is about the things of",
		"one customer, the owner; the stranger is another customer. `"+answerYes+"` is an answer, `"+answerNull+"` is nothing, `"+answerDenied+"` is a refusal; for mutations",
		"`yes` is that the request got as far as the rules of the shop, and `null` that there is no such thing for this role.",
		"`go test ./tools/agora -run EveryRole -update` writes this table.", "",
		"| | "+strings.Join(matrixRoles, " | ")+" |", "|---"+strings.Repeat("|---", len(matrixRoles))+"|")
	for _, e := range m.entries() {
		m.askFields(e)
	}
	for _, f := range m.schema.mutations() {
		m.mutate(f)
	}
	got := strings.Join(m.lines, "\n") + "\n"
	if *update {
		if err := os.WriteFile(matrixFile, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(matrixFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", matrixFile, diff)
	}
	t.Logf("%d cells", m.cells)
}

// newMatrix opens a shop with somebody of every role, and a customer who has one of everything.
func newMatrix(t *testing.T) *matrix {
	p := start(t, t.TempDir())
	variant, sku, _ := p.variantWith(100)
	staff := p.staff()
	m := &matrix{T: t, clients: map[string]client{"anonymous": {program: p}, "admin": staff}}
	for _, role := range []string{"support", "catalogue", "warehouse", "finance"} {
		m.clients[role] = p.hire(staff, map[string]string{"catalogue": "CATALOGUE_MANAGER"}[role], role)
	}
	owner, stranger := p.newBuyer(), p.newBuyer()
	m.clients["owner"], m.clients["stranger"] = owner.client, stranger.client
	m.schema = introspect(staff)

	total := number(owner.do(addQuery, map[string]any{"v": variant, "n": 1}), "cartLinesAdd.cart.total.minorUnits")
	placed := owner.do(createQuery, map[string]any{"i": map[string]any{
		"lines": []any{map[string]any{"variantId": variant, "quantity": 1}}, "addressId": owner.address, "paymentMethodToken": "tok_ok",
		"expectedTotalMinorUnits": total, "idempotencyKey": "matrix", "waitMs": 20000,
	}})
	owner.do(`mutation { paymentMethodAdd(input: {providerToken: "tok_ok", idempotencyKey: "m"}) { userErrors { message } } }`, nil)
	mine := owner.do(`{ me { id email sessions { id } cart { id lines { id } } orders(first: 1) { edges { node { id number lines { id } payments { id } } } } } }`, nil)
	page := staff.do(`query($s: String!) { variant(sku: $s) { id product { id slug category { id slug } } } }`, map[string]any{"s": sku})
	node := "me.orders.edges.0.node."
	m.fixture = map[string]any{
		"order": text(placed, "orderCreate.order.id"), "orderId": text(placed, "orderCreate.order.id"), "number": text(mine, node+"number"),
		"user": text(mine, "me.id"), "userId": text(mine, "me.id"), "cart": text(mine, "me.cart.id"), "cartId": text(mine, "me.cart.id"),
		"payment": text(mine, node+"payments.0.id"), "paymentId": text(mine, node+"payments.0.id"), "address": owner.address, "addressId": owner.address,
		"session": at(mine, "me.sessions.0.id"), "variantId": variant, "sku": sku, "slug": text(page, "variant.product.slug"),
		"product": text(page, "variant.product.id"), "category": text(page, "variant.product.category.slug"), "categoryId": text(page, "variant.product.category.id"),
		"lineId": text(mine, node+"lines.0.id"), "idempotencyKey": "none", "countryCode": "DE", "currency": "EUR",
	}
	m.secrets = []string{text(mine, "me.email"), text(mine, node+"number")}
	return m
}

// hire registers somebody and gives them a role.
func (p *program) hire(staff client, role, name string) client {
	p.Helper()
	if role == "" {
		role = strings.ToUpper(name)
	}
	email := name + "@agora.example"
	hired := text(client{program: p}.do(registerQuery, map[string]any{"e": email}), "register.user.id")
	staff.do(`mutation($u: ID!, $r: [Role!]!) { userRolesSet(userId: $u, roles: $r) { userErrors { message } } }`, map[string]any{"u": hired, "r": []any{role}})
	return client{program: p}.login(email, "correct-horse-battery")
}

// trusted are the roles that may be sent what is the owner's, by the scopes that they have.
var trusted = []string{"owner", "admin", "support", "finance", "warehouse"}

// line adds a line to the table.
func (m *matrix) line(name string, cell func(role string) string) {
	cells := make([]string, len(matrixRoles))
	for i, role := range matrixRoles {
		cells[i] = cell(role)
	}
	m.cells += len(cells)
	m.lines = append(m.lines, fmt.Sprintf("| %s | %s |", name, strings.Join(cells, " | ")))
}

// send sends an operation as a role, and looks into the answer for what is the owner's.
func (m *matrix) send(role, query string) *response {
	m.Helper()
	r, err := m.clients[role].send(query, nil)
	if err != nil {
		m.Fatalf("%s: %v", query, err)
	}
	if !slices.Contains(trusted, role) {
		for _, secret := range m.secrets {
			if strings.Contains(fmt.Sprint(r.Data), secret) {
				m.Errorf("%s is sent %q by %s", role, secret, query)
			}
		}
	}
	return r
}

// askFields sends all fields of an object at a place of the graph, each by itself.
func (m *matrix) askFields(e entry) {
	for _, f := range m.schema.fieldsOf(e.typ) {
		if e.skips(f) {
			continue
		}
		query, path := e.query(m, f)
		m.line("`"+e.name+"."+f.Name+"`", func(role string) string {
			r := m.send(role, query)
			switch {
			case refused(r):
				return answerDenied
			case at(r.Data, path) == nil:
				return answerNull
			}
			return answerYes
		})
	}
}

// refused reports whether an answer says that this role may not.
func refused(r *response) bool {
	for _, e := range r.Errors {
		code := fmt.Sprint(e.Extensions["code"])
		for _, word := range []string{"UNAUTH", "FORBIDDEN"} {
			if strings.Contains(code, word) {
				return true
			}
		}
	}
	return false
}

// mutate sends a mutation as every role.
func (m *matrix) mutate(f field) {
	query := "mutation { result: " + m.call(f) + " { " + m.payload(f) + " } }"
	m.line("`mutation "+f.Name+"`", func(role string) string {
		r := m.send(role, query)
		code := text(r.Data, "result.userErrors.0.code")
		switch {
		case refused(r), code == "UNAUTHENTICATED", code == "FORBIDDEN":
			return answerDenied
		case code == "NOT_FOUND":
			return answerNull
		case at(r.Data, "result") == nil:
			m.Errorf("%s as %s: %v", query, role, r.Errors)
		}
		return answerYes
	})
}
