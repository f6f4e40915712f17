package main

import (
	"bytes"
	"context"
	"fmt"
	"os"

	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/share"
)

// checkSecret returns an error if clients could read or change a secret file because it is
// in a served directory. Call it each time the file is read: it may have been replaced by a
// link.
func checkSecret(ctx context.Context, cfg *config.Config, file string) error {
	for _, dir := range cfg.Dirs() {
		if _, err := os.Stat(dir); err != nil && len(cfg.Shares) > 0 {
			continue // clients can't reach a share that is missing, and other shares are served
		}
		if err := checkSecretIn(ctx, dir, file); err != nil {
			return err
		}
	}
	return nil
}

func checkSecretIn(ctx context.Context, dir, file string) error {
	inside, err := share.Holds(dir, file)
	if err != nil {
		return err
	}
	if inside {
		return fmt.Errorf("%s: is inside the served directory, where clients could read and change it: move it out", file)
	}
	name, err := share.Linked(ctx, dir, file)
	if err != nil {
		return err
	}
	if name != "" {
		return fmt.Errorf("%s: is the same file as %s (a hard link), which clients could read: remove that link", file, name)
	}
	return nil
}

// checkTLS returns an error if clients could read or change the private key.
func checkTLS(ctx context.Context, cfg *config.Config) error {
	if err := checkSecret(ctx, cfg, cfg.TLSKey); err != nil {
		return fmt.Errorf("--tls-key %w", err)
	}
	// A certificate is public, but its file may have the key as well.
	if content, err := os.ReadFile(cfg.TLSCert); err == nil && bytes.Contains(content, []byte("PRIVATE KEY-----")) {
		if err := checkSecret(ctx, cfg, cfg.TLSCert); err != nil {
			return fmt.Errorf("--tls-cert %w", err)
		}
	}
	return nil
}
