package ldapauth

import (
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"github.com/davd/davd/dav/auth/passfile"
)

// FuzzExpand checks that no user name changes the meaning of a filter or of the name of an
// entry.
func FuzzExpand(f *testing.F) {
	for _, name := range []string{
		"ann", "*", "a*", "ann)(uid=*", "\\2a", "x,uid=ann", "a+cn=b", "#616e6e", " ann ", "ann ", "zoë", "{dn}", "{user}",
		"\\", "a\\", "\"", "a=b", "<>;", "\u3000", "ab ", "ë ", " ",
	} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if passfile.CheckName(name) != nil {
			return
		}
		filter, err := ldap.CompileFilter(expand("(&(objectClass=person)(uid={user})(member={dn}))", ldap.EscapeFilter, name, "cn="+name))
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		if len(filter.Children) != 3 {
			t.Fatalf("%q: %d conditions", name, len(filter.Children))
		}
		for i, want := range map[int]string{1: name, 2: "cn=" + name} {
			match := filter.Children[i]
			if match.Tag != ldap.FilterEqualityMatch || len(match.Children) != 2 || ber.DecodeString(match.Children[1].Data.Bytes()) != want {
				t.Errorf("%q: condition %d is another one", name, i)
			}
		}
		dn, err := ldap.ParseDN(expand("uid={user},ou=people,dc=example", ldap.EscapeDN, name, ""))
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		if len(dn.RDNs) != 3 || len(dn.RDNs[0].Attributes) != 1 || dn.RDNs[0].Attributes[0].Value != name {
			t.Errorf("%q: it is the entry %v", name, dn)
		}
	})
}
