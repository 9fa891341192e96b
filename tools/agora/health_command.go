package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// healthCommand asks a process whether it is ready: agora health URL. Images without a shell have it for their checks.
func healthCommand(ctx context.Context, args []string, out, diagnostics io.Writer) error {
	urls, rest := leading(args)
	flags := flag.NewFlagSet("health", flag.ContinueOnError)
	flags.SetOutput(diagnostics)
	timeout := flags.Duration("timeout", 2*time.Second, "`time` that the answer may take")
	if err := parse(flags, rest); err != nil {
		return err
	}
	if len(urls) != 1 {
		return errors.New("health: want one URL, such as http://127.0.0.1:4001/health/ready")
	}
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, urls[0], nil)
	if err != nil {
		return fmt.Errorf("health: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("health: %w", err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	if err != nil {
		return fmt.Errorf("health: %w", err)
	}
	said := strings.TrimSpace(string(text))
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("health: %s: %s", resp.Status, said)
	}
	fmt.Fprintln(out, said)
	return nil
}
