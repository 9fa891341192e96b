package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/agora-supergraph/agora/router/check"
	"github.com/agora-supergraph/agora/router/config"
	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/persisted/manifest"
	"github.com/agora-supergraph/agora/router/persisted/store"
)

// persistCommand manages the manifests that routers serve documents from.
func persistCommand(ctx context.Context, args []string, std streams) error {
	commands := map[string]func(context.Context, []string, streams) error{"publish": publish, "list": listDocuments, "retire": retire}
	if len(args) == 0 || commands[args[0]] == nil {
		fmt.Fprintln(std.err, "router persist: publish | list | retire")
		return errUsage
	}
	return commands[args[0]](ctx, args[1:], std)
}

// storeFlags are those of all commands that have a store.
type storeFlags struct {
	*flag.FlagSet
	place, prefix, client string
}

func newStoreFlags(command string) *storeFlags {
	s := &storeFlags{FlagSet: flag.NewFlagSet(command, flag.ContinueOnError)}
	s.StringVar(&s.place, "store", "", "a manifest `file` (.json), a folder with one for each client, or redis://HOST:6379")
	s.StringVar(&s.prefix, "prefix", "", "what begins the keys in Redis (default agora)")
	s.StringVar(&s.client, "client", "", "`name` of the client, or name~version; without it, documents are everybody's")
	return s
}

// documents opens the store of documents.
func (s *storeFlags) documents() (store.Store, error) {
	if s.place == "" {
		return nil, errors.New("--store names a manifest, a folder or redis://HOST:6379")
	}
	if isRedis(s.place) {
		client, err := config.OpenRedis(s.place)
		return store.Redis{Client: client, Prefix: s.prefix}, err
	}
	if info, err := os.Stat(s.place); err == nil && info.IsDir() {
		name := "all"
		if s.client != "" {
			name = url.PathEscape(s.client)
		}
		return store.File{Path: filepath.Join(s.place, name+".json")}, nil
	}
	return store.File{Path: s.place}, nil
}

func isRedis(place string) bool {
	return strings.HasPrefix(place, "redis://") || strings.HasPrefix(place, "rediss://")
}

// publish adds documents to a store. Nothing is added if one of them is not valid.
func publish(ctx context.Context, args []string, std streams) error {
	var supergraph string
	flags := newStoreFlags("persist publish")
	flags.StringVar(&supergraph, "supergraph", "", "`file` of the supergraph that the documents have to be valid in: SDL, or rover's supergraph.yaml")
	files, err := parse(flags.FlagSet, std, args, "MANIFEST|FOLDER")
	if err != nil {
		return err
	}
	if supergraph == "" {
		fmt.Fprintln(std.err, "router persist publish: --supergraph names the file of the supergraph that the documents have to be valid in")
		return errUsage
	}
	to, err := flags.documents()
	if err != nil {
		return err
	}
	documents, _, err := store.File{Path: files[0]}.Load(ctx, "")
	if err != nil {
		return err
	}
	if err := valid(ctx, supergraph, documents); err != nil {
		return err
	}
	for i := range documents {
		if documents[i].Client == "" {
			documents[i].Client = flags.client
		}
	}
	var added int
	err = to.Update(ctx, func(have []manifest.Document) (all []manifest.Document, err error) {
		all, added, err = manifest.Publish(have, documents)
		return all, err
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.out, "%d documents published, %d were there already: %s\n", added, len(documents)-added, to)
	return err
}

// valid says everything that a supergraph refuses in documents.
func valid(ctx context.Context, file string, documents []manifest.Document) error {
	sg, err := loadSupergraph(ctx, file)
	if err != nil {
		return err
	}
	var errs []error
	for _, d := range documents {
		// What clients may ask is the router's matter: here a document has to be one of the schema's.
		_, wrong := operation.Parse(sg, d.Text, operation.Limits{Tokens: -1, Depth: -1, Fields: -1})
		for _, e := range wrong {
			errs = append(errs, fmt.Errorf("%s (%s): %w", d.Name, d.ID, e))
		}
	}
	return errors.Join(errs...)
}

// listDocuments prints what is in a store, by client.
func listDocuments(ctx context.Context, args []string, std streams) error {
	var format string
	flags := newStoreFlags("persist list")
	flags.StringVar(&format, "format", "plain", "plain, or json for Apollo's manifest")
	if _, err := parse(flags.FlagSet, std, args); err != nil {
		return err
	}
	documents, err := flags.read(ctx)
	if err != nil {
		return err
	}
	if format == "json" {
		_, err := std.out.Write(manifest.Format(documents))
		return err
	}
	for _, d := range documents {
		client, name, end := d.Client, d.Name, ""
		if client == "" {
			client = "everybody"
		}
		if name == "" {
			name = "(anonymous)"
		}
		if !d.RetireAt.IsZero() {
			end = "  until " + d.RetireAt.UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(std.out, "%s  %s %s  %s%s\n", client, d.Kind, name, d.ID, end)
	}
	_, err = fmt.Fprintf(std.out, "%d documents\n", len(documents))
	return err
}

// read reads the documents that have not ended, of the client if there is one, in the order of a manifest.
func (s *storeFlags) read(ctx context.Context) ([]manifest.Document, error) {
	from, err := s.documents()
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(s.place); err == nil && info.IsDir() {
		from = store.File{Path: s.place}
	}
	documents, _, err := from.Load(ctx, "")
	now := time.Now()
	documents = slices.DeleteFunc(documents, func(d manifest.Document) bool {
		return d.Retired(now) || s.client != "" && d.Client != s.client
	})
	slices.SortStableFunc(documents, manifest.Compare)
	return documents, err
}

// retire lets documents end after a time in which clients that still send them are served.
func retire(ctx context.Context, args []string, std streams) error {
	var keep string
	var ids []string
	var grace time.Duration
	flags := newStoreFlags("persist retire")
	flags.Func("id", "`id` of a document to retire; may stand again", func(id string) error {
		ids = append(ids, id)
		return nil
	})
	flags.StringVar(&keep, "keep", "", "`file` of the client's newest manifest: retires its documents that are not in it")
	flags.DurationVar(&grace, "grace", 30*24*time.Hour, "`time` for which they are served on")
	if _, err := parse(flags.FlagSet, std, args); err != nil {
		return err
	}
	if (keep == "") == (ids == nil) || grace < 0 {
		fmt.Fprintln(std.err, "router persist retire: say which, by --id or by --keep; --grace is not negative")
		return errUsage
	}
	from, err := flags.documents()
	if err != nil {
		return err
	}
	which := func(d manifest.Document) bool { return slices.Contains(ids, d.ID) }
	if keep != "" {
		kept, _, err := store.File{Path: keep}.Load(ctx, "")
		if err != nil {
			return err
		}
		which = func(d manifest.Document) bool {
			return !slices.ContainsFunc(kept, func(k manifest.Document) bool { return k.ID == d.ID })
		}
	}
	now := time.Now().Truncate(time.Second)
	var retired int
	err = from.Update(ctx, func(have []manifest.Document) (all []manifest.Document, err error) {
		all, retired = manifest.Retire(have, now, now.Add(grace), func(d manifest.Document) bool { return d.Client == flags.client && which(d) })
		return all, nil
	})
	if err != nil {
		return err
	}
	if retired == 0 && ids != nil {
		return fmt.Errorf("there is no such document of %s, or it retires earlier already", owner(flags.client))
	}
	_, err = fmt.Fprintf(std.out, "%d documents retire at %s: %s\n", retired, now.Add(grace).UTC().Format(time.RFC3339), from)
	return err
}

func owner(name string) string {
	if name == "" {
		return "everybody's"
	}
	return "client " + name
}

// readDocuments reads the operations that a check is about, from files or from the Redis that routers have them from.
func readDocuments(ctx context.Context, place string) ([]check.Document, error) {
	if !isRedis(place) {
		return check.ReadDocuments(place)
	}
	documents, err := (&storeFlags{place: place}).read(ctx)
	return check.FromManifest("redis", documents), err
}
