package pgstate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/davd/davd/storage"
)

// Reasons to refuse a database.
var (
	errOldServer = errors.New("davd needs PostgreSQL 13 or newer")
	errNewer     = errors.New("the tables were made by a newer davd: run that one, or name another database")
	errURL       = errors.New("a PostgreSQL database has a URL like postgres://user@host:5432/name?sslmode=verify-full")
)

// advice says what to do about an error of the server, by its code.
func advice(code string) string {
	switch code {
	case "28P01", "28000":
		return "check the user, the password (PGPASSFILE or PGPASSWORD keep it out of the URL) and pg_hba.conf"
	case "3D000":
		return "create it with createdb"
	case "42501":
		return "the user must be the owner of the database, or have the right to create tables in its schema"
	case "53300":
		return "raise max_connections, or lower pool_max_conns in the URL"
	case "25006":
		return "name the primary server: this one is a replica or read-only"
	}
	return ""
}

// badURL returns what is wrong with the URL of a database. It doesn't quote the URL, which may
// contain a password.
func badURL(err error) error {
	if parse, ok := errors.AsType[*url.Error](err); ok {
		err = parse.Err
	}
	return fmt.Errorf("%w: %w", errURL, err)
}

// names reports whether the query of dsn has a parameter.
func names(dsn, parameter string) bool {
	u, err := url.Parse(dsn)
	return err == nil && u.Query().Has(parameter)
}

// opening adds to err which database can't be used, and what to do about it.
func opening(config *pgx.ConnConfig, err error) error {
	if err == nil {
		return nil
	}
	if server, ok := errors.AsType[*pgconn.PgError](err); ok {
		err = errors.New(server.Message) // The code is not for people.
		if what := advice(server.Code); what != "" {
			err = fmt.Errorf("%w: %s", err, what)
		}
	} else if _, failed := errors.AsType[*pgconn.ConnectError](err); failed {
		err = fmt.Errorf("%w: make sure that PostgreSQL is running there, accepts connections from this machine (listen_addresses, firewall), and offers TLS if sslmode asks for it", root(err))
	}
	return fmt.Errorf("the database %q at %s: %w", config.Database, config.Host, err)
}

// root returns the first cause of err. Of several attempts to connect, it is that of the last one.
func root(err error) error {
	for {
		var next error
		switch is := err.(type) { //nolint:errorlint // it unwraps
		case interface{ Unwrap() []error }:
			if all := is.Unwrap(); len(all) > 0 {
				next = all[len(all)-1]
			}
		case *net.OpError:
			return is
		case interface{ Unwrap() error }:
			next = is.Unwrap()
		}
		if next == nil {
			return err
		}
		err = next
	}
}

// failed adds to err what could not be done.
func failed(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, explained(err))
}

// explained makes the errors of a database that can't be reached or written match
// storage.ErrUnavailable. Their causes remain only as text.
func explained(err error) error {
	switch {
	case errors.Is(err, storage.ErrUnavailable), errors.Is(err, storage.ErrState), errors.Is(err, context.Canceled):
		return err
	case unreachable(err):
		return fmt.Errorf("%w: the database of locks and properties can't be reached: %s", storage.ErrUnavailable, short(err))
	}
	server, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return err
	}
	switch server.Code {
	case "53100":
		return fmt.Errorf("%w: the disk of the database is full: %s", storage.ErrUnavailable, server.Message)
	case "25006":
		return fmt.Errorf("%w: the database is read-only: %s", storage.ErrUnavailable, advice(server.Code))
	case "55P03", "40001", "40P01":
		return fmt.Errorf("%w: the database is busy: %s", storage.ErrUnavailable, server.Message)
	case "42501":
		return fmt.Errorf("%w: %s: %s", storage.ErrState, server.Message, advice(server.Code))
	}
	return err
}

// short returns the text of err without the details of pgx, which contain the user.
func short(err error) string {
	if server, ok := errors.AsType[*pgconn.PgError](err); ok {
		return server.Message
	}
	text := err.Error()
	if i := strings.LastIndex(text, ": "); i >= 0 {
		text = text[i+2:]
	}
	return text
}

// unreachable reports whether err says that the connection to the server doesn't exist, is broken
// or will be, and nothing else is wrong.
func unreachable(err error) bool {
	if err == nil {
		return false
	}
	server, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		// Errors of the network and of time. Those of pgx itself have other types.
		return broken(err)
	}
	switch {
	case strings.HasPrefix(server.Code, "08"), strings.HasPrefix(server.Code, "57P"), strings.HasPrefix(server.Code, "53") && server.Code != "53100":
		return true
	case server.Code == "25P03": // idle in a transaction for too long
		return true
	}
	return server.Severity == "FATAL" || server.Severity == "PANIC"
}

// retryable reports whether the same transaction may succeed if it is repeated.
func retryable(err error) bool {
	if server, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch server.Code {
		case "40001", "40P01", "55P03":
			return true
		}
	}
	return unreachable(err)
}

// broken reports whether err is one of the network or of time.
func broken(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, errUnknown) {
		return false
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		strings.Contains(err.Error(), "conn closed") || strings.Contains(err.Error(), "closed the connection")
}
