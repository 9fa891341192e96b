package main

import (
	"embed"
	"io/fs"
	"slices"
	"strings"

	"github.com/agora-supergraph/agora/router/playground"
)

// examples are the operations in the Playground's tabs, N-name.graphql in order, each with its variables in
// N-name.json if it has some. Tests send them too.
//
//go:embed examples
var examples embed.FS

// playgroundConfig is what the Playground offers of this shop.
func playgroundConfig() playground.Config {
	cfg := playground.Config{
		Title: "Agora",
		Tabs:  tabs(),
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

func tabs() []playground.Tab {
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
		list = append(list, playground.Tab{Name: strings.ToUpper(name[:1]) + name[1:], Query: string(query), Variables: strings.TrimSpace(string(variables))})
	}
	return list
}
