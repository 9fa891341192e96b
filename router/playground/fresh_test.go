package playground

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestTheBuiltPageIsThatOfItsSources(t *testing.T) {
	built, err := fs.ReadFile(dist, "dist/sources.sha256")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.TrimSpace(string(built)), sourcesHash(t, os.DirFS("ui")); got != want {
		t.Errorf("dist/ was built from other sources (%s) than ui/ holds (%s): cd router/playground/ui && npm ci && npm run build", got, want)
	}
}

// sourcesHash is what ui/vite.config.js writes: sha256 over path NUL content NUL of each file but
// those of installed packages, in path order.
func sourcesHash(t *testing.T, ui fs.FS) string {
	t.Helper()
	var paths []string
	err := fs.WalkDir(ui, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			if name == "node_modules" {
				return fs.SkipDir
			}
			return err
		}
		paths = append(paths, name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(paths)
	hash := sha256.New()
	for _, name := range paths {
		content, err := fs.ReadFile(ui, name)
		if err != nil {
			t.Fatal(err)
		}
		hash.Write([]byte(name + "\x00" + string(content) + "\x00"))
	}
	return hex.EncodeToString(hash.Sum(nil))
}

func TestEveryFileThatThePageNamesIsEmbedded(t *testing.T) {
	reference := regexp.MustCompile("[\"'`(]((?:\\./|assets/)?[\\w.-]+-[\\w-]{8}\\.(?:js|css|ttf|svg))[\"'`)]")
	html, err := fs.ReadFile(dist, "dist/index.html")
	if err != nil {
		t.Fatal(err)
	}
	contents := map[string]string{"index.html": string(html)}
	for name := range files() {
		contents[name] = body(t, get(t, Handler(Config{}), "GET", "/playground/"+name, nil).Body)
	}
	found := 0
	for from, content := range contents {
		for _, match := range reference.FindAllStringSubmatch(content, -1) {
			found++
			if files()["assets/"+path.Base(match[1])] == nil {
				t.Errorf("%s refers to %s, which is not embedded", from, match[1])
			}
		}
	}
	if found < len(files())-2 {
		t.Errorf("found only %d references to %d files: the pattern no longer fits the build", found, len(files()))
	}
}
