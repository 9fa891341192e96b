package main

import (
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/agora-supergraph/agora/subgraphs/products"
	"github.com/agora-supergraph/agora/subgraphs/products/feed"
)

// catalogueConfig is what the flags of catalogue say.
type catalogueConfig struct {
	file     string
	data     string
	database string
	format   string
	batch    int
	dryRun   bool
}

// catalogue imports and exports the catalogue of a shop, whether it is running or not.
func catalogue(ctx context.Context, args []string, out, diagnostics io.Writer) error {
	actions := map[string]func(context.Context, catalogueConfig, io.Writer, io.Writer) error{"import": importCatalogue, "export": exportCatalogue}
	var action func(context.Context, catalogueConfig, io.Writer, io.Writer) error
	if len(args) > 0 {
		action = actions[args[0]]
	}
	if action == nil {
		fmt.Fprintln(diagnostics, "usage: agora catalogue import FILE | export FILE, with --help for the flags")
		return usageError{errors.New("no action")}
	}
	cfg, err := parseCatalogue(args[0], args[1:], diagnostics)
	if err != nil {
		return err
	}
	return action(ctx, cfg, out, diagnostics)
}

// parseCatalogue reads the file and the flags, which may stand before it or behind it.
func parseCatalogue(action string, args []string, diagnostics io.Writer) (catalogueConfig, error) {
	var cfg catalogueConfig
	flags := flag.NewFlagSet("catalogue "+action, flag.ContinueOnError)
	flags.SetOutput(diagnostics)
	flags.StringVar(&cfg.data, "data", "data", "`folder` of the databases")
	flags.StringVar(&cfg.database, "database", "", "`URL` of the database of products, if it is not in the folder")
	flags.StringVar(&cfg.format, "format", "", "csv or jsonl; left out: what the file's name ends in")
	if action == "import" {
		flags.IntVar(&cfg.batch, "batch", 100, "products in a transaction, 1 to 1000")
		flags.BoolVar(&cfg.dryRun, "dry-run", false, "say what would be done, and do nothing")
	}
	if len(args) > 0 && (!strings.HasPrefix(args[0], "-") || args[0] == "-") {
		cfg.file, args = args[0], args[1:]
	}
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return cfg, err
		}
		return cfg, usageError{err}
	}
	if cfg.file == "" && flags.NArg() > 0 {
		cfg.file = flags.Arg(0)
		args = flags.Args()[1:]
	} else {
		args = flags.Args()
	}
	if err := flags.Parse(args); err != nil {
		return cfg, usageError{err}
	}
	problem := ""
	switch {
	case cfg.file == "":
		problem = "which FILE?"
	case flags.NArg() > 0:
		problem = fmt.Sprintf("unexpected argument %q", flags.Arg(0))
	case action == "import" && (cfg.batch < 1 || cfg.batch > 1000):
		problem = fmt.Sprintf("--batch %d: want 1 to 1000", cfg.batch)
	}
	if problem != "" {
		fmt.Fprintf(diagnostics, "agora catalogue %s: %s\n", action, problem)
		return cfg, usageError{errors.New(problem)}
	}
	return cfg, nil
}

func (cfg catalogueConfig) open(ctx context.Context) (*products.Service, feed.Format, error) {
	format := feed.Format(cfg.format)
	if format == "" {
		var err error
		if format, err = feed.FormatOf(cfg.file); err != nil {
			return nil, "", err
		}
	}
	folder, err := readFolder(cfg.data, nil)
	if err != nil {
		return nil, "", err
	}
	service, err := products.New(ctx, products.Config{Database: cmp.Or(cfg.database, folder.databaseOf("products"))})
	return service, format, err
}

// importCatalogue stores what a file says. Products that are refused are told by line, and fail the command when all
// others are stored.
func importCatalogue(ctx context.Context, cfg catalogueConfig, out, diagnostics io.Writer) (err error) {
	digest, lines, err := survey(cfg.file)
	if err != nil {
		return err
	}
	file, err := os.Open(cfg.file)
	if err != nil {
		return err
	}
	defer file.Close()
	service, format, err := cfg.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, service.Close()) }()
	reader, err := feed.NewReader(file, format)
	if err != nil {
		return fmt.Errorf("%s: %w", cfg.file, err)
	}
	progress := meter{out: diagnostics, what: "lines"}
	result, err := service.Import(ctx, reader, products.ImportConfig{
		File: digest, DryRun: cfg.dryRun, Batch: cfg.batch,
		Progress: func(r products.ImportResult) { progress.show(min(r.Line, lines), lines) },
		Refused:  func(p feed.Problem) { fmt.Fprintf(diagnostics, "%s:%d: %s\n", cfg.file, p.Line, p.Message) },
	})
	progress.end()
	if result.Resumed > 0 {
		fmt.Fprintf(out, "resumed behind line %d\n", result.Resumed)
	}
	verb := "stored"
	if cfg.dryRun {
		verb = "dry run"
	}
	fmt.Fprintf(out, "%s: %d created, %d changed, %d as they were, %d refused\n", verb, result.Created, result.Changed, result.Same, result.Refused)
	if err == nil && result.Refused > 0 {
		err = fmt.Errorf("%d products of %s are refused", result.Refused, cfg.file)
	}
	return err
}

// survey is the digest of a file and how many lines it has.
func survey(name string) (digest string, lines int, err error) {
	file, err := os.Open(name)
	if err != nil {
		return "", 0, err
	}
	defer file.Close()
	hash := sha256.New()
	counter := &lineCounter{}
	if _, err := io.Copy(io.MultiWriter(hash, counter), file); err != nil {
		return "", 0, fmt.Errorf("read %s: %w", name, err)
	}
	return hex.EncodeToString(hash.Sum(nil)), counter.lines, nil
}

// lineCounter counts the ends of lines that are written to it.
type lineCounter struct{ lines int }

// Write counts.
func (c *lineCounter) Write(b []byte) (int, error) {
	for _, each := range b {
		if each == '\n' {
			c.lines++
		}
	}
	return len(b), nil
}

// exportCatalogue writes the catalogue into a file. The file has its name when it is whole.
func exportCatalogue(ctx context.Context, cfg catalogueConfig, out, diagnostics io.Writer) (err error) {
	service, format, err := cfg.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, service.Close()) }()
	options, err := service.MostOptions(ctx)
	if err != nil {
		return err
	}
	unfinished := cfg.file + ".part"
	file, err := os.Create(unfinished)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(unfinished)) }()
	defer file.Close()
	buffer := bufio.NewWriter(file)
	writer, err := feed.NewWriter(buffer, format, options)
	if err != nil {
		return err
	}
	progress := meter{out: diagnostics, what: "products"}
	n, err := service.Export(ctx, writer, func(done int) { progress.show(done, done) })
	progress.end()
	if err = errors.Join(err, buffer.Flush(), file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("export to %s: %w", cfg.file, err)
	}
	if err := os.Rename(unfinished, cfg.file); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d products in %s\n", n, cfg.file)
	return nil
}
