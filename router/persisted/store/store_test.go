package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/agora-supergraph/agora/router/persisted/manifest"
)

// each runs a test over every store that can be changed.
func each(t *testing.T, test func(t *testing.T, s Store)) {
	t.Run("file", func(t *testing.T) { test(t, File{Path: filepath.Join(t.TempDir(), "m.json")}) })
	t.Run("redis", func(t *testing.T) {
		client := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr()})
		t.Cleanup(func() { _ = client.Close() })
		test(t, Redis{Client: client, Prefix: "test"})
	})
}

func add(d manifest.Document) func([]manifest.Document) ([]manifest.Document, error) {
	return func(have []manifest.Document) ([]manifest.Document, error) { return append(have, d), nil }
}

func TestWhatIsPublishedIsReadAndReadOnce(t *testing.T) {
	each(t, func(t *testing.T, s Store) {
		if err := s.Update(t.Context(), add(manifest.Document{ID: "a", Text: "{a}"})); err != nil {
			t.Fatal(err)
		}
		documents, version, err := s.Load(t.Context(), "")
		if err != nil || len(documents) != 1 || documents[0].Text != "{a}" || version == "" {
			t.Fatalf("Load = %v, %q, %v", documents, version, err)
		}
		if err := s.Update(t.Context(), add(manifest.Document{ID: "b", Text: "{b}"})); err != nil {
			t.Fatal(err)
		}
		documents, next, err := s.Load(t.Context(), version)
		if err != nil || len(documents) != 2 || next == version {
			t.Fatalf("after an update: %v, %q, %v", documents, next, err)
		}
		refused := errors.New("refused")
		err = s.Update(t.Context(), func([]manifest.Document) ([]manifest.Document, error) { return nil, refused })
		if !errors.Is(err, refused) {
			t.Errorf("Update = %v", err)
		}
		if documents, _, err := s.Load(t.Context(), next); err != nil || documents != nil {
			t.Errorf("an update that was refused has changed something: %v, %v", documents, err)
		}
	})
}

func TestConcurrentUpdatesAreAllThere(t *testing.T) {
	each(t, func(t *testing.T, s Store) {
		const writers, each = 4, 5
		var running sync.WaitGroup
		for w := range writers {
			running.Go(func() {
				for i := range each {
					if err := s.Update(context.Background(), add(manifest.Document{ID: fmt.Sprint(w, "-", i), Text: "{a}"})); err != nil {
						t.Error(err)
					}
				}
			})
		}
		running.Wait()
		documents, _, err := s.Load(t.Context(), "")
		if err != nil || len(documents) != writers*each {
			t.Errorf("%d documents, %v, want %d", len(documents), err, writers*each)
		}
	})
}

func TestAFolderIsReadAgainWhenOneOfItsFilesChanges(t *testing.T) {
	folder := t.TempDir()
	f := File{Path: folder, Naming: manifest.NamedByFile}
	if _, version, err := f.Load(t.Context(), ""); err != nil || version == "" {
		t.Fatalf("an empty folder: %q, %v", version, err)
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("A.graphql", "{a}")
	documents, version, err := f.Load(t.Context(), "")
	if err != nil || len(documents) != 1 {
		t.Fatalf("Load = %v, %v", documents, err)
	}
	write("A.graphql", "{aa}")
	if documents, _, err = f.Load(t.Context(), version); err != nil || len(documents) != 1 || documents[0].Text != "{aa}" {
		t.Errorf("after a change: %v, %v", documents, err)
	}
	one := File{Path: filepath.Join(folder, "A.graphql"), Naming: manifest.NamedByFile}
	write("B.graphql", "{b}")
	if documents, _, err = one.Load(t.Context(), ""); err != nil || len(documents) != 1 || documents[0].ID != "A" {
		t.Errorf("one file of it: %v, %v", documents, err)
	}
	if err := f.Update(t.Context(), add(manifest.Document{})); err == nil {
		t.Error("a folder was updated")
	}
}
