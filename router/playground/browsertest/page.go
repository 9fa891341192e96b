package browsertest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Page is one tab of the browser. Its methods end the test when a step fails or takes more than
// 30 s. One goroutine uses a page at a time.
type Page struct {
	tb      testing.TB
	conn    *conn
	session string
	log     *record
}

// Open opens a URL in a new page and waits until it has loaded. The page has cookies and storage of
// its own, and ends with the given test, which may be another than the browser's.
func (b *Browser) Open(tb testing.TB, url string) *Page {
	tb.Helper()
	page := &Page{tb: tb, conn: b.conn, log: &record{conn: b.conn}}
	var profile struct{ BrowserContextID string }
	page.do("Target.createBrowserContext", map[string]any{"disposeOnDetach": true}, &profile)
	tb.Cleanup(func() { page.close(profile.BrowserContextID) })
	var target struct{ TargetID string }
	page.do("Target.createTarget", map[string]any{"url": "about:blank", "browserContextId": profile.BrowserContextID}, &target)
	var attached struct{ SessionID string }
	page.do("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	page.session = attached.SessionID
	b.conn.listen(page.session, page.log.event)
	for _, domain := range watched {
		page.do(domain.method, domain.params, nil)
	}
	page.do("Page.enable", nil, nil)
	page.Navigate(url)
	return page
}

func (p *Page) close(profile string) {
	p.session = ""
	p.do("Target.disposeBrowserContext", map[string]any{"browserContextId": profile}, nil)
}

// Navigate loads another URL in the page and waits until it has loaded.
func (p *Page) Navigate(url string) {
	p.tb.Helper()
	var result struct{ ErrorText string }
	p.do("Page.navigate", map[string]any{"url": url}, &result)
	if result.ErrorText != "" {
		p.tb.Fatalf("open %s: %s", url, result.ErrorText)
	}
	p.Wait(`document.readyState === "complete"`)
}

// Eval evaluates a JavaScript expression, waits for it if it is a promise, and decodes its value
// into result, unless that is nil.
func (p *Page) Eval(expression string, result any) {
	p.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := p.eval(ctx, expression, result); err != nil {
		p.tb.Fatal(err)
	}
}

// Wait waits until a JavaScript expression is true. An expression that throws is not true yet.
func (p *Page) Wait(expression string) {
	p.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		var holds bool
		err := p.eval(ctx, "Boolean("+expression+")", &holds)
		if holds {
			return
		}
		select {
		case <-ctx.Done():
			p.Screenshot("failed")
			p.tb.Fatalf("wait for %s: not true after %v (%v); the page said %q", expression, patience, err, p.Messages())
		case <-time.After(25 * time.Millisecond):
		}
	}
}

// Text returns the text of the first element that a CSS selector finds; it waits for one.
func (p *Page) Text(selector string) string {
	p.tb.Helper()
	p.Wait(find(selector))
	var text string
	p.Eval(find(selector)+".innerText", &text)
	return text
}

// Click presses the left mouse button on the middle of the first element that a CSS selector
// finds; it waits for one.
func (p *Page) Click(selector string) {
	p.tb.Helper()
	p.Wait(find(selector))
	var at struct{ X, Y float64 }
	p.Eval(`(() => {
		const element = `+find(selector)+`
		element.scrollIntoView({ block: "nearest" })
		const box = element.getBoundingClientRect()
		return { X: box.x + box.width / 2, Y: box.y + box.height / 2 }
	})()`, &at)
	for _, step := range []string{"mouseMoved", "mousePressed", "mouseReleased"} {
		p.do("Input.dispatchMouseEvent", map[string]any{
			"type": step, "x": at.X, "y": at.Y, "button": "left", "clickCount": 1,
		}, nil)
	}
}

// Type enters text where the keyboard's focus is, as pasting would.
func (p *Page) Type(text string) {
	p.tb.Helper()
	p.do("Input.insertText", map[string]any{"text": text}, nil)
}

// ColorScheme makes the page see a preference for "dark" or "light".
func (p *Page) ColorScheme(scheme string) {
	p.tb.Helper()
	p.do("Emulation.setEmulatedMedia", map[string]any{
		"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}},
	}, nil)
}

// Screenshot keeps what the page shows as NAME.png among the test's artifacts, where go test's flag
// -artifacts leaves them to be looked at. A step that waits in vain keeps "failed.png".
func (p *Page) Screenshot(name string) {
	p.tb.Helper()
	var shot struct{ Data string }
	p.do("Page.captureScreenshot", map[string]any{"format": "png"}, &shot)
	image, err := base64.StdEncoding.DecodeString(shot.Data)
	if err != nil {
		p.tb.Fatalf("screenshot %s: %v", name, err)
	}
	if err := os.WriteFile(filepath.Join(p.tb.ArtifactDir(), name+".png"), image, 0o644); err != nil {
		p.tb.Fatal(err)
	}
}

// Messages returns what the page and its workers logged so far, uncaught exceptions included.
func (p *Page) Messages() []Message { return p.log.allMessages() }

// Requests returns the URLs that the page and its workers requested so far, sockets included, in
// order. Data and blob URLs, which name no host, are left out.
func (p *Page) Requests() []string { return p.log.allRequests() }

func find(selector string) string {
	quoted, err := json.Marshal(selector)
	if err != nil {
		panic(err) // A string always marshals.
	}
	return "document.querySelector(" + string(quoted) + ")"
}

func (p *Page) do(method string, params, result any) {
	p.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := p.conn.call(ctx, p.session, method, params, result); err != nil {
		p.tb.Fatal(err)
	}
}

func (p *Page) eval(ctx context.Context, expression string, result any) error {
	var answer struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *exception
	}
	err := p.conn.call(ctx, p.session, "Runtime.evaluate", map[string]any{
		"expression": expression, "awaitPromise": true, "returnByValue": true,
	}, &answer)
	if err != nil {
		return fmt.Errorf("eval %s: %w", expression, err)
	}
	if answer.ExceptionDetails != nil {
		return fmt.Errorf("eval %s: %s", expression, answer.ExceptionDetails)
	}
	if result == nil {
		return nil
	}
	if err := json.Unmarshal(answer.Result.Value, result); err != nil {
		return fmt.Errorf("eval %s: decode %s: %w", expression, answer.Result.Value, err)
	}
	return nil
}
