package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/davd/davd/storage/storagetest/pgtest"
	"github.com/davd/davd/storage/storagetest/s3test"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"davd": func() {
			endWithParent()
			main()
		},
		"sandbox": sandbox,
	})
}

func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("DAVD_STATE", "mem") // don't use the state of this machine
			repository, err := filepath.Abs("../..")
			env.Setenv("REPO", repository)
			return err
		},
		Condition: func(name string) (bool, error) {
			if name != "tmpfs" {
				return false, fmt.Errorf("%s is no condition", name)
			}
			return canMount(t.TempDir())
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"appears":  appears,
			"await":    await,
			"fails":    fails,
			"gencert":  gencert,
			"postgres": postgres(t),
			"listen":   listen,
			"s3":       bucket(t),
			"poll":     poll,
			"stale":    stale,
			"term":     term,
			"tmpfs":    tmpfs,
			"waitsock": waitsock,
		},
	})
}

// patience is how long to wait for something that davd should do immediately.
const patience = 2 * time.Minute

// eventually calls done until it returns true.
func eventually(ts *testscript.TestScript, what string, done func() bool) {
	for deadline := time.Now().Add(patience); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			ts.Fatalf("gave up waiting for %s", what)
		}
	}
}

// fails runs a program that must end with the exit code and write only this line, to
// standard error: fails CODE LINE PROGRAM [ARG...]
func fails(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: fails CODE LINE PROGRAM [ARG...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[2], args[3:]...)
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok || exit.ExitCode() != want {
		ts.Fatalf("ended with %v, want exit code %d", err, want)
	}
	if got := ts.ReadFile("stderr"); got != args[1]+"\n" {
		ts.Fatalf("stderr is\n%swant\n%s", got, args[1])
	}
	if got := ts.ReadFile("stdout"); got != "" {
		ts.Fatalf("stdout is\n%swant nothing", got)
	}
}

// await waits until a file matches a regular expression, and sets a variable to the match of
// its first group: await FILE REGEXP [VARIABLE]
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: await FILE REGEXP [VARIABLE]")
	}
	pattern, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	var match []string
	eventually(ts, args[1]+" in "+args[0], func() bool {
		data, err := os.ReadFile(ts.MkAbs(args[0]))
		match = pattern.FindStringSubmatch(string(data))
		return err == nil && match != nil
	})
	if len(args) == 3 {
		ts.Setenv(args[2], match[1])
	}
}

// appears waits until a file that matches a pattern exists: appears GLOB
func appears(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: appears GLOB")
	}
	eventually(ts, args[0], func() bool {
		found, err := filepath.Glob(ts.MkAbs(args[0]))
		ts.Check(err)
		return len(found) > 0
	})
}

// poll runs a program until its output matches: poll REGEXP PROGRAM [ARG...]
func poll(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: poll REGEXP PROGRAM [ARG...]")
	}
	pattern, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	eventually(ts, args[0], func() bool {
		return ts.Exec(args[1], args[2:]...) == nil && pattern.MatchString(ts.ReadFile("stdout"))
	})
}

// waitsock waits until a process listens at a Unix socket: waitsock PATH
func waitsock(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: waitsock PATH")
	}
	eventually(ts, "a listener at "+args[0], func() bool {
		conn, err := net.Dial("unix", ts.MkAbs(args[0]))
		if err != nil {
			return false
		}
		return conn.Close() == nil
	})
}

// listen listens at a free port until the script ends, and sets a variable to the address:
// listen VARIABLE
func listen(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: listen VARIABLE")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { l.Close() })
	ts.Setenv(args[0], l.Addr().String())
}

// stale creates a Unix socket at which no process listens: stale PATH
func stale(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: stale PATH")
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: ts.MkAbs(args[0])})
	ts.Check(err)
	l.SetUnlinkOnClose(false)
	ts.Check(l.Close())
}

// term sends SIGTERM to each davd in the background.
func term(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: term")
	}
	found := false
	for _, cmd := range ts.BackgroundCmds() {
		if strings.Contains(strings.Join(cmd.Args, " "), " -c exec davd ") || filepath.Base(cmd.Path) == "davd" {
			ts.Check(cmd.Process.Signal(syscall.SIGTERM))
			found = true
		}
	}
	if !found {
		ts.Fatalf("no davd is in the background")
	}
}

// gencert creates a certificate for localhost, and its key: gencert CERT KEY
func gencert(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: gencert CERT KEY")
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "localhost"}, // curl requires one
		DNSNames:     []string{"localhost"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	ts.Check(err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	writePEM := func(name, kind string, der []byte) {
		ts.Check(os.WriteFile(ts.MkAbs(name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
	}
	writePEM(args[0], "CERTIFICATE", cert)
	writePEM(args[1], "PRIVATE KEY", keyDER)
}

// bucket sets a variable to the URL of a new bucket, and those with the credentials: s3 VARIABLE
func bucket(t *testing.T) func(*testscript.TestScript, bool, []string) {
	t.Helper()
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) != 1 {
			ts.Fatalf("usage: s3 VARIABLE")
		}
		endpoint, name := s3test.Bucket(t)
		ts.Setenv(args[0], "s3://"+name+"/davd?endpoint="+endpoint)
		for _, variable := range s3test.Env() {
			name, value, _ := strings.Cut(variable, "=")
			ts.Setenv(name, value)
		}
	}
}

// postgres returns the command that makes a new PostgreSQL database, and sets a variable to its
// URL: postgres VARIABLE
func postgres(t *testing.T) func(*testscript.TestScript, bool, []string) {
	t.Helper()
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) != 1 {
			ts.Fatalf("usage: postgres VARIABLE")
		}
		ts.Setenv(args[0], pgtest.Database(t))
	}
}
