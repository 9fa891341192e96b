package main

import (
	"context"
	"embed"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/agora-supergraph/agora/router/playground"
)

// examples are the operations in the Playground's tabs, NN-name.graphql in order, each with its variables in
// NN-name.json if it has some; ${NAME} in these stands for what the showcase says. Tests send them too.
//
//go:embed examples
var examples embed.FS

// playgroundConfig is what the Playground offers of this shop.
func playgroundConfig(tabs []playground.Tab) playground.Config {
	cfg := playground.Config{
		Title:   "Agora",
		Tabs:    tabs,
		Explain: true,
		Login: &playground.Login{
			Operation:  "mutation LogIn($email: String!, $password: String!) { login(input: {email: $email, password: $password}) { tokens { accessToken } userErrors { message } } }",
			TokenPaths: []string{"data.login.tokens.accessToken", "data.refreshSession.tokens.accessToken"},
			ErrorPaths: []string{"data.login.userErrors.0.message"},
		},
	}
	for _, a := range accounts {
		cfg.Login.Accounts = append(cfg.Login.Accounts, playground.Account{Name: a.name, Variables: map[string]string{"email": a.email, "password": a.password}})
	}
	return cfg
}

// tabs are the examples, with variables that fit this shop. A shop that has nothing to show has them with empty ones.
func (s *shop) tabs(ctx context.Context) []playground.Tab {
	show, err := s.showcase(ctx)
	if err != nil {
		s.log.WarnContext(ctx, "variables of the examples", "error", err)
	}
	files, err := fs.Glob(examples, "examples/*.graphql")
	if err != nil {
		panic(err)
	}
	slices.Sort(files)
	var list []playground.Tab
	for _, file := range files {
		query, err := examples.ReadFile(file)
		if err != nil {
			panic(err)
		}
		base := strings.TrimSuffix(file, ".graphql")
		variables, err := examples.ReadFile(base + ".json")
		if err != nil {
			variables = nil // the operation has none
		}
		_, name, _ := strings.Cut(base, "-")
		list = append(list, playground.Tab{Name: strings.ToUpper(name[:1]) + name[1:], Query: string(query), Variables: os.Expand(strings.TrimSpace(string(variables)), show.variables)})
	}
	return list
}
