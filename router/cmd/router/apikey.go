package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/agora-supergraph/agora/router/auth/apikey"
	"github.com/agora-supergraph/agora/router/config"
)

// apikeyCommand manages the API keys of partners' programs.
func apikeyCommand(ctx context.Context, args []string, std streams) error {
	commands := map[string]func(context.Context, []string, streams) error{"new": newKey, "list": listKeys, "revoke": revokeKey}
	if len(args) == 0 || commands[args[0]] == nil {
		fmt.Fprintln(std.err, "router apikey: new | list | revoke")
		return errUsage
	}
	return commands[args[0]](ctx, args[1:], std)
}

// keyFlags are those of all commands about keys.
type keyFlags struct {
	*flag.FlagSet
	place, prefix string
}

func newKeyFlags(command string) *keyFlags {
	k := &keyFlags{FlagSet: flag.NewFlagSet(command, flag.ContinueOnError)}
	k.StringVar(&k.place, "store", "", "JSON `file` of the keys, or redis://HOST:6379")
	k.StringVar(&k.prefix, "prefix", "", "what begins the key in Redis (default agora)")
	return k
}

func (k *keyFlags) keys() (apikey.Store, error) {
	switch {
	case k.place == "":
		return nil, errors.New("--store names a file or redis://HOST:6379")
	case isRedis(k.place):
		client, err := config.OpenRedis(k.place)
		return apikey.Redis{Client: client, Prefix: k.prefix}, err
	}
	return apikey.File{Path: k.place}, nil
}

// newKey makes a key and prints it, the only time that anybody sees it.
func newKey(ctx context.Context, args []string, std streams) error {
	var client, scopes string
	var expires time.Duration
	flags := newKeyFlags("apikey new")
	flags.StringVar(&client, "client", "", "`name` of the client whose key it is")
	flags.StringVar(&scopes, "scopes", "", "scopes of requests with the key, separated by commas")
	flags.DurationVar(&expires, "expires", 0, "`time` after which it is no longer good (default never)")
	if _, err := parse(flags.FlagSet, std, args); err != nil {
		return err
	}
	if client == "" || expires < 0 {
		fmt.Fprintln(std.err, "router apikey new: --client names the client, --expires is not negative")
		return errUsage
	}
	to, err := flags.keys()
	if err != nil {
		return err
	}
	now := time.Now().UTC().Truncate(time.Second)
	var end time.Time
	if expires > 0 {
		end = now.Add(expires)
	}
	key, record := apikey.Make(client, strings.FieldsFunc(scopes, func(r rune) bool { return r == ',' || r == ' ' }), now, end)
	if err := to.Update(ctx, func(have []apikey.Record) ([]apikey.Record, error) { return apikey.Add(have, record) }); err != nil {
		return err
	}
	fmt.Fprintf(std.err, "key %s of client %s: it is shown this once\n", record.ID, client)
	_, err = fmt.Fprintln(std.out, key)
	return err
}

// listKeys prints what is known of keys.
func listKeys(ctx context.Context, args []string, std streams) error {
	flags := newKeyFlags("apikey list")
	if _, err := parse(flags.FlagSet, std, args); err != nil {
		return err
	}
	from, err := flags.keys()
	if err != nil {
		return err
	}
	records, err := from.Load(ctx)
	if err != nil {
		return err
	}
	now := time.Now()
	for _, r := range records {
		end := "never expires"
		switch {
		case r.Expired(now):
			end = "expired " + r.Expires.Format(time.RFC3339)
		case !r.Expires.IsZero():
			end = "expires " + r.Expires.Format(time.RFC3339)
		}
		fmt.Fprintf(std.out, "%s  %s  made %s, %s  %s\n", r.ID, r.Client, r.Created.Format(time.RFC3339), end, strings.Join(r.Scopes, ","))
	}
	_, err = fmt.Fprintf(std.out, "%d keys\n", len(records))
	return err
}

// revokeKey ends a key, now or after a time.
func revokeKey(ctx context.Context, args []string, std streams) error {
	var after time.Duration
	flags := newKeyFlags("apikey revoke")
	flags.DurationVar(&after, "after", 0, "`time` for which it is good still")
	ids, err := parse(flags.FlagSet, std, args, "ID")
	if err != nil {
		return err
	}
	from, err := flags.keys()
	if err != nil {
		return err
	}
	now := time.Now().UTC().Truncate(time.Second)
	err = from.Update(ctx, func(have []apikey.Record) ([]apikey.Record, error) {
		return apikey.Revoke(have, ids[0], now, now.Add(after))
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.out, "key %s ends at %s\n", ids[0], now.Add(after).Format(time.RFC3339))
	return err
}
