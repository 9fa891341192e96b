package main

import (
	_ "embed"
	"net/http"
)

// The pages that links in mail lead to while there is no shop front.
var (
	//go:embed letters/letter.html
	letterPage []byte
	//go:embed letters/letter.js
	letterScript []byte
)

// letterPages are the pages by path. Tokens are behind the # of a link, so that they get into no log.
func letterPages() map[string]http.Handler {
	page := sendFile("text/html; charset=utf-8", letterPage)
	return map[string]http.Handler{
		"/account/verify": page, "/account/reset": page, "/account/letter.js": sendFile("text/javascript; charset=utf-8", letterScript),
	}
}

func sendFile(mediaType string, body []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", mediaType)
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'")
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Write(body)
	})
}

// linkInto sets the links in mail, and where the provider sends its webhooks, to the pages of a router at an address.
func (cfg *settings) linkInto(address string) {
	cfg.VerifyLink, cfg.ResetLink = "http://"+address+"/account/verify#", "http://"+address+"/account/reset#"
	cfg.Provider.Webhook = "http://" + address + webhookPath
}
