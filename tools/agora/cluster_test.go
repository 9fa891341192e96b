package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/internal/event/natstest"
)

// clusterOn starts a cluster on databases and streams of its own, which are gone when the test ends.
func clusterOn(t *testing.T, folder string, more ...string) *program {
	t.Helper()
	server, nats := databasetest.Server(t), natstest.URL(t)
	prefix := natstest.Prefix(t, nats)
	t.Cleanup(func() {
		for _, service := range distributed {
			databasetest.Drop(t, prefix+"_"+service)
		}
	})
	return startCommand(t, nil, append([]string{
		binary, "cluster", "--listen", "127.0.0.1:0", "--data", folder, "--postgres", server, "--nats", nats, "--prefix", prefix, "--router", routerBinary,
	}, more...)...)
}

// process is what a cluster says of one of its processes.
type process struct {
	url string
	pid int
}

// processes are those of a cluster, by name.
func processes(p *program) map[string]process {
	all := map[string]process{}
	for line := range strings.Lines(p.output.String()) {
		if words := strings.Fields(line); len(words) == 4 && words[2] == "process" {
			pid, _ := strconv.Atoi(words[3])
			all[words[0]] = process{words[1], pid}
		}
	}
	return all
}

func TestAClusterIsTheSameShopInManyProcesses(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	many := clusterOn(t, folder, "--replicas", "2")
	journey(t, many)
	all := processes(many)

	for _, name := range []string{"users-1", "products-2", "inventory-1", "orders-1", "payments-2", "node-1"} {
		service, _, _ := strings.Cut(name, "-")
		resp, err := http.Post(all[name].url+"/"+service+"/graphql", "application/json", strings.NewReader(`{"query":"{ _service { sdl } }"}`))
		if err != nil || resp.StatusCode != http.StatusForbidden {
			t.Errorf("%s answers somebody else than the router: %v %v", name, resp, err)
		}
		if resp, err := http.Get(all[name].url + "/health/ready"); err != nil || resp.StatusCode != http.StatusOK {
			t.Errorf("%s is not ready: %v %v", name, resp, err)
		}
	}

	refusesForgeries(t, folder, all["users-1"].url, many.newBuyer().client)

	// A process of its own joins in with all services, and the router in it.
	one := startCommand(t, nil, binary, "dev", "--listen", "127.0.0.1:0", "--config", filepath.Join(folder, "services.yaml"))
	o := observer{trade(many), offered(one)}
	alone, apart := o.see(one), o.see(many)
	for _, operation := range names(alone) {
		if alone[operation] != apart[operation] {
			t.Errorf("%s\n  one process: %s\nmany processes: %s", operation, alone[operation], apart[operation])
		}
	}
	if status := one.interrupt(); status != 0 {
		t.Errorf("exit status %d\n%s", status, one.output)
	}

	// A replica that is killed takes nothing along, and comes back.
	for _, name := range []string{"orders-1", "inventory-2", "payments-1"} {
		if err := syscall.Kill(all[name].pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	journey(t, many)
	if status := many.interrupt(); status != 0 {
		t.Errorf("exit status %d\n%s", status, many.output)
	}
	for name, p := range all {
		if syscall.Kill(p.pid, 0) == nil {
			t.Errorf("%s outlives its cluster", name)
		}
	}
}

func TestWhatIsWrongWithAConfigurationIsSaidWithTheKey(t *testing.T) {
	t.Parallel()
	const some = "installation: test\nsecret: a-secret-that-has-at-least-32-bytes\n"
	const good = some + "router_secrets: [a-secret-of-the-router]\n"
	for _, test := range []struct{ name, file, services, want string }{
		{"a key that there is not", good + "instalation: x\n", "users", "unknown setting instalation (did you mean installation?)"},
		{"no installation", "secret: a-secret-that-has-at-least-32-bytes\n", "users", "the setting installation is missing"},
		{"a short secret", "installation: test\nsecret: short\n", "users", "secret: it has 5 bytes, expected at least 32"},
		{"an environment variable that is not set", good + "services: { users: { database: \"${env.NO_SUCH_THING}\" } }\n", "users", "NO_SUCH_THING is not set"},
		{"a door for everybody", some + "services: { users: { database: \"sqlite:x.db\" } }\n", "users", "router_secrets is missing"},
		{"a door that opens easily", some + "router_secrets: [x]\n", "users", "router_secrets: one of them has 1 bytes"},
		{"no database", good + "events: { nats: \"nats://127.0.0.1:1\" }\n", "users", "services.users.database is missing"},
		{"no bus", good + "services: { users: { database: \"sqlite:x.db\" } }\n", "users", "events.nats is missing"},
		{"nobody to ask", good + "events: { nats: \"nats://127.0.0.1:1\" }\nservices: { orders: { database: \"sqlite:x.db\" }, users: { url: \"http://u/graphql\" } }\n", "orders", "services.inventory.url is missing"},
		{"no bus there", good + "events: { nats: \"nats://127.0.0.1:1\" }\nservices: { users: { database: \"sqlite:x.db\" } }\n", "users", "connect to NATS at nats://127.0.0.1:1"},
		{"a service that there is not", good, "shipping", `there is no service "shipping"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "services.yaml")
			if err := os.WriteFile(file, []byte(test.file), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := fail(t, "subgraph", test.services, "--config", file, "--listen", "127.0.0.1:0"); !strings.Contains(got, test.want) {
				t.Errorf("it says %q, want %q", got, test.want)
			}
		})
	}
}

func TestADataFolderIsForOneProcess(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	unlock, err := lockFolder(folder)
	if err != nil {
		t.Fatal(err)
	}
	if got := fail(t, "dev", "--listen", "127.0.0.1:0", "--data", folder); !strings.Contains(got, "is in use by another agora (process "+strconv.Itoa(os.Getpid())+")") {
		t.Errorf("it says %q", got)
	}
	unlock()
	unlock, err = lockFolder(folder)
	if err != nil {
		t.Fatalf("it is not free again: %v", err)
	}
	unlock()
}
