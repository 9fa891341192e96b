package idempotency

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/database/databasetest"
)

func TestAKeyIsClaimedOnceAndItsAnswerGivenAgain(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		db, err := database.Open(t.Context(), url, Migrations())
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		claim := func(k Key) (status Status, answer string) {
			err := db.Tx(t.Context(), func(tx *database.Tx) error {
				s, stored, err := Claim(t.Context(), tx, k)
				status, answer = s, string(stored)
				return err
			})
			if err != nil {
				t.Error(err)
			}
			return status, answer
		}
		key := Key{Scope: "ada", Operation: "buy", Key: "k", Request: Digest([]int{1})}
		var claimed atomic.Int64
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if status, _ := claim(key); status == Claimed {
					claimed.Add(1)
				} else if status != InProgress {
					t.Errorf("a second claim is %d, want InProgress", status)
				}
			})
		}
		wg.Wait()
		if claimed.Load() != 1 {
			t.Errorf("%d claimed the key, want 1", claimed.Load())
		}
		err = db.Tx(t.Context(), func(tx *database.Tx) error { return Complete(t.Context(), tx, key, "done") })
		if err != nil {
			t.Fatal(err)
		}
		other := key
		other.Request = Digest([]int{2})
		stranger := key
		stranger.Scope = "bob"
		for _, test := range []struct {
			name   string
			key    Key
			status Status
			answer string
		}{
			{"the same command", key, Done, `"done"`},
			{"other parameters", other, Reused, ""},
			{"another caller", stranger, Claimed, ""},
		} {
			if status, answer := claim(test.key); status != test.status || answer != test.answer {
				t.Errorf("%s: %d %s, want %d %s", test.name, status, answer, test.status, test.answer)
			}
		}
		if err := Prune(t.Context(), db, time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if status, _ := claim(key); status != Claimed {
			t.Errorf("after pruning: %d", status)
		}
	})
}
