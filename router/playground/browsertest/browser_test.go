package browsertest

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

const page = `<!doctype html><title>Page</title><link rel="icon" href="data:,">
<button id="add">Add</button> <input id="name"> <p id="out">nothing</p>
<script>
	add.onclick = () => { out.textContent = "Hello, " + document.getElementById("name").value }
	console.error("the page", 1, { a: 2 })
	new Worker("worker.js")
	fetch("http://elsewhere.invalid/page").catch(() => {})
	setTimeout(() => { throw new Error("uncaught in the page") })
</script>`

const worker = `console.warn("the worker")
fetch("http://elsewhere.invalid/worker").catch(() => {})
new WebSocket("ws://elsewhere.invalid/socket")
throw new Error("uncaught in the worker")`

func open(t *testing.T) (*Page, string) {
	t.Helper()
	browser := Start(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte(page))
		case "/worker.js":
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = w.Write([]byte(worker))
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return browser.Open(t, server.URL+"/"), server.URL
}

func TestAPageCanBeClickedAndTypedInto(t *testing.T) {
	page, _ := open(t)
	page.Click("#name")
	page.Type("Ada")
	page.Click("#add")
	if got, want := page.Text("#out"), "Hello, Ada"; got != want {
		t.Errorf("Text = %q, want %q", got, want)
	}
	var sum int
	page.Eval("Promise.resolve(1 + 2)", &sum)
	if sum != 3 {
		t.Errorf("Eval = %d, want 3", sum)
	}
	page.ColorScheme("dark")
	page.Wait(`matchMedia("(prefers-color-scheme: dark)").matches`)
}

func TestWhatAPageAndItsWorkersSayAndRequestIsRecorded(t *testing.T) {
	page, address := open(t)
	for _, want := range []Message{
		{"error", "the page 1 Object"},
		{"error", "uncaught in the page"},
		{"warning", "the worker"},
		{"error", "uncaught in the worker"},
	} {
		if !eventually(func() bool {
			return slices.ContainsFunc(page.Messages(), func(got Message) bool {
				return got.Level == want.Level && strings.Contains(got.Text, want.Text)
			})
		}) {
			t.Errorf("Messages = %q, want one like %q", page.Messages(), want)
		}
	}
	for _, want := range []string{
		address + "/", address + "/worker.js",
		"http://elsewhere.invalid/page", "http://elsewhere.invalid/worker", "ws://elsewhere.invalid/socket",
	} {
		if !eventually(func() bool { return slices.Contains(page.Requests(), want) }) {
			t.Errorf("Requests = %q, want %q among them", page.Requests(), want)
		}
	}
}

// eventually waits for events, which arrive in their own time.
func eventually(holds func() bool) bool {
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if holds() {
			return true
		}
	}
	return false
}

func TestWithoutABrowserTheErrorSaysHowToInstallOne(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for _, named := range []string{"", "/nowhere/chrome"} {
		t.Setenv("CHROME", named)
		if path, err := Find(); err == nil || !strings.Contains(err.Error(), "apt-get install chromium") || !strings.Contains(err.Error(), named) {
			t.Errorf("Find with CHROME=%q = %q, %v; want an error that names it and says how to install", named, path, err)
		}
	}
	t.Setenv("CI", "")
	var skipped bool
	t.Run("start", func(t *testing.T) {
		t.Cleanup(func() { skipped = t.Skipped() })
		Start(t)
	})
	if !skipped {
		t.Error("Start without a browser did not skip the test")
	}
}
