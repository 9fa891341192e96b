package main

import (
	"fmt"

	"github.com/agora-supergraph/agora/router/config"
)

// configCommand shows and checks the router's configuration.
func configCommand(args []string, std streams) error {
	switch {
	case len(args) == 1 && args[0] == "schema":
		_, err := std.out.Write(config.Schema())
		return err
	case len(args) == 2 && args[0] == "validate":
		_, err := config.Load(args[1])
		return err
	case len(args) == 2 && args[0] == "show":
		cfg, err := config.Load(args[1])
		if err == nil {
			_, err = fmt.Fprint(std.out, cfg.String())
		}
		return err
	}
	fmt.Fprintln(std.err, "router config: schema | validate FILE | show FILE")
	return errUsage
}
