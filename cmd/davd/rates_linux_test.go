package main

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestFloodRequests checks that an address or a user that sends too many requests gets 429 (RFC 6585
// §4), and that another one is served meanwhile.
func TestFloodRequests(t *testing.T) {
	t.Parallel()
	users := filepath.Join(t.TempDir(), "users")
	const secret = ":{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n"
	if err := os.WriteFile(users, []byte("ann"+secret+"bob"+secret), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name       string
		flags      []string
		ann, other string // lines of the header
	}{
		{"address", []string{"--requests-per-address", "1"}, "", ""},
		{"user", []string{"--requests-per-user", "1", "--htpasswd", users}, "Authorization: Basic YW5uOnNlY3JldA==\r\n", "Authorization: Basic Ym9iOnNlY3JldA=="},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := serveFlooded(t, c.flags...)
			statuses := s.askOften(200, "GET /f HTTP/1.1\r\nHost: localhost\r\n"+c.ann+"\r\n")
			if statuses[http.StatusOK] < 20 || statuses[http.StatusTooManyRequests] == 0 || len(statuses) > 2 {
				t.Errorf("%v, want the first 20 requests to be served and some to be refused", statuses)
			}
			if c.other == "" {
				s.served()
			} else {
				s.served(c.other)
			}
		})
	}
}

// askOften sends a request n times, and returns how many answers had which status.
func (s *flooded) askOften(n int, request string) map[int]int {
	s.Helper()
	conn := s.dial(1)
	_ = conn.SetDeadline(time.Now().Add(servedWithin))
	answers := bufio.NewReader(conn)
	statuses := make(map[int]int)
	for range n {
		if _, err := io.WriteString(conn, request); err != nil {
			s.Fatal(err)
		}
		answer, err := http.ReadResponse(answers, nil)
		if err != nil {
			s.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, answer.Body); err != nil {
			s.Fatal(err)
		}
		if answer.StatusCode == http.StatusTooManyRequests && answer.Header.Get("Retry-After") != "1" {
			s.Errorf("Retry-After is %q", answer.Header.Get("Retry-After"))
		}
		statuses[answer.StatusCode]++
	}
	return statuses
}
