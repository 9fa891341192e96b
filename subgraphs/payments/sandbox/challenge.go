package sandbox

import (
	"html/template"
	"net/http"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/money"
)

// actionURL is where the buyer confirms a charge.
func (s *Sandbox) actionURL(chargeID string) string {
	if s.cfg.URL == "" {
		return "https://sandbox.invalid/3ds/" + chargeID
	}
	return s.cfg.URL + "/3ds/" + chargeID
}

var challengePage = template.Must(template.New("3ds").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>3-D Secure (sandbox)</title>
<body style="font-family: system-ui; max-width: 30rem; margin: 4rem auto">
<h1>Your bank asks</h1>
{{if .Open}}<p>Do you want to pay {{.Amount}}? This is a sandbox: no money moves.</p>
<form method="post"><button name="result" value="ok">Yes, it is me</button> <button name="result" value="failed">No</button></form>
{{else}}<p>This payment needs nothing more from you. You can go back to the shop.</p>{{end}}
</body></html>
`))

// showChallenge is the page of a 3-D Secure challenge.
func (s *Sandbox) showChallenge(w http.ResponseWriter, r *http.Request) {
	var ch charge
	err := s.db.Read.GetContext(r.Context(), &ch, `SELECT `+chargeColumns+` FROM charge WHERE id = $1`, r.PathValue("id"))
	if err != nil || ch.ID == "" {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors *")
	err = challengePage.Execute(w, struct {
		Open   bool
		Amount string
	}{ch.State == stateAction, money.New(ch.Amount, ch.Currency).String()})
	if err != nil {
		s.cfg.Log.ErrorContext(r.Context(), "show the page of a challenge", "error", err)
	}
}

// endChallenge is the buyer's answer: the payments service learns of it by webhook, or when it asks.
func (s *Sandbox) endChallenge(w http.ResponseWriter, r *http.Request) {
	err := s.db.Tx(r.Context(), func(tx *database.Tx) error {
		ch, err := s.lockCharge(r.Context(), tx, r.PathValue("id"))
		if err != nil || ch.State != stateAction {
			return err
		}
		s.become(&ch, behaviourOf(ch.Token).confirm(ch.ID, r.FormValue("result")))
		return s.updateCharge(r.Context(), tx, &ch, ch.State != stateAction)
	})
	if database.NoRows(err) {
		http.NotFound(w, r)
		return
	}
	if err != nil {
		s.cfg.Log.ErrorContext(r.Context(), "end a challenge", "error", err)
		http.Error(w, "something broke: try again", http.StatusInternalServerError)
		return
	}
	s.webhooks.Wake()
	http.Redirect(w, r, r.URL.Path, http.StatusSeeOther)
}
