package backend

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/crypto/ssh/knownhosts"
)

// keyNames are the keys in ~/.ssh that are tried, in this order.
var keyNames = []string{"id_ed25519", "id_ecdsa", "id_rsa"}

// login is how to log in to a server.
type login struct {
	user, host string // host has a port
	// key, passwordFile and knownHosts are paths, or "" for the defaults.
	key, passwordFile, knownHosts string
}

// newLogin reads the login that a URL contains.
func newLogin(u *url.URL) (*login, error) {
	l := &login{user: u.User.Username(), host: net.JoinHostPort(u.Hostname(), orDefault(u.Port(), "22"))}
	for name, values := range u.Query() {
		value := values[len(values)-1]
		switch name {
		case "key":
			l.key = value
		case "password-file":
			l.passwordFile = value
		case "known-hosts":
			l.knownHosts = value
		default:
			return nil, fmt.Errorf("%s: the URL has no parameter of this name: it can have key, password-file and known-hosts", name)
		}
	}
	if l.user == "" {
		me, err := user.Current()
		if err != nil {
			return nil, fmt.Errorf("the URL has no user, and the current one is unknown: %w", err)
		}
		l.user = me.Username
	}
	return l, nil
}

func orDefault(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

// config reads the keys and the known hosts. The caller must call release after the login.
func (l *login) config() (config *ssh.ClientConfig, release func(), err error) {
	check, algorithms, err := l.hostKeys()
	if err != nil {
		return nil, nil, err
	}
	config = &ssh.ClientConfig{User: l.user, HostKeyCallback: check, HostKeyAlgorithms: algorithms, Timeout: dialTimeout}
	release = func() {}
	switch {
	case l.passwordFile != "":
		password, err := os.ReadFile(l.passwordFile)
		if err != nil {
			return nil, nil, err
		}
		config.Auth = append(config.Auth, ssh.Password(strings.TrimRight(string(password), "\r\n")))
	case l.key != "":
		signer, err := readKey(l.key)
		if err != nil {
			return nil, nil, err
		}
		config.Auth = append(config.Auth, ssh.PublicKeys(signer))
	default:
		var signers []ssh.Signer
		signers, release = defaultKeys()
		if len(signers) == 0 {
			release()
			return nil, nil, errors.New("no SSH agent and no key in ~/.ssh that can be used: name one with ?key=FILE")
		}
		config.Auth = append(config.Auth, ssh.PublicKeys(signers...))
	}
	return config, release, nil
}

func readKey(file string) (ssh.Signer, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	signer, err := ssh.ParsePrivateKey(content)
	if _, encrypted := errors.AsType[*ssh.PassphraseMissingError](err); encrypted {
		return nil, fmt.Errorf("%s: the key has a passphrase: add it to the SSH agent", file)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return signer, nil
}

// defaultKeys returns the keys of the agent and those in ~/.ssh without a passphrase. Those of
// the agent can be used until release is called.
func defaultKeys() (signers []ssh.Signer, release func()) {
	release = func() {}
	if socket := os.Getenv("SSH_AUTH_SOCK"); socket != "" {
		conn, err := net.Dial("unix", socket) //nolint:noctx,gosec // the agent of the user who runs davd
		if err == nil {
			release = func() { _ = conn.Close() }
			signers, _ = agent.NewClient(conn).Signers()
		}
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return signers, release
	}
	for _, name := range keyNames {
		if signer, err := readKey(filepath.Join(home, ".ssh", name)); err == nil {
			signers = append(signers, signer)
		}
	}
	return signers, release
}

// hostKeys returns how to check the key of the server, and the algorithms of its known keys.
func (l *login) hostKeys() (ssh.HostKeyCallback, []string, error) {
	files := []string{l.knownHosts}
	if l.knownHosts == "" {
		files = defaultKnownHosts()
	}
	if len(files) == 0 {
		return nil, nil, fmt.Errorf("no known_hosts file: connect once with ssh %s to check its key, or name one with ?known-hosts=FILE", l.host)
	}
	check, err := knownhosts.New(files...)
	if err != nil {
		return nil, nil, err
	}
	// A key that can't be the right one makes the package tell which keys it knows.
	unknown, err := ssh.NewPublicKey(ed25519.PublicKey(make([]byte, ed25519.PublicKeySize)))
	if err != nil {
		return nil, nil, err
	}
	mismatch, _ := errors.AsType[*knownhosts.KeyError](check(l.host, &net.TCPAddr{}, unknown))
	if mismatch == nil || len(mismatch.Want) == 0 {
		return nil, nil, fmt.Errorf("the key of %s is in no known_hosts file: connect once with ssh to check it, or name a file with ?known-hosts=FILE", l.host)
	}
	var algorithms []string
	for _, known := range mismatch.Want {
		kind := known.Key.Type()
		if kind == ssh.KeyAlgoRSA {
			algorithms = append(algorithms, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256)
		} else if !slices.Contains(algorithms, kind) {
			algorithms = append(algorithms, kind)
		}
	}
	return check, algorithms, nil
}

func defaultKnownHosts() (files []string) {
	candidates := []string{"/etc/ssh/ssh_known_hosts"}
	if home, err := os.UserHomeDir(); err == nil {
		candidates = append(candidates, filepath.Join(home, ".ssh", "known_hosts"))
	}
	for _, file := range candidates {
		if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
			files = append(files, file)
		}
	}
	return files
}
