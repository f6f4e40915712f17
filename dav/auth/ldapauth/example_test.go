package ldapauth_test

import (
	"log"
	"net/http"
	"net/url"

	"github.com/davd/davd/dav/auth"
	"github.com/davd/davd/dav/auth/ldapauth"
)

// Users of a program's own list, and then those of a directory.
func Example() {
	directory, err := ldapauth.New(ldapauth.Options{
		URL:    &url.URL{Scheme: "ldaps", Host: "ldap.example"},
		BindDN: "cn=app,ou=services,dc=example", BindPassword: "from a file",
		Base: "ou=people,dc=example", GroupBase: "ou=groups,dc=example",
	})
	if err != nil {
		log.Fatal(err)
	}
	handler := &auth.Handler{
		Next:     http.FileServer(http.Dir("/srv/files")),
		Verifier: auth.NewChain(auth.NewUsers(nil), directory),
		Realm:    "files",
	}
	log.Fatal(http.ListenAndServeTLS("localhost:8443", "cert.pem", "key.pem", handler))
}
