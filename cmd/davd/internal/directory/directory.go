// Package directory opens the LDAP directory of a configuration.
package directory

import (
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"log/slog"

	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/dav/auth/ldapauth"
)

// Directory is an auth.Verifier of the users of a directory.
type Directory struct {
	*ldapauth.Directory
	// made identifies the configuration.
	made [sha256.Size]byte
}

// Open returns the directory of a configuration. It does not connect yet. If nothing has changed
// since before was opened, it returns before, so that the users of the directory stay logged in.
// before may be nil. The caller closes a directory after its last use.
func Open(l *config.LDAP, log *slog.Logger, before *Directory) (*Directory, error) {
	o := ldapauth.Options{
		StartTLS: l.StartTLS, BindDN: l.BindDN, BindPassword: l.BindPassword,
		UserDN: l.UserDN, Base: l.Base, Filter: l.Filter,
		GroupBase: l.GroupBase, GroupFilter: l.GroupFilter, GroupAttribute: l.GroupAttribute,
		Timeout: l.Timeout, Pool: l.Pool,
	}
	var certificates []byte
	var trusting *tls.Config
	if l.CA != "" {
		roots, content, err := config.Trusting(l.CA)
		if err != nil {
			return nil, fmt.Errorf("%s: ldap.ca: %w", l.Place, err)
		}
		certificates, trusting = content, &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	made := sha256.Sum256(fmt.Appendf(nil, "%s %+v %s", l.URL, o, certificates))
	if before != nil && before.made == made {
		return before, nil
	}
	o.URL, o.Log, o.TLS = l.URL, log, trusting
	opened, err := ldapauth.New(o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", l.Place, err)
	}
	return &Directory{opened, made}, nil
}
