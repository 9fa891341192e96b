package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/agora-supergraph/agora/router/config"
)

// moved is what the file services.yaml of a data folder says: the databases of services whose data is not in the folder.
type moved struct {
	Services serviceTable
	Provider providerSettings
}

func movedFile(folder string) string { return filepath.Join(folder, "services.yaml") }

// folderFile is the URL of a service's database in a data folder.
func folderFile(folder, service string) string {
	return "sqlite:" + filepath.Join(folder, service+".db")
}

// readFolder are the settings of a data folder: a file for each service, or what services.yaml names.
func readFolder(folder string, secret []byte) (settings, error) {
	return localSettings(folder, secret).relocated(folder)
}

// relocated are settings with the databases that the services.yaml of a data folder names.
func (cfg settings) relocated(folder string) (settings, error) {
	source, err := os.ReadFile(movedFile(folder))
	if errors.Is(err, fs.ErrNotExist) {
		return cfg, nil
	}
	if err != nil {
		return cfg, fmt.Errorf("data folder: %w", err)
	}
	var elsewhere moved
	if err := config.Decode(movedFile(folder), source, &elsewhere); err != nil {
		return cfg, err
	}
	for _, name := range everything {
		if url := (settings{Services: elsewhere.Services, Provider: elsewhere.Provider}).databaseOf(name); url != "" {
			cfg = cfg.with(name, url)
		}
	}
	return cfg, nil
}

// databaseOf is the database's URL of a service or of the provider, as it is in the file.
func (cfg settings) databaseOf(name string) string {
	if name == "provider" {
		return cfg.Provider.Database
	}
	return cfg.Services.byName(name).Database
}

// with are the settings with the database of a service at another URL.
func (cfg settings) with(name, url string) settings {
	switch name {
	case "provider":
		cfg.Provider.Database = url
	case "users":
		cfg.Services.Users.Database = url
	case "products":
		cfg.Services.Products.Database = url
	case "inventory":
		cfg.Services.Inventory.Database = url
	case "orders":
		cfg.Services.Orders.Database = url
	case "payments":
		cfg.Services.Payments.Database = url
	}
	return cfg
}

// writeMoved notes in a data folder where the data of a service is, whole or not at all.
func writeMoved(folder, service, url string) error {
	cfg, err := readFolder(folder, nil)
	if err != nil {
		return err
	}
	cfg = cfg.with(service, url)
	var b strings.Builder
	b.WriteString("# Where agora extract has moved the data of services to.\nservices:\n")
	for _, name := range everything {
		if at := cfg.databaseOf(name); at != folderFile(folder, name) && at != "" && name != "provider" {
			fmt.Fprintf(&b, "  %s: { database: %q }\n", name, at)
		}
	}
	if at := cfg.Provider.Database; at != folderFile(folder, "provider") {
		fmt.Fprintf(&b, "provider: { database: %q }\n", at)
	}
	draft := movedFile(folder) + ".new"
	// Passwords are in it.
	if err := os.WriteFile(draft, []byte(b.String()), 0o600); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	return os.Rename(draft, movedFile(folder))
}

// movedPoll is how often a shop looks whether data has moved.
const movedPoll = 100 * time.Millisecond

// errMoved ends the run of a shop whose data has moved: it is opened anew.
var errMoved = errors.New("data has moved")

// whileUnmoved is a context that ends when services.yaml says something else than it did, with errMoved as the cause.
// stop ends it, and returns when nobody looks any more.
func whileUnmoved(ctx context.Context, folder string) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	before, _ := os.ReadFile(movedFile(folder)) // if there is none, there is none yet
	var looking sync.WaitGroup
	looking.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(movedPoll):
			}
			if now, err := os.ReadFile(movedFile(folder)); err == nil && string(now) != string(before) {
				cancel(errMoved)
			}
		}
	})
	return ctx, func() { cancel(nil); looking.Wait() }
}
