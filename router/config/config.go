// Package config reads the router's configuration file: one YAML document in, one Config out, or every error
// in it with its line, its column and what was expected there.
//
// The names of settings are those of the structs' fields in snake case. Only what is set is in the file: zero
// values mean the defaults that the packages document. The file is strict: a name that is not known is an
// error. In values, ${env.NAME}, ${env.NAME:-default} and ${file.path} are expanded after the YAML was
// parsed, so that no value can become structure.
//
// The structs are the one declaration of all settings: reading, the JSON schema (gen/schema.json) and String
// walk them by reflection. Settings of the front door are serve.Config itself.
package config

import (
	_ "embed"
	"io"
	"log/slog"
	"time"

	"github.com/agora-supergraph/agora/router/auth"
	"github.com/agora-supergraph/agora/router/cost"
	"github.com/agora-supergraph/agora/router/headers"
	"github.com/agora-supergraph/agora/router/log"
	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/overload"
	"github.com/agora-supergraph/agora/router/ratelimit"
	"github.com/agora-supergraph/agora/router/responsecache"
	"github.com/agora-supergraph/agora/router/serve"
	"github.com/agora-supergraph/agora/router/telemetry"
)

// Config is the configuration of a router. The zero value is a working one for a supergraph that is given
// otherwise.
type Config struct {
	// Supergraph is the file of the supergraph: SDL, or rover's YAML, whose subgraphs are composed at the start.
	// A relative path starts at the configuration file's folder.
	Supergraph string
	// Serve is the front door: listen, path, cors and the rest stand at the top of the file.
	Serve serve.Config `yaml:",inline"`
	// AllSubgraphs holds what all subgraphs have in common.
	AllSubgraphs Subgraph
	// Subgraphs by name; what one leaves out is as in all_subgraphs, and the URL as in the supergraph.
	Subgraphs map[string]Subgraph
	// Headers are the rules for headers from clients to subgraphs, and back. Without rules nothing is passed on: a token
	// should go only to subgraphs that one has reason to trust.
	Headers headers.Config
	// Identity says how the router signs the tokens that rules for headers insert from identity.bearer and identity.token. Their
	// public keys are at /.well-known/router/jwks.json.
	Identity auth.SignerConfig
	// Explain lets requests ask for the plan of their operation by the header Agora-Explain. Off by default.
	Explain bool
	// ShareQueries sends identical queries that are in flight to a subgraph at the same time once, and starts identical
	// subscriptions once, if what is passed on of the clients' headers is identical, too. Off by default.
	ShareQueries bool
	// ShareRequests answers queries of clients that are identical, and in flight at the same time, by one execution, if who
	// asks and what is passed on of the clients' headers is identical, too. Off by default.
	ShareRequests bool
	// CacheBytes bounds the memory of the documents and plans of operations that are kept, about. Zero means 64 MiB.
	CacheBytes int `min:"0" max:"17179869184"`
	// JWT says whose tokens are taken. Without issuers everyone is anonymous.
	JWT JWT
	// APIKeys are the keys of partners' programs. Without a file or Redis there are none.
	APIKeys APIKeys
	// Persisted are persisted documents and automatic persisted queries. Off by default.
	Persisted Persisted
	// Limits bound what an operation may ask.
	Limits operation.Limits
	// Cost prices operations by @cost and @listSize, and bounds what they may cost.
	Cost cost.Config
	// RateLimit bounds what a client may ask in a stretch of time, in units of cost where operations are priced.
	RateLimit ratelimit.Config
	// Overload bounds the operations that run at a time by how fast they are, and refuses the least important ones first.
	Overload overload.Config
	// ResponseCache keeps what subgraphs have answered, entities and root fields. Off by default.
	ResponseCache responsecache.Config
	// Introspection lets clients ask for the schema. Off by default.
	Introspection bool
	// Playground serves GraphiQL at /playground. Off by default; it is of little use without introspection.
	Playground bool
	// SubgraphErrors says how much of subgraphs' errors clients see.
	SubgraphErrors SubgraphErrors
	// Telemetry sends traces, shows metrics, and logs slow operations. Off by default.
	Telemetry telemetry.Config
	// Log is the log, on standard error. Of many lines at a time, those of level info and below come up to 100 ms late: a
	// router that is killed, or whose process breaks down, loses the last of them; one that is stopped loses none.
	Log Log
}

// JWT says whose tokens are taken.
type JWT struct {
	// Issuers are the parties whose tokens are taken.
	Issuers []Issuer
	// Header is the header that the token is in. Empty means Authorization.
	Header string
	// Leeway is how far clocks may differ. Zero means 10 s.
	Leeway time.Duration `min:"0s" max:"10m"`
}

// Issuer is one party that signs tokens.
type Issuer struct {
	// Issuer is the claim iss of its tokens.
	Issuer string `required:"true"`
	// JWKSURL is where it publishes its public keys.
	JWKSURL string `required:"true" format:"uri"`
	// Audience must be in the claim aud. Empty means that any will do.
	Audience string
	// Algorithms that it may sign with. Empty means EdDSA, ES256, ES384, ES512, PS256 and RS256.
	Algorithms []string `enum:"EdDSA,ES256,ES384,ES512,PS256,PS384,PS512,RS256,RS384,RS512"`
	// ScopesClaim is the claim that holds the scopes: words in a string, or a list. Empty means scope.
	ScopesClaim string
}

// Auth configures the verifier of tokens; without issuers there is none to be made.
func (j JWT) Auth() auth.Config {
	cfg := auth.Config{Header: j.Header, Leeway: j.Leeway}
	for _, i := range j.Issuers {
		cfg.Issuers = append(cfg.Issuers, auth.Issuer{
			Name: i.Issuer, JWKS: i.JWKSURL, Audience: i.Audience, Algorithms: i.Algorithms, ScopesClaim: i.ScopesClaim,
		})
	}
	return cfg
}

// SubgraphErrors says how much of subgraphs' errors clients see.
type SubgraphErrors struct {
	// Redact replaces the messages of subgraphs by one that says nothing. The log has them all.
	Redact bool
	// OmitServiceName leaves the subgraph's name out of errors.
	OmitServiceName bool
}

// Log configures the log.
type Log struct {
	// Level is the lowest level that is written. Empty means info.
	Level string `enum:"debug,info,warn,error"`
	// Format is text for people or json for programs. Empty means text.
	Format string `enum:"text,json"`
}

// Logger makes the logger that l describes. If w is log.Lines, who ends the process calls its Flush before.
func (l Log) Logger(w io.Writer) *slog.Logger {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "warn": slog.LevelWarn, "error": slog.LevelError} // info is slog's zero
	return log.New(w, l.Format == "json", levels[l.Level])
}

// Schema is the JSON schema of the configuration file, for editors: the structs' names, kinds and bounds,
// with their comments as descriptions. `go test ./router/config -update` writes it.
func Schema() []byte { return append([]byte(nil), schema...) }

//go:embed gen/schema.json
var schema []byte
