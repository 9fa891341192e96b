package payments

import "github.com/agora-supergraph/agora/internal/database"

// DB is the service's database, for tests that count queries.
func (s *Service) DB() *database.DB { return s.db }
