package auth_test

import (
	"context"
	"crypto/subtle"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/spf13/afero"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/dav/auth"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/aferofs"
)

// team verifies the users of another system, here a map of names and tokens.
type team struct{ tokens map[string]string }

func (t *team) Verify(_ context.Context, name, password string) (*auth.Identity, error) {
	token, ok := t.tokens[name]
	switch {
	case subtle.ConstantTimeCompare([]byte(token), []byte(password)) == 0:
		return nil, auth.ErrWrong
	case !ok:
		return nil, auth.ErrUnknown
	}
	return &auth.Identity{Name: name, Groups: []string{"team"}, Stamp: token}, nil
}

func (t *team) Valid(id *auth.Identity) bool { return t.tokens[id.Name] == id.Stamp }

// A dav.Handler behind an auth.Handler, with users of the program.
func ExampleHandler() {
	server := httptest.NewServer(&auth.Handler{
		Next:     &dav.Handler{FileSystem: aferofs.New(afero.NewMemMapFs()), Principal: auth.User, Admitted: auth.Admitted},
		Verifier: &team{tokens: map[string]string{"ann": "0e1ab2"}},
		Realm:    "files",
	})
	defer server.Close()
	fmt.Println(put(server.URL+"/notes.txt", "ann", "guessed"))
	fmt.Println(put(server.URL+"/notes.txt", "ann", "0e1ab2"))
	// Output:
	// 401 Unauthorized
	// 201 Created
}

// A server whose users are in a file. docs/users.md shows these lines.
func ExampleOpenFile() {
	serve := func(addr, cert, key string, files storage.FS, logger *slog.Logger) error {
		users, err := auth.OpenFile("/etc/app/htpasswd", nil, logger)
		if err != nil {
			return err
		}
		return http.ListenAndServeTLS(addr, cert, key, &auth.Handler{
			Next:     &dav.Handler{FileSystem: files, Principal: auth.User, Admitted: auth.Admitted},
			Verifier: users,
			Realm:    "files",
		})
	}
	fmt.Println(serve(":8443", "cert.pem", "key.pem", aferofs.New(afero.NewMemMapFs()), slog.New(slog.DiscardHandler)) != nil)
	// Output: true
}

// put sends a PUT and returns the status of the answer.
func put(url, user, password string) string {
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPut, url, strings.NewReader("notes"))
	if err != nil {
		log.Fatal(err)
	}
	r.SetBasicAuth(user, password)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		log.Fatal(err)
	}
	_ = response.Body.Close()
	return response.Status
}
