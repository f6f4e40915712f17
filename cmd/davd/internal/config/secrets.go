package config

import (
	"fmt"
	"strings"
)

// secretOf returns the secret in a file: its content without the end of the line.
func secretOf(name string, data []byte) (string, error) {
	secret := strings.TrimRight(string(data), "\r\n")
	if secret == "" {
		return "", fmt.Errorf("%s: is empty", name)
	}
	return secret, nil
}

// RereadSecrets reads the files of password-file and bind-password-file again, and reports
// whether one of them has changed. If it returns an error, c stays as it was.
func (c *Config) RereadSecrets() (changed bool, err error) {
	var install []func()
	reread := func(keys []key, name string, to *string, parse func(string) (string, error)) error {
		for _, file := range find(keys, name).Effective() {
			content, err := readFile(file, maxFile)
			if err != nil {
				return err
			}
			secret, err := secretOf(file, content.data)
			if err == nil {
				secret, err = parse(secret)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
			if secret != *to {
				install = append(install, func() { *to = secret })
			}
		}
		return nil
	}
	for _, u := range c.Users {
		if err := reread(u.keys, "password-file", &u.Hash, parseHash); err != nil {
			return false, err
		}
	}
	if l := c.LDAP; l != nil {
		if err := reread(l.keys, "bind-password-file", &l.BindPassword, plainText); err != nil {
			return false, err
		}
	}
	for _, each := range install {
		each()
	}
	return len(install) > 0, nil
}

func plainText(s string) (string, error) { return s, nil }
