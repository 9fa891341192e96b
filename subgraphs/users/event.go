package users

import (
	"time"

	"github.com/agora-supergraph/agora/subgraphs/users/gen"
)

// The events of this service. Their subject is always the user. They hold nothing that a person could ask to
// have deleted: outboxes are kept.
const (
	eventRegistered      = "agora.users.user.registered.v1"
	eventRolesChanged    = "agora.users.user.roles_changed.v1"
	eventPasswordChanged = "agora.users.user.password_changed.v1"
	eventSessionRevoked  = "agora.users.user.session_revoked.v1"
	eventEmailVerified   = "agora.users.user.email_verified.v1"
	// eventDeleted is the last one of a user: whoever holds something personal about them erases it.
	eventDeleted = "agora.users.user.deleted.v1"
)

type registered struct {
	UserID       string     `json:"userId"`
	Roles        []gen.Role `json:"roles"`
	RegisteredAt time.Time  `json:"registeredAt"`
}

type rolesChanged struct {
	UserID string     `json:"userId"`
	Roles  []gen.Role `json:"roles"`
	Before []gen.Role `json:"before"`
	// By is who changed them: a user's id, or service:NAME.
	By string `json:"by"`
}

type passwordChanged struct {
	UserID string `json:"userId"`
}

type sessionRevoked struct {
	UserID    string `json:"userId"`
	SessionID string `json:"sessionId"`
	// Reason is one of the revocations.
	Reason revocation `json:"reason"`
}

type emailVerified struct {
	UserID string `json:"userId"`
}

type deleted struct {
	UserID    string    `json:"userId"`
	DeletedAt time.Time `json:"deletedAt"`
}
