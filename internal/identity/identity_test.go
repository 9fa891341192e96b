package identity

import (
	"context"
	"testing"
)

func TestAnIdentityMayDoWhatItIsOrHasAScopeFor(t *testing.T) {
	for name, test := range map[string]struct {
		who          Identity
		anonymous    bool
		may          bool // see usr_1's things, which users:read opens
		actor        string
		hasUsersRead bool
	}{
		"nobody":                      {who: Identity{}, anonymous: true, actor: "anonymous"},
		"the user":                    {who: Identity{Subject: "usr_1"}, may: true, actor: "usr_1"},
		"another user":                {who: Identity{Subject: "usr_2", Scopes: []string{"users:readonly"}}, actor: "usr_2"},
		"staff":                       {who: Identity{Subject: "usr_2", Scopes: []string{"a", "users:read"}}, may: true, hasUsersRead: true, actor: "usr_2"},
		"a service":                   {who: Identity{Service: "orders"}, actor: "service:orders"},
		"a service with the scope":    {who: Identity{Service: "orders", Scopes: []string{"users:read"}}, may: true, hasUsersRead: true, actor: "service:orders"},
		"a service named like a user": {who: Identity{Service: "usr_1"}, actor: "service:usr_1"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.who.Anonymous(); got != test.anonymous {
				t.Errorf("Anonymous = %v", got)
			}
			if got := test.who.May("usr_1", "users:read"); got != test.may {
				t.Errorf("May = %v, want %v", got, test.may)
			}
			if got := test.who.Has("users:read"); got != test.hasUsersRead {
				t.Errorf("Has = %v", got)
			}
			if got := test.who.Actor(); got != test.actor {
				t.Errorf("Actor = %q, want %q", got, test.actor)
			}
		})
	}
}

func TestAThingOfNobodyIsNotEveryAnonymousCallers(t *testing.T) {
	if (Identity{}).May("", "users:read") {
		t.Error("an anonymous caller may do with a thing that has no owner as its owner")
	}
}

func TestAContextWithoutAnIdentityIsAnonymous(t *testing.T) {
	if !From(context.Background()).Anonymous() {
		t.Error("somebody is known")
	}
	who := Identity{Subject: "usr_1", Session: "ses_1"}
	if got := From(With(context.Background(), who)); got.Subject != who.Subject || got.Session != who.Session {
		t.Errorf("From(With(%+v)) = %+v", who, got)
	}
}
