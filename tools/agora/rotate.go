package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"
)

// keys looks after the keys that access tokens are signed with, whether the shop is running or not: agora keys rotate.
func keys(ctx context.Context, args []string, out, diagnostics io.Writer) error {
	words, rest := leading(args)
	var file, data string
	flags := flag.NewFlagSet("keys", flag.ContinueOnError)
	flags.SetOutput(diagnostics)
	flags.StringVar(&file, "config", "", "the services' configuration `file`")
	flags.StringVar(&data, "data", "data", "`folder` of the databases, where there is no such file")
	if err := parse(flags, rest); err != nil {
		return err
	}
	if !slices.Equal(words, []string{"rotate"}) {
		return errors.New("keys: want rotate")
	}
	cfg, err := settingsOf(file, data)
	if err != nil {
		return err
	}
	if cfg.Services.Users.Database == "" {
		return errors.New("the setting services.users.database is missing: it holds the keys")
	}
	s := &shop{cfg: cfg, log: slog.New(slog.NewTextHandler(diagnostics, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	if err := s.openAlone(ctx, "users"); err != nil {
		return err
	}
	turn, err := s.users.RotateKeys(ctx)
	if err == nil {
		fmt.Fprintln(out, "the next key signs from", turn.UTC().Format(time.RFC3339))
	}
	return errors.Join(err, s.close())
}

// settingsOf are those of a configuration file, or of a data folder where none is named.
func settingsOf(file, data string) (settings, error) {
	if file != "" {
		return readSettings(file)
	}
	secret, err := storedSecret(data)
	if err != nil {
		return settings{}, err
	}
	return readFolder(data, secret)
}
