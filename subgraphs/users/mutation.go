package users

import (
	"context"
	"fmt"

	"github.com/agora-supergraph/agora/subgraphs/users/gen"
)

type mutation struct{ s *Service }

// Register creates an account.
func (m mutation) Register(ctx context.Context, input gen.RegisterInput) (*gen.RegisterPayload, error) {
	a, err := m.s.register(ctx, input)
	refused, err := userErrors(err)
	return &gen.RegisterPayload{User: known(a), UserErrors: refused}, err
}

// Login begins a session.
func (m mutation) Login(ctx context.Context, input gen.LoginInput) (*gen.LoginPayload, error) {
	a, tokens, err := m.s.login(ctx, input)
	refused, err := userErrors(err)
	return &gen.LoginPayload{User: known(a), Tokens: tokens, UserErrors: refused}, err
}

// RefreshSession exchanges a refresh token.
func (m mutation) RefreshSession(ctx context.Context, input gen.RefreshSessionInput) (*gen.LoginPayload, error) {
	a, tokens, err := m.s.refresh(ctx, input.RefreshToken)
	refused, err := userErrors(err)
	return &gen.LoginPayload{User: known(a), Tokens: tokens, UserErrors: refused}, err
}

// Logout ends sessions.
func (m mutation) Logout(ctx context.Context, everywhere bool) (*gen.LogoutPayload, error) {
	revoked, err := m.s.logout(ctx, everywhere)
	sharedIn(ctx).sessions.ForgetAll()
	refused, err := userErrors(err)
	return &gen.LogoutPayload{RevokedSessions: revoked, UserErrors: refused}, err
}

// AddressCreate adds an address.
func (m mutation) AddressCreate(ctx context.Context, input gen.AddressInput) (*gen.AddressPayload, error) {
	a, err := m.s.createAddress(ctx, input)
	return addressPayload(ctx, a, err)
}

// AddressUpdate replaces an address.
func (m mutation) AddressUpdate(ctx context.Context, addressID string, input gen.AddressInput) (*gen.AddressPayload, error) {
	a, err := m.s.updateAddress(ctx, addressID, input)
	return addressPayload(ctx, a, err)
}

// addressPayload is the payload of an address, or of the reason why there is none.
func addressPayload(ctx context.Context, a *address, err error) (*gen.AddressPayload, error) {
	sharedIn(ctx).addresses.ForgetAll()
	refused, other := userErrors(err)
	payload := &gen.AddressPayload{UserErrors: refused}
	if err == nil {
		payload.Address = a.view()
	}
	return payload, other
}

// AddressDelete deletes an address.
func (m mutation) AddressDelete(ctx context.Context, addressID string) (*gen.AddressDeletePayload, error) {
	err := m.s.deleteAddress(ctx, addressID)
	sharedIn(ctx).addresses.ForgetAll()
	refused, other := userErrors(err)
	payload := &gen.AddressDeletePayload{UserErrors: refused}
	if err == nil {
		payload.DeletedAddressID = &addressID
	}
	return payload, other
}

// PasswordChange sets another password.
func (m mutation) PasswordChange(ctx context.Context, input gen.PasswordChangeInput) (*gen.PasswordChangePayload, error) {
	a, err := m.s.changePassword(ctx, input)
	sharedIn(ctx).sessions.ForgetAll()
	refused, other := userErrors(err)
	payload := &gen.PasswordChangePayload{UserErrors: refused}
	if err == nil {
		payload.User = a.user()
	}
	return payload, other
}

// UserRolesSet gives a user these roles and no others.
func (m mutation) UserRolesSet(ctx context.Context, userID string, roles []gen.Role) (*gen.UserRolesSetPayload, error) {
	a, err := m.s.setRoles(ctx, userID, roles)
	refused, err := userErrors(err)
	if err != nil {
		return nil, fmt.Errorf("set roles of %s: %w", userID, err)
	}
	return &gen.UserRolesSetPayload{User: known(a), UserErrors: refused}, nil
}

// EmailVerify takes the token of a message.
func (m mutation) EmailVerify(ctx context.Context, input gen.EmailVerifyInput) (*gen.EmailVerifyPayload, error) {
	a, err := m.s.verifyEmail(ctx, input.Token)
	refused, err := userErrors(err)
	return &gen.EmailVerifyPayload{User: known(a), UserErrors: refused}, err
}

// EmailVerificationSend sends the message of EmailVerify again.
func (m mutation) EmailVerificationSend(ctx context.Context, input gen.EmailInput) (*gen.EmailSendPayload, error) {
	refused, err := userErrors(m.s.requestMail(ctx, mailVerification, input))
	return &gen.EmailSendPayload{UserErrors: refused}, err
}

// PasswordResetRequest sends the message of PasswordReset.
func (m mutation) PasswordResetRequest(ctx context.Context, input gen.EmailInput) (*gen.EmailSendPayload, error) {
	refused, err := userErrors(m.s.requestMail(ctx, mailReset, input))
	return &gen.EmailSendPayload{UserErrors: refused}, err
}

// PasswordReset sets another password by the token of a message.
func (m mutation) PasswordReset(ctx context.Context, input gen.PasswordResetInput) (*gen.PasswordResetPayload, error) {
	a, err := m.s.resetPassword(ctx, input)
	sharedIn(ctx).sessions.ForgetAll()
	refused, err := userErrors(err)
	return &gen.PasswordResetPayload{User: known(a), UserErrors: refused}, err
}

// SessionRevoke ends a session.
func (m mutation) SessionRevoke(ctx context.Context, sessionID string) (*gen.SessionRevokePayload, error) {
	revoked, err := m.s.revokeSession(ctx, sessionID)
	sharedIn(ctx).sessions.ForgetAll()
	refused, err := userErrors(err)
	return &gen.SessionRevokePayload{RevokedSessionID: present(revoked), UserErrors: refused}, err
}

// AccountDelete lets the account of the user who asks be erased.
func (m mutation) AccountDelete(ctx context.Context, input gen.AccountDeleteInput) (*gen.AccountDeletionPayload, error) {
	a, err := m.s.deleteAccount(ctx, input.CurrentPassword)
	sharedIn(ctx).sessions.ForgetAll()
	refused, err := userErrors(err)
	return &gen.AccountDeletionPayload{User: known(a), UserErrors: refused}, err
}

// AccountDeletionCancel keeps the account of the user who asks.
func (m mutation) AccountDeletionCancel(ctx context.Context) (*gen.AccountDeletionPayload, error) {
	a, err := m.s.keepAccount(ctx)
	refused, err := userErrors(err)
	return &gen.AccountDeletionPayload{User: known(a), UserErrors: refused}, err
}

// AccountExport is all that this service holds about the user who asks.
func (m mutation) AccountExport(ctx context.Context) (*gen.AccountExportPayload, error) {
	document, err := m.s.exportAccount(ctx)
	refused, err := userErrors(err)
	return &gen.AccountExportPayload{Document: present(document), UserErrors: refused}, err
}

// known is the user of an account, or nil for the zero account that goes with a refusal.
func known(a account) *gen.User {
	if a.ID == "" {
		return nil
	}
	return a.user()
}
