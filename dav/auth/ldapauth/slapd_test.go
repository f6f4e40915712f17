package ldapauth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// slapd is Debian's LDAP server, with the entries of people.
type slapd struct {
	t                   *testing.T
	dir, config         string
	plain, secure, unix string // URLs
	roots               *x509.CertPool
	process             *exec.Cmd
}

const people = `dn: dc=example
objectClass: dcObject
objectClass: organization
o: Example
dc: example

dn: ou=people,dc=example
objectClass: organizationalUnit
ou: people

dn: ou=groups,dc=example
objectClass: organizationalUnit
ou: groups

dn: cn=reader,dc=example
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: reader
userPassword: reads

dn: uid=ann,ou=people,dc=example
objectClass: inetOrgPerson
uid: ann
cn: Ann
sn: A
mail: ann@example.com
userPassword: right

dn: uid=bob,ou=people,dc=example
objectClass: inetOrgPerson
uid: bob
cn: Bob
sn: B
userPassword: right

dn: cn=Zo\C3\AB \, the first,ou=people,dc=example
objectClass: inetOrgPerson
cn: Zoë , the first
uid: zoë (x)
sn: Z
userPassword: right

dn: uid=nopassword,ou=people,dc=example
objectClass: inetOrgPerson
uid: nopassword
cn: x
sn: X

dn: cn=twin1,ou=people,dc=example
objectClass: inetOrgPerson
cn: twin1
uid: twin
sn: T
userPassword: right

dn: cn=twin2,ou=people,dc=example
objectClass: inetOrgPerson
cn: twin2
uid: twin
sn: T
userPassword: right

dn: cn=staff,ou=groups,dc=example
objectClass: groupOfNames
cn: staff
member: uid=ann,ou=people,dc=example
member: cn=Zo\C3\AB \, the first,ou=people,dc=example

dn: cn=board,ou=groups,dc=example
objectClass: groupOfNames
cn: board
member: uid=ann,ou=people,dc=example

dn: cn=posix,ou=groups,dc=example
objectClass: groupOfNames
objectClass: extensibleObject
cn: posix
member: cn=reader,dc=example
description: ann
`

// startSlapd starts a server. access are its rules (slapd.access(5)).
func startSlapd(t *testing.T, access string) *slapd {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("slapd is tested on Linux")
	}
	if _, err := os.Stat("/usr/sbin/slapd"); err != nil {
		t.Fatal("slapd is missing: run .ci/deps")
	}
	dir, err := os.MkdirTemp("", "slapd") //nolint:usetesting // a socket needs a short path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s := &slapd{t: t, dir: dir, config: filepath.Join(dir, "slapd.conf")}
	s.makeCertificate()
	s.plain, s.secure = "ldap://"+freeAddr(t), "ldaps://"+strings.Replace(freeAddr(t), "127.0.0.1", "localhost", 1)
	s.unix = "ldapi://" + filepath.Join(dir, "s")
	s.write("slapd.conf", fmt.Sprintf(`include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile %[1]s/pid
TLSCertificateFile %[1]s/cert.pem
TLSCertificateKeyFile %[1]s/key.pem
TLSCACertificateFile %[1]s/cert.pem
database mdb
suffix dc=example
rootdn cn=admin,dc=example
rootpw admin
directory %[1]s/db
%[2]s
`, dir, access))
	s.write("people.ldif", people)
	if err := os.Mkdir(filepath.Join(dir, "db"), 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "/usr/sbin/slapadd", "-f", s.config, "-l", filepath.Join(dir, "people.ldif")).CombinedOutput(); err != nil {
		t.Fatalf("slapadd: %v: %s", err, out)
	}
	s.start()
	t.Cleanup(s.stop)
	return s
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (s *slapd) write(name, content string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(content), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// makeCertificate makes a certificate for localhost.
func (s *slapd) makeCertificate() {
	s.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		s.t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		s.t.Fatal(err)
	}
	encoded := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})
	s.write("cert.pem", string(encoded))
	s.write("key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
	s.roots = x509.NewCertPool()
	s.roots.AppendCertsFromPEM(encoded)
}

// start starts the process, and waits until it answers.
func (s *slapd) start() {
	s.t.Helper()
	urls := s.plain + "/ " + s.secure + "/ ldapi://" + strings.ReplaceAll(strings.TrimPrefix(s.unix, "ldapi://"), "/", "%2F")
	s.process = exec.Command("/usr/sbin/slapd", "-f", s.config, "-h", urls, "-d", "0")
	if err := s.process.Start(); err != nil {
		s.t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		conn, err := new(net.Dialer).DialContext(context.Background(), "tcp", strings.TrimPrefix(s.plain, "ldap://"))
		if err == nil {
			_ = conn.Close()
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatal("slapd does not start")
		}
	}
}

// stop stops the process.
func (s *slapd) stop() {
	if s.process != nil {
		_ = s.process.Process.Signal(syscall.SIGKILL)
		_ = s.process.Wait()
		s.process = nil
	}
}
