package playground

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// page is index.html with one configuration rendered into it.
type page struct {
	html    []byte
	etag    string
	connect []string // what connect-src allows besides 'self' and sockets to the page's own host
}

// pageConfig is the data block that ui/src/config.js reads.
type pageConfig struct {
	Endpoint             string               `json:"endpoint"`
	SubscriptionURL      string               `json:"subscriptionURL"`
	SubscriptionProtocol SubscriptionProtocol `json:"subscriptionProtocol"`
	Title                string               `json:"title"`
	Tabs                 []Tab                `json:"tabs"`
	Login                *Login               `json:"login"`
	Explain              bool                 `json:"explain"`
	Documents            []Document           `json:"documents"`
}

func newPage(cfg Config) *page {
	source, err := dist.ReadFile("dist/index.html")
	if err != nil {
		panic("playground: embedded index.html: " + err.Error())
	}
	var html bytes.Buffer
	// html/template knows that the block is JSON and escapes for it.
	err = template.Must(template.New("index.html").Parse(string(source))).Execute(&html, pageConfig{
		Endpoint:             cfg.Endpoint,
		SubscriptionURL:      cfg.SubscriptionURL,
		SubscriptionProtocol: cfg.SubscriptionProtocol,
		Title:                cfg.Title,
		Tabs:                 cfg.Tabs,
		Login:                cfg.Login,
		Explain:              cfg.Explain,
		Documents:            cfg.Documents,
	})
	if err != nil {
		panic("playground: render index.html: " + err.Error())
	}
	sum := sha256.Sum256(html.Bytes())
	return &page{
		html:    html.Bytes(),
		etag:    `"` + hex.EncodeToString(sum[:12]) + `"`,
		connect: slices.Compact(slices.Sorted(slices.Values(append(origins(cfg.Endpoint), origins(cfg.SubscriptionURL)...)))),
	}
}

func (p *page) serve(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Cache-Control", "no-cache") // Revalidate: it names the hashed assets of this build.
	header.Set("ETag", p.etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(p.html))
}

// origins are the sources that a request to an absolute URL needs in connect-src: its own, and the
// socket's that the page would open there.
func origins(address string) []string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || !hostOnly(u.Host) {
		return nil
	}
	switch u.Scheme {
	case "http", "ws":
		return []string{"http://" + u.Host, "ws://" + u.Host}
	case "":
		return []string{u.Host}
	default:
		return []string{"https://" + u.Host, "wss://" + u.Host}
	}
}

// protect sets what keeps the page to its own host. Styles may be inline, for the editor writes
// its themes so; scripts may not.
func (p *page) protect(header http.Header, host string) {
	connect := []string{"'self'"}
	if hostOnly(host) {
		// Some browsers do not count sockets as 'self'.
		connect = append(connect, "ws://"+host, "wss://"+host)
	}
	connect = append(connect, p.connect...)
	header.Set("Content-Security-Policy", strings.Join([]string{
		"default-src 'none'",
		"script-src 'self'",
		"worker-src 'self'",
		"style-src 'self' 'unsafe-inline'",
		"font-src 'self' data:",
		"img-src 'self' data:",
		"connect-src " + strings.Join(connect, " "),
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'none'",
	}, "; "))
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
}

// hostOnly tells whether a host may stand in the policy: the Host header is the client's to
// choose, and a semicolon or space in it would add directives.
func hostOnly(host string) bool {
	return host != "" && !strings.ContainsFunc(host, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-._:[]", r)
	})
}
