// Command bench measures the router against the floor, which is a program that makes the same requests to subgraphs and
// nothing else, and against other routers.
//
// One run starts everything it needs on the loopback interface: subgraphs (package shop), the router built from this
// repository, the floors and the peers. It sends each of them the same operations in interleaved rounds (package load),
// compares their answers with those of one server that holds all data, and prints a table. Processor time per request
// is the figure that other work on the machine disturbs least; ratios between lines of one run hold where absolute
// figures don't.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

// run carries out a command line. The commands subgraphs and floor are processes of a run.
func run(ctx context.Context, args []string) error {
	if len(args) > 0 {
		switch command, rest := args[0], args[1:]; command {
		case "router":
			return routerCommand(ctx, rest, os.Stdout, os.Stderr)
		case "subgraphs":
			return subgraphsCommand(ctx, rest)
		case "floor":
			return floorCommand(ctx, rest)
		}
	}
	return errors.New("usage: bench router [FLAGS]; bench router --help lists them")
}

// listen serves until ctx ends.
func listen(ctx context.Context, address string, handler http.Handler) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	select {
	case <-ctx.Done():
		return errors.Join(server.Close(), ignoreClosed(<-served))
	case err := <-served:
		return err
	}
}

func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
