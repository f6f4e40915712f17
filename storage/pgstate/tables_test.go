package pgstate

import (
	"testing"

	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/history"
	"github.com/davd/davd/storage/storagetest"
	"github.com/davd/davd/storage/storagetest/pgtest"
	"github.com/davd/davd/storage/tokens"
)

// Another process opens the same database.
type (
	propertyProcess struct {
		deadprops.Store

		dsn string
	}
	historyProcess struct {
		history.Store

		dsn string
	}
	tokenProcess struct {
		tokens.Store

		dsn string
	}
)

func openProperties(t *testing.T, dsn string) deadprops.Store {
	t.Helper()
	return propertyProcess{member(t, dsn, Options{}).Properties(), dsn}
}

func TestProperties(t *testing.T) {
	storagetest.PropertySuite{
		New: func(t *testing.T) deadprops.Store { return openProperties(t, pgtest.Database(t)) },
		Reopen: func(t *testing.T, old deadprops.Store) deadprops.Store {
			return openProperties(t, old.(propertyProcess).dsn)
		},
	}.Run(t)
}

func openHistory(t *testing.T, dsn string) history.Store {
	t.Helper()
	return historyProcess{member(t, dsn, Options{}).History(), dsn}
}

func TestHistory(t *testing.T) {
	storagetest.HistorySuite{
		New:    func(t *testing.T) history.Store { return openHistory(t, pgtest.Database(t)) },
		Reopen: func(t *testing.T, old history.Store) history.Store { return openHistory(t, old.(historyProcess).dsn) },
	}.Run(t)
}

func openTokens(t *testing.T, dsn string) tokens.Store {
	t.Helper()
	return tokenProcess{member(t, dsn, Options{}).Tokens(), dsn}
}

func TestTokens(t *testing.T) {
	storagetest.TokenSuite{
		New:    func(t *testing.T) tokens.Store { return openTokens(t, pgtest.Database(t)) },
		Reopen: func(t *testing.T, old tokens.Store) tokens.Store { return openTokens(t, old.(tokenProcess).dsn) },
	}.Run(t)
}
