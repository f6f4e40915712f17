package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestParseUser(t *testing.T) {
	for _, c := range []struct {
		name string
		env  map[string]string
		want user
		ok   bool
	}{
		{"the default", nil, user{1000, 1000, -1}, true},
		{"all", map[string]string{"PUID": "33", "PGID": "34", "UMASK": "027"}, user{33, 34, 0o27}, true},
		{"root", map[string]string{"PUID": "0", "PGID": "0"}, user{0, 0, -1}, true},
		{"a name", map[string]string{"PUID": "ann"}, user{}, false},
		{"negative", map[string]string{"PGID": "-1"}, user{}, false},
		{"too large", map[string]string{"PUID": "2147483648"}, user{}, false},
		{"a decimal umask", map[string]string{"UMASK": "029"}, user{}, false},
		{"too many bits", map[string]string{"UMASK": "1777"}, user{}, false},
	} {
		got, err := parseUser(func(name string) string { return c.env[name] })
		if (err == nil) != c.ok || c.ok && got != c.want {
			t.Errorf("%s: %v, %v", c.name, got, err)
		}
	}
}

func TestHealth(t *testing.T) {
	status := http.StatusUnauthorized
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
	plain, secure := httptest.NewServer(handler), httptest.NewTLSServer(handler)
	defer secure.Close()
	if err := health(plain.URL); err != nil {
		t.Error(err)
	}
	if err := health(secure.URL); err != nil {
		t.Error(err)
	}
	status = http.StatusServiceUnavailable
	if err := health(plain.URL); err == nil {
		t.Error("a 503 is healthy")
	}
	plain.Close()
	if err := health(plain.URL); err == nil {
		t.Error("no server is healthy")
	}
}
