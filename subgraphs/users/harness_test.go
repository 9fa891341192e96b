package users

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/subgraph"
	"github.com/agora-supergraph/agora/subgraphs/users/gen"
)

var (
	testSecret = []byte("a secret that all services share")
	cheap      = PasswordCost{MemoryKiB: 64, Passes: 1, Lanes: 1}
	quiet      = slog.New(slog.NewTextHandler(io.Discard, nil))
)

const goodPassword = "plum tree by the lake"

// clock is the real time, moved by hand, or stopped: tests of pauses must not depend on how fast they run.
type clock struct {
	mu      sync.Mutex
	ahead   time.Duration
	stopped time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stopped.IsZero() {
		return c.stopped.Add(c.ahead)
	}
	return time.Now().Add(c.ahead)
}

func (c *clock) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = time.Now()
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// shop is a running users service behind its GraphQL.
type shop struct {
	*Service
	clock  *clock
	url    string
	server *subgraph.Server
}

// open starts the service on a database; more than one may run on the same.
func open(t *testing.T, url string, change ...func(*Config)) *shop {
	t.Helper()
	c := &clock{}
	cfg := Config{Database: url, Secret: testSecret, Password: cheap, Now: c.now, Log: quiet}
	for _, f := range change {
		f(&cfg)
	}
	s, err := New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	verifier := &identity.Verifier{Keys: s.JWKS, Secret: testSecret}
	return &shop{Service: s, clock: c, url: url, server: subgraph.New(subgraph.Config{Name: "users", Schema: s.Schema(), Verifier: verifier, Log: quiet})}
}

// each runs a test against a service on either engine.
func each(t *testing.T, run func(t *testing.T, s *shop)) {
	t.Helper()
	databasetest.Each(t, func(t *testing.T, url string) { run(t, open(t, url)) })
}

type object = map[string]any

// response is what came back, with the payload of the single field asked for.
type response struct {
	Data   map[string]json.RawMessage
	Errors subgraph.ResponseErrors
}

// ask sends an operation with a token, which may be empty.
func (s *shop) ask(t testing.TB, token, query string, variables object) response {
	t.Helper()
	return s.askFrom(t, "", token, query, variables)
}

// askFrom is ask by a client at an address.
func (s *shop) askFrom(t testing.TB, address, token, query string, variables object) response {
	t.Helper()
	header := http.Header{"User-Agent": {"test/1.0"}, identity.ClientAddressHeader: {address}}
	if token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	raw, err := json.Marshal(variables)
	if err != nil {
		t.Fatal(err)
	}
	var r response
	body := s.server.Serve(t.Context(), &subgraph.Request{Query: query, Variables: raw, Header: header})
	if err := json.Unmarshal(body, &r); err != nil {
		t.Fatalf("decode %s: %v", body, err)
	}
	return r
}

// code is the code of the first error, or "".
func (r response) code() string {
	if len(r.Errors) == 0 {
		return ""
	}
	code, _ := r.Errors[0].Extensions["code"].(string)
	return code
}

// field decodes a field of the data, which must have come without errors.
func field[T any](t testing.TB, r response, name string) (v T) {
	t.Helper()
	if len(r.Errors) > 0 {
		t.Fatalf("%s: %v", name, r.Errors)
	}
	if err := json.Unmarshal(r.Data[name], &v); err != nil {
		t.Fatalf("decode %s of %s: %v", name, r.Data[name], err)
	}
	return v
}

// payload is any mutation's.
type payload struct {
	User *struct {
		ID, DisplayName, CreatedAt string
		Email                      *string
		Roles                      []gen.Role
	}
	Tokens          *gen.TokenPair
	Address         *gen.Address
	RevokedSessions int
	UserErrors      []gen.AuthUserError
}

// codes are the codes of the user errors.
func (p payload) codes() []string {
	list := []string{}
	for _, e := range p.UserErrors {
		list = append(list, string(e.Code))
	}
	return list
}

const userErrorFields = ` userErrors { code message field retryAfter } `

func (s *shop) register(t testing.TB, email string, more ...object) payload {
	t.Helper()
	input := object{"email": email, "password": goodPassword, "displayName": "Ada"}
	for _, m := range more {
		for k, v := range m {
			input[k] = v
		}
	}
	r := s.ask(t, "", `mutation ($input: RegisterInput!) { register(input: $input) { user { id displayName createdAt }`+userErrorFields+`} }`, object{"input": input})
	return field[payload](t, r, "register")
}

func (s *shop) login(t testing.TB, email, password string) payload {
	t.Helper()
	return s.loginFrom(t, "", email, password)
}

func (s *shop) loginFrom(t testing.TB, address, email, password string) payload {
	t.Helper()
	r := s.askFrom(t, address, "", `mutation ($input: LoginInput!) { login(input: $input) { user { id }
		tokens { accessToken accessTokenExpiresAt refreshToken refreshTokenExpiresAt }`+userErrorFields+`} }`,
		object{"input": object{"email": email, "password": password}})
	return field[payload](t, r, "login")
}

func (s *shop) refresh(t testing.TB, token string) payload {
	t.Helper()
	r := s.ask(t, "", `mutation ($input: RefreshSessionInput!) { refreshSession(input: $input) { user { id }
		tokens { accessToken accessTokenExpiresAt refreshToken refreshTokenExpiresAt }`+userErrorFields+`} }`,
		object{"input": object{"refreshToken": token}})
	return field[payload](t, r, "refreshSession")
}

// signIn registers somebody and logs them in.
func (s *shop) signIn(t testing.TB, email string) (userID string, tokens *gen.TokenPair) {
	t.Helper()
	if p := s.register(t, email); len(p.UserErrors) > 0 {
		t.Fatalf("register %s: %v", email, p.codes())
	}
	p := s.login(t, email, goodPassword)
	if p.Tokens == nil {
		t.Fatalf("log in %s: %v", email, p.codes())
	}
	return p.User.ID, p.Tokens
}

// staff is the access token of somebody with these roles.
func (s *shop) staff(t testing.TB, email string, roles ...gen.Role) (userID, token string) {
	t.Helper()
	userID, err := s.EnsureAccount(t.Context(), Account{Email: email, DisplayName: "Grace", Password: goodPassword, Roles: roles})
	if err != nil {
		t.Fatal(err)
	}
	return userID, s.login(t, email, goodPassword).Tokens.AccessToken
}

func serviceToken(t testing.TB, service string, scopes ...string) string {
	t.Helper()
	token, err := identity.ServiceToken(testSecret, service, scopes...)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// count is the result of a query for one number.
func (s *shop) count(t testing.TB, query string, args ...any) (n int) {
	t.Helper()
	if err := s.db.Read.Get(&n, query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}
