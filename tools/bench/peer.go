package main

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
)

var peerSyntax = regexp.MustCompile(`^([^=]+)=(.+)@(\d+)(/\S*)?$`)

// parsePeer reads NAME=COMMAND@PORT[/PATH].
func parsePeer(text string) (target, error) {
	m := peerSyntax.FindStringSubmatch(text)
	if m == nil {
		return target{}, fmt.Errorf("--peer %q: want NAME=COMMAND@PORT[/PATH]", text)
	}
	path := m[4]
	if path == "" {
		path = "/graphql"
	}
	return target{name: m[1], command: []string{"sh", "-c", m[2]}, port: m[3], path: path}, nil
}

//go:embed peers
var peerFiles embed.FS

// npmPeers installs the gateways that npm has for any machine, in a folder that later runs find again.
func (b *bench) npmPeers(ctx context.Context) ([]target, error) {
	folder := filepath.Join(os.TempDir(), "agora-bench-peers")
	err := fs.WalkDir(peerFiles, "peers", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := peerFiles.ReadFile(name)
		if err != nil {
			return err
		}
		to := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		return os.WriteFile(to, text, 0o600)
	})
	if err != nil {
		return nil, err
	}
	apollo, hive := filepath.Join(folder, "peers/apollo-gateway"), filepath.Join(folder, "peers/hive-gateway")
	for _, dir := range []string{apollo, hive} {
		if _, err := os.Stat(filepath.Join(dir, "node_modules", ".package-lock.json")); err == nil {
			continue
		}
		fmt.Fprintln(b.log, "bench: npm install in", dir)
		install := exec.CommandContext(ctx, "npm", "install", "--no-audit", "--no-fund", "--loglevel", "error")
		install.Dir, install.Stdout, install.Stderr = dir, b.log, b.log
		if err := install.Run(); err != nil {
			return nil, fmt.Errorf("npm install in %s: %w", dir, err)
		}
	}
	production := []string{"NODE_ENV=production"}
	serve := []string{"node", "node_modules/@graphql-hive/gateway/dist/bin.js", "supergraph", "{supergraph}", "--config-path", "gateway.config.js", "--host", "127.0.0.1", "--port", "{port}"}
	return []target{
		{name: "@apollo/gateway", dir: apollo, env: production, path: "/", command: []string{"node", "serve.js"}},
		{name: "@graphql-hive/gateway", dir: hive, env: production, path: "/graphql", command: serve},
		{name: "@graphql-hive/gateway, Rust planner", dir: hive, env: production, path: "/graphql", command: append(serve[:len(serve):len(serve)], "--hive-router-runtime")},
	}, nil
}
