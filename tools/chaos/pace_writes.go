package main

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// writeSet is what checkouts write on Postgres, as scripts of pgbench: the very statements that write, with the values that they
// had, but for ids, which are others each time. Each script is one checkout.
type writeSet struct {
	scripts []string
	// transactions and statements are those of all scripts.
	transactions, statements int
}

// String is the write set in words.
func (w *writeSet) String() string {
	n := float64(len(w.scripts))
	return fmt.Sprintf("the same writes (%.1f transactions, %.1f statements)", float64(w.transactions)/n, float64(w.statements)/n)
}

// recordedCheckouts is how many checkouts become scripts.
const recordedCheckouts = 8

// recordWrites finds out what a checkout writes, by the server's own log, and makes the database pace with all that the services
// have: each service's tables in a schema of its own. Scripts are made of checkouts that nobody else is beside. What comes less
// often where many check out at a time, since they share it, comes less often in the scripts as well.
func (c *cluster) recordWrites(ctx context.Context, db *sql.DB, m *market) (*writeSet, error) {
	log := &statementLog{db: db, file: filepath.Join(filepath.Dir(c.postgres.data), "log")}
	if err := log.open(ctx); err != nil {
		return nil, err
	}
	n, _ := m.checkouts(ctx, c.length/2)
	together, err := log.read(ctx)
	if err != nil || n == 0 {
		return nil, errors.Join(err, fmt.Errorf("%d checkouts", n))
	}
	kept, err := c.copyServices(ctx)
	if err != nil {
		return nil, err
	}
	set, shares := &writeSet{}, newShares(together, n)
	for i := range recordedCheckouts {
		if !m.checkout(ctx, i%len(m.buyers), i) {
			return nil, errors.New("a checkout that is written down has failed")
		}
		list, err := log.read(ctx)
		if err != nil {
			return nil, err
		}
		set.add(shares.of(list, i+1), kept, m.variant)
	}
	return set, log.close(ctx)
}

// transaction is what a service has written and committed together.
type transaction struct {
	service    string
	statements []statement
	committed  bool
}

// statement is one that writes, with its values as they stand in the log.
type statement struct {
	text   string
	values []string
}

// statementLog is the server's log of statements.
type statementLog struct {
	db   *sql.DB
	file string
	// offset is up to where it has been read.
	offset int
}

// logPrefix begins each entry: the database, the session and its transaction.
const logPrefix = `~%d %c %v~ `

func (l *statementLog) open(ctx context.Context) error {
	return l.set(ctx, `ALTER SYSTEM SET log_line_prefix = '`+logPrefix+`'`, `ALTER SYSTEM SET log_statement = 'all'`)
}

func (l *statementLog) close(ctx context.Context) error {
	return l.set(ctx, `ALTER SYSTEM RESET log_statement`)
}

// set changes the server's configuration, and leaves time until all of its processes have heard of it.
func (l *statementLog) set(ctx context.Context, statements ...string) error {
	for _, s := range append(statements, `SELECT pg_reload_conf()`) {
		if _, err := l.db.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	wait(ctx, time.Second)
	whole, err := os.ReadFile(l.file)
	l.offset = len(whole)
	return err
}

var (
	// logEntry is a statement of a service, or the values of the one before it.
	logEntry = regexp.MustCompile(`(?m)^~chaos_(\w+) (\S+ \S+)~ (?:LOG:  (?:statement|execute [^:]*): |(DETAIL:  parameters: ))`)
	logAny   = regexp.MustCompile(`(?m)^~\w* \S* \S*~ `)
	writing  = regexp.MustCompile(`(?is)^\s*(INSERT|UPDATE|DELETE|WITH\b.*\b(INSERT|UPDATE|DELETE)\b)`)
	control  = regexp.MustCompile(`(?i)^\s*(BEGIN|COMMIT|ROLLBACK)\b`)
)

// read waits until nobody writes any more, and returns what has been written since it was called last, in the order of beginnings.
func (l *statementLog) read(ctx context.Context) ([]*transaction, error) {
	if err := quiet(ctx, l.db); err != nil {
		return nil, err
	}
	whole, err := os.ReadFile(l.file)
	if err != nil {
		return nil, err
	}
	text := string(whole[l.offset:])
	l.offset = len(whole)
	return parseLog(text), nil
}

// parseLog is what services have written and committed, by a part of the log.
func parseLog(text string) []*transaction {
	var list []*transaction
	byID := map[string]*transaction{}
	starts := append(logAny.FindAllStringIndex(text, -1), []int{len(text), 0})
	for i, start := range starts[:len(starts)-1] {
		entry := strings.ReplaceAll(strings.TrimSuffix(text[start[0]:starts[i+1][0]], "\n"), "\n\t", "\n")
		found := logEntry.FindStringSubmatchIndex(entry)
		if found == nil {
			continue
		}
		service, id, rest := entry[found[2]:found[3]], entry[found[4]:found[5]], entry[found[1]:]
		t := byID[id]
		if t == nil {
			t = &transaction{service: service, committed: true} // a statement on its own
			byID[id] = t
			list = append(list, t)
		}
		switch verb := control.FindStringSubmatch(rest); {
		case found[6] >= 0:
			if n := len(t.statements); n > 0 && t.statements[n-1].values == nil {
				t.statements[n-1].values = logValues(rest)
			}
		case verb != nil:
			t.committed = strings.EqualFold(verb[1], "COMMIT")
		default:
			t.statements = append(t.statements, statement{text: rest})
		}
	}
	return onlyWrites(list)
}

// onlyWrites leaves out what writes nothing.
func onlyWrites(list []*transaction) (kept []*transaction) {
	for _, t := range list {
		var writes []statement
		for _, s := range t.statements {
			if writing.MatchString(s.text) {
				writes = append(writes, s)
			}
		}
		if t.statements = writes; t.committed && len(writes) > 0 {
			kept = append(kept, t)
		}
	}
	return kept
}

// logValue is a value in the log, with its number: a literal, or NULL.
var logValue = regexp.MustCompile(`\$\d+ = ('(?:[^']|'')*'|NULL)`)

// logValues reads "$1 = 'a', $2 = NULL".
func logValues(text string) []string {
	values := []string{}
	for _, found := range logValue.FindAllStringSubmatch(text, -1) {
		values = append(values, found[1])
	}
	return values
}

// shares is how often a checkout has each kind of statement, and how many transactions, where many check out at a time.
type shares struct {
	transactions, given float64
	statements, had     map[string]float64
}

func newShares(together []*transaction, checkouts int) *shares {
	s := &shares{transactions: float64(len(together)) / float64(checkouts), statements: map[string]float64{}, had: map[string]float64{}}
	for _, t := range together {
		for _, each := range t.statements {
			s.statements[each.kind(t)] += 1 / float64(checkouts)
		}
	}
	return s
}

var lists = regexp.MustCompile(`\$\d+(?:,\s*\$\d+)*|(?: WHEN \$\d+ THEN CAST\(\$\d+ AS BIGINT\))+`)

// kind is a statement's text, with lists of any length.
func (s statement) kind(t *transaction) string {
	return t.service + " " + lists.ReplaceAllString(s.text, "?")
}

// of is what the n-th checkout has of what was written while nobody was beside it: no statement comes more often, in no more
// transactions than where many are at a time.
func (s *shares) of(list []*transaction, n int) (shared []*transaction) {
	for _, t := range list {
		kept := t.statements[:0]
		for _, each := range t.statements {
			if kind := each.kind(t); s.had[kind] < math.Ceil(s.statements[kind]*float64(n)) {
				s.had[kind]++
				kept = append(kept, each)
			}
		}
		if t.statements = kept; len(kept) > 0 {
			shared = append(shared, t)
		}
	}
	for s.given+float64(len(shared)) > math.Ceil(s.transactions*float64(n)) {
		if shared = joinShortest(shared); shared == nil {
			break
		}
	}
	s.given += float64(len(shared))
	return shared
}

// joinShortest makes one of two transactions of a service that follow each other there; nil if there are none.
func joinShortest(list []*transaction) []*transaction {
	last, first, second := map[string]int{}, -1, -1
	for i, t := range list {
		if before, ok := last[t.service]; ok && (first < 0 || len(list[before].statements)+len(t.statements) < len(list[first].statements)+len(list[second].statements)) {
			first, second = before, i
		}
		last[t.service] = i
	}
	if first < 0 {
		return nil
	}
	list[second].statements = append(list[first].statements[:len(list[first].statements):len(list[first].statements)], list[second].statements...)
	return append(list[:first], list[first+1:]...)
}

// copied is what services had when their databases were copied: the names of each one's tables, and all of it as text.
type copied struct {
	tables map[string]map[string]bool
	text   []byte
}

var created = regexp.MustCompile(`(?m)^CREATE TABLE public\.(\w+)`)

// copyServices makes the database pace, with each service's tables in a schema of its own.
func (c *cluster) copyServices(ctx context.Context) (*copied, error) {
	bin, err := postgresPrograms()
	if err != nil {
		return nil, err
	}
	host, port, _ := strings.Cut(c.postgres.at, ":")
	server := []string{"-h", host, "-p", port, "-U", "postgres"}
	kept := &copied{tables: map[string]map[string]bool{}}
	for _, service := range services {
		dump, err := exec.CommandContext(ctx, filepath.Join(bin, "pg_dump"), append(server, "--no-owner", "--no-privileges", "chaos_"+service)...).Output()
		if err != nil {
			return nil, fmt.Errorf("pg_dump %s: %w", service, err)
		}
		kept.tables[service] = map[string]bool{}
		for _, found := range created.FindAllSubmatch(dump, -1) {
			kept.tables[service][string(found[1])] = true
		}
		kept.text = append(kept.text, dump...)
		load := exec.CommandContext(ctx, filepath.Join(bin, "psql"), append(server, "-q", "-v", "ON_ERROR_STOP=1", "-d", "pace")...)
		load.Stdin = bytes.NewReader(append([]byte("CREATE SCHEMA "+service+";\n"), bytes.ReplaceAll(dump, []byte("public."), []byte(service+"."))...))
		if out, err := load.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("copy %s: %w\n%s", service, err, out)
		}
	}
	variants := exec.CommandContext(ctx, filepath.Join(bin, "psql"), append(server, "-q", "-v", "ON_ERROR_STOP=1", "-d", "pace", "-c",
		`CREATE TABLE public.variant AS SELECT ROW_NUMBER() OVER ()::int AS n, variant_id AS id FROM inventory.stock LIMIT 1000;
		CREATE UNIQUE INDEX ON public.variant (n); ANALYZE`)...)
	if out, err := variants.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("number the variants: %w\n%s", err, out)
	}
	return kept, nil
}

// add makes a script of what one checkout has written.
func (w *writeSet) add(list []*transaction, kept *copied, variant string) {
	var b strings.Builder
	b.WriteString("\\set n random(1000000000, 9999999999)\n\\set v random(1, 1000)\n")
	for _, t := range list {
		if len(t.statements) > 1 {
			b.WriteString("BEGIN;\n")
		}
		for _, s := range t.statements {
			b.WriteString(kept.script(t.service, s, variant) + ";\n")
		}
		if len(t.statements) > 1 {
			b.WriteString("COMMIT;\n")
		}
		w.statements += len(t.statements)
	}
	w.transactions += len(list)
	w.scripts = append(w.scripts, b.String())
}

var (
	target    = regexp.MustCompile(`(?i)\b(INTO|UPDATE|FROM|JOIN)(\s+)(\w+)`)
	parameter = regexp.MustCompile(`\$\d+`)
	// versioned says that a row must be as it was read: once it has been written, it isn't.
	versioned = regexp.MustCompile(` AND version = \$\d+`)
	digits    = regexp.MustCompile(`^'-?\d+'$`)
)

// script is a statement as a line of pgbench: its tables in the service's schema, and its values in their places. A word that was
// not there before the checkout is one of its own, and another one in each run. Stock is another variant's each time: pgbench
// need not wait for one row.
func (k *copied) script(service string, s statement, variant string) string {
	text := versioned.ReplaceAllString(s.text, "")
	text = target.ReplaceAllStringFunc(text, func(found string) string {
		parts := target.FindStringSubmatch(found)
		if !k.tables[service][parts[3]] {
			return found
		}
		return parts[1] + parts[2] + service + "." + parts[3]
	})
	stock := strings.Contains(text, "UPDATE inventory.stock ")
	text = parameter.ReplaceAllStringFunc(text, func(found string) string {
		i, _ := strconv.Atoi(found[1:])
		value := cmp.Or(nth(s.values, i-1), "NULL")
		switch {
		case !strings.HasPrefix(value, "'"):
			return value
		case stock && value == "'"+variant+"'":
			return "(SELECT id FROM public.variant WHERE n = :v)"
		case len(value) < 10 || digits.MatchString(value) || bytes.Contains(k.text, []byte(strings.ReplaceAll(value[1:len(value)-1], "''", "'"))):
			return literal(value)
		}
		return "(" + literal(value) + " || :n)"
	})
	return strings.Join(strings.Fields(text), " ")
}

func nth(list []string, i int) string {
	if i < 0 || i >= len(list) {
		return ""
	}
	return list[i]
}

// literal is a value of the log in a script: a colon begins a variable there, and a line ends.
func literal(value string) string {
	return "E" + strings.NewReplacer(`\`, `\\`, ":", `\x3a`, "\n", `\n`, "\t", `\t`, " ", `\x20`).Replace(value)
}
