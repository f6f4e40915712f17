package ldapauth

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/davd/davd/dav/auth"
)

// conn is a connection to a directory.
type conn struct {
	*ldap.Conn
	o *Options
	// raw is the connection of the system.
	raw net.Conn
	// service says that the connection is logged in as Options.BindDN, or as no one if that
	// is empty.
	service bool
	idle    time.Time // since when
}

// dial opens a connection. ctx limits how long that may take.
func dial(ctx context.Context, o *Options) (*conn, error) {
	raw, err := dialRaw(ctx, o)
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: ldap.NewConn(raw, o.URL.Scheme == "ldaps"), o: o, raw: raw, service: o.BindDN == ""}
	c.SetTimeout(o.Timeout)
	c.Start()
	if o.StartTLS {
		// go-ldap does not limit the time of a handshake.
		stop := context.AfterFunc(ctx, func() { _ = raw.SetDeadline(time.Now()) })
		err := c.StartTLS(tlsConfig(o))
		if stop(); err != nil {
			_ = c.Close()
			return nil, fmt.Errorf("StartTLS: %w", err)
		}
	}
	return c, nil
}

func dialRaw(ctx context.Context, o *Options) (net.Conn, error) {
	var d net.Dialer
	switch o.URL.Scheme {
	case "ldapi":
		return d.DialContext(ctx, "unix", o.URL.Path)
	case "ldaps":
		secure := tls.Dialer{NetDialer: &d, Config: tlsConfig(o)}
		return secure.DialContext(ctx, "tcp", address(o, "636"))
	}
	return d.DialContext(ctx, "tcp", address(o, "389"))
}

func address(o *Options, port string) string {
	if p := o.URL.Port(); p != "" {
		port = p
	}
	return net.JoinHostPort(o.URL.Hostname(), port)
}

func tlsConfig(o *Options) *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.TLS != nil {
		config = o.TLS.Clone()
	}
	if config.ServerName == "" {
		config.ServerName = o.URL.Hostname()
	}
	return config
}

// bindService logs in to search.
func (c *conn) bindService() error {
	if c.service {
		return nil
	}
	err := c.bind(c.o.BindDN, c.o.BindPassword)
	if err != nil {
		return &serviceError{c.o.BindDN, err}
	}
	c.service = true
	return nil
}

// bind logs in. Without a name, it logs out.
func (c *conn) bind(dn, password string) error {
	if dn == "" {
		return c.UnauthenticatedBind("")
	}
	return c.Bind(dn, password)
}

// refused reports whether a bind failed for a reason that is the user's (RFC 4511 §A.1).
func refused(err error) bool {
	return ldap.IsErrorAnyOf(err,
		ldap.LDAPResultInvalidCredentials,
		ldap.LDAPResultInappropriateAuthentication,
		ldap.LDAPResultInsufficientAccessRights,
		ldap.LDAPResultUnwillingToPerform,
		ldap.LDAPResultConstraintViolation,
		ldap.LDAPResultNoSuchObject,
		ldap.LDAPResultInvalidDNSyntax,
	)
}

// bindUser verifies the password of a user. The password must not be empty.
func (c *conn) bindUser(dn, password string) error {
	c.service = false
	err := c.Bind(dn, password)
	if refused(err) {
		return auth.ErrWrong
	}
	return err
}

// search returns the entries that match a filter, with one attribute, at most limit.
func (c *conn) search(base string, scope int, filter, attribute string, limit int) ([]*ldap.Entry, error) {
	result, err := c.Search(&ldap.SearchRequest{
		BaseDN: base, Scope: scope, DerefAliases: ldap.NeverDerefAliases, SizeLimit: limit,
		TimeLimit: max(1, int(c.o.Timeout.Seconds())), Filter: filter, Attributes: []string{attribute},
	})
	if err != nil {
		return nil, err
	}
	return result.Entries, nil
}

// broken reports whether err is a failure of the directory, after which the connection can't
// be used.
func broken(err error) bool {
	if err == nil || errors.Is(err, auth.ErrWrong) {
		return false
	}
	var service *serviceError
	var result *ldap.Error
	return errors.As(err, &service) || !errors.As(err, &result) || result.ResultCode >= ldap.ErrorNetwork ||
		ldap.IsErrorAnyOf(result, ldap.LDAPResultBusy, ldap.LDAPResultUnavailable, ldap.LDAPResultTimeout)
}

// serviceError means that davd itself can't log in to the directory.
type serviceError struct {
	dn  string
	err error
}

func (e *serviceError) Error() string {
	return fmt.Sprintf("davd can't log in to the directory as %q: %v", e.dn, e.err)
}

func (e *serviceError) Unwrap() error { return e.err }
