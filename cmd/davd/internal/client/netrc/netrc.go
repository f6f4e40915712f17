// Package netrc looks up the user name and password for a host in .netrc, the file that ftp
// and curl use.
package netrc

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Login is a user and a password. Both may be "".
type Login struct{ User, Password string }

// Lookup returns the login of user at host, or that of any user if user is "". It reads the
// file named by the environment variable NETRC or, without it, .netrc in the home directory.
func Lookup(host, user string) (login Login, found bool, err error) {
	file := os.Getenv("NETRC")
	if file == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return Login{}, false, nil //nolint:nilerr // without a home directory, there is no file
		}
		file = filepath.Join(home, ".netrc")
		if runtime.GOOS == "windows" {
			file = filepath.Join(home, "_netrc")
		}
	}
	content, err := os.ReadFile(file) //nolint:gosec // whoever sets NETRC may read the file
	if errors.Is(err, fs.ErrNotExist) {
		return Login{}, false, nil
	}
	if err != nil {
		return Login{}, false, err
	}
	login, found = parse(string(content), host, user)
	return login, found, nil
}

// parse returns the first matching login in content. A "default" entry matches every host.
func parse(content, host, user string) (login Login, found bool) {
	words := words(content)
	suits := func() bool { return found && (user == "" || login.User == user) }
	for i := 0; i < len(words); i++ {
		value := ""
		if i+1 < len(words) {
			value = words[i+1]
		}
		switch words[i] {
		case "machine", "default":
			if suits() {
				return login, true
			}
			login = Login{}
			if found = words[i] == "default"; !found {
				found = strings.EqualFold(value, host)
				i++
			}
		case "login":
			login.User = value
			i++
		case "password":
			login.Password = value
			i++
		case "account":
			i++
		}
	}
	return login, suits()
}

// words splits content into words. It skips comments and macros; a macro ends at an empty
// line.
func words(content string) []string {
	var words []string
	macro := false
	for line := range strings.Lines(content) {
		fields := strings.Fields(line)
		if macro && len(fields) > 0 || len(fields) > 0 && strings.HasPrefix(fields[0], "#") {
			continue
		}
		macro = len(fields) > 0 && fields[0] == "macdef"
		if !macro {
			words = append(words, fields...)
		}
	}
	return words
}
