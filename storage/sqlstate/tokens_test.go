package sqlstate

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/davd/davd/storage/tokens"
)

// TestTokensKilled checks that a token is durable when AddToken returns, and gone when
// DeleteToken returns.
func TestTokensKilled(t *testing.T) {
	want := tokens.Token{User: "ann", Name: "phone", Created: time.Unix(1e9, 0).UTC()}
	path := killed(t, func(db *DB) {
		for _, name := range []string{"laptop", "phone"} {
			if err := db.AddToken(t.Context(), tokens.Token{User: "ann", Name: name, Created: want.Created}); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.DeleteToken(t.Context(), "ann", "laptop"); err != nil {
			t.Fatal(err)
		}
	})
	got, err := openAt(t, path).AllTokens(t.Context())
	if err != nil || len(got) != 1 || got[0] != want {
		t.Errorf("got %+v, %v", got, err)
	}
}

// TestTokensOfVersion5 checks that a database that is older than the tokens gets them.
func TestTokensOfVersion5(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	db, err := open(t.Context(), path, migrations[:5], slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if db.owner, err = own(path); err != nil {
		t.Fatal(err)
	}
	saveLock(t, db)
	closeDB(t, db)
	db = openAt(t, path)
	wantLocks(t, db, aLock)
	if err := db.AddToken(t.Context(), tokens.Token{User: "ann", Name: "phone"}); err == nil {
		t.Error("a token without a time of creation is accepted")
	}
	if err := db.AddToken(t.Context(), tokens.Token{User: "ann", Name: "phone", Created: time.Unix(1e9, 0)}); err != nil {
		t.Error(err)
	}
}

// TestTokenDamaged checks that a hash of another length is an error.
func TestTokenDamaged(t *testing.T) {
	db := openNew(t)
	if err := db.AddToken(t.Context(), tokens.Token{User: "ann", Name: "phone", Created: time.Unix(1e9, 0)}); err != nil {
		t.Fatal(err)
	}
	for _, hash := range []string{"x'00'", "zeroblob(33)"} {
		if _, err := db.writer.ExecContext(t.Context(), "UPDATE tokens SET hash = "+hash); err != nil {
			t.Fatal(err)
		}
		if all, err := db.AllTokens(t.Context()); err == nil {
			t.Errorf("%s: %+v and no error", hash, all)
		}
	}
}
