package payments

import "github.com/agora-supergraph/agora/internal/database"

// View is a service that only reads a database: Balances and Unresolved work, and nothing else does.
func View(db *database.DB) *Service { return &Service{db: db} }
