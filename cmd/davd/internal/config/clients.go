package config

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/davd/davd/dav"
)

// ParseClients parses rows for the table of known clients, such as curl=100: a product name
// from the User-Agent header, and how many interim responses the client can handle.
func ParseClients(texts []string) ([]dav.Client, error) {
	var clients []dav.Client
	for _, text := range texts {
		if text == "" {
			continue // the environment variable is set but empty
		}
		name, count, found := strings.Cut(text, "=")
		if !found || !isProduct(name) {
			return nil, fmt.Errorf("%q is not NAME=CAP: write a name as User-Agent has it, without its version, and a number, such as curl=100", text)
		}
		limit, err := strconv.ParseUint(count, 10, 31)
		if err != nil {
			return nil, fmt.Errorf("%q has no number of interim responses: write %s=100, or %s=0 for none", text, name, name)
		}
		clients = append(clients, dav.Client{Product: name, Cap: int(limit), Source: "--interim-client"})
	}
	return clients, nil
}

// isProduct reports whether s may be a product's name (RFC 9110 §10.1.5).
func isProduct(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool {
		return c <= ' ' || c > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
	})
}
