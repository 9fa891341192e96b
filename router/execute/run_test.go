package execute

import (
	"bytes"
	"testing"

	"github.com/agora-supergraph/agora/router/plan"
	"github.com/agora-supergraph/agora/router/transport"
)

// runPlan has runs of all kinds of leaves, in objects that are read, copied and merged.
const runPlan = `
supergraph a: User
fetch a {me{__typename _id=id name age score} you{__typename _id=id age name} list{x y z}}
fetch a after 0
entities
represent User as User
at me {id=_id*} {ok tag nick friends{x y}}
at you {id=_id*} {ok tag nick friends{x y}}
output {me:<User>{name:String! age:Int score:Float ok:Boolean tag:Any nick:ID friends:[<>{x:Int! y:String}]} you:<User>{age:Int name:String ok:Boolean tag:Any nick:ID friends:[<>{y:String x:Int!}]} list:[<>{x:Int! y:String z:Any}]}
`

// withoutRuns makes a plan one whose leaves are all written one by one.
func withoutRuns(p *plan.Plan) *plan.Plan {
	for _, f := range p.Fetches {
		if f.Root != nil {
			readOneByOne(f.Root.Selection)
		}
		for _, e := range f.Entities {
			for _, t := range e.Targets {
				readOneByOne(t.Selection)
			}
		}
	}
	writeOneByOne(p.Output)
	return p
}

func readOneByOne(sel *plan.Selection) {
	for i := range sel.Fields {
		f := &sel.Fields[i]
		f.Run, f.RunSlot = 0, 0
		if f.Selection != nil {
			readOneByOne(f.Selection)
		}
	}
}

func writeOneByOne(out *plan.Output) {
	for i := range out.Fields {
		f := &out.Fields[i]
		f.Run, f.RunSlot = 0, 0
		if f.Output != nil {
			writeOneByOne(f.Output)
		}
	}
}

func countRuns(out *plan.Output) (n int) {
	for i := range out.Fields {
		if out.Fields[i].Run > 0 {
			n++
		}
		if below := out.Fields[i].Output; below != nil {
			n += countRuns(below)
		}
	}
	return n
}

func FuzzLeavesInOnePieceAreThoseOneByOne(f *testing.F) {
	fast, slow := parsePlan(f, runPlan), withoutRuns(parsePlan(f, runPlan))
	if n := countRuns(fast.Output); n != 6 {
		f.Fatalf("%d runs, want 6", n)
	}
	for _, me := range []string{
		`"name":"Ada","age":1,"score":1.5`,
		`"name":"Ada","age":12345678901,"score":2`,
		`"name":"Ada","age":1,"score":"x"`,
		`"name":null,"age":1,"score":1`,
		`"name":"Ada","age":null,"score":-0`,
		`"name":"Ada","age":01,"score":1`,
		`"age":1,"name":"Ada","score":1e9`,
		`"name":"Ada", "age":1,"score":1`,
		`"name":"Ada","more":{},"age":1,"score":1`,
		`"name":"Ada","age":1,"score":1,"name":"Bea"`,
		`"name":"Ada","age":1,"score":1,"name":null`,
		`"name":"A\"da","age":-7,"score":7.`,
		`"name":{},"age":true,"score":[]`,
	} {
		for _, entity := range []string{
			`{"ok":true,"tag":"t","nick":"n","friends":[{"x":1,"y":"a"},{"x":2,"y":"b"}]}`,
			`{"ok":false,"tag":5,"nick":5,"friends":[{"y":"a","x":1},{"x":"2","y":"b"}]}`,
			`{"ok":true,"tag":{"a":[1]},"nick":"n","friends":[{"x":null,"y":null}]}`,
			`{"ok":trux,"tag":1,"nick":"n","friends":[]}`,
			`null`,
		} {
			for _, you := range []string{`"id":"1"`, `"id":"2"`} {
				f.Add([]byte(`{"data":{"me":{"__typename":"User","id":"1",` + me + `},"you":{"__typename":"User",` + you + `,"age":3,"name":"You"},` +
					`"list":[{"x":1,"y":"a","z":false},{"x":2,"y":"b","z":null},{"x":3,"y":"c","z":true}],"e0":[` + entity + `,` + entity + `]}}`))
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		b = b[:len(b):len(b)]
		x := New(Config{Transports: []transport.Transport{fixed(b)}, MaxDepth: 50})
		got, want := x.Execute(t.Context(), fast, &Request{}), x.Execute(t.Context(), slow, &Request{})
		if !bytes.Equal(got.Body, want.Body) {
			t.Errorf("answer  %s\nin runs %s\nwithout %s", b, got.Body, want.Body)
		}
		got.Release()
		want.Release()
	})
}
