package main

import (
	"context"
	"strings"
)

const rcloneProgram = "/usr/bin/rclone"

// rclone is slow, so it only takes part if -servers matches it. Its cache of listings is off,
// because with it rclone would not see files that this program adds to the share.
func rclone() *peer {
	return &peer{
		name:   "rclone",
		extra:  true,
		needs:  []need{{rcloneProgram, "rclone"}},
		remark: "rclone serve webdav without its cache of listings",
		configure: func(p *place, dir, addr string) ([]string, error) {
			return []string{
				rcloneProgram, "serve", "webdav", "--addr", addr, "--config", dir + "/rclone.conf",
				"--dir-cache-time", "0s", "--log-level", "ERROR", p.share,
			}, nil
		},
		version: func(ctx context.Context, _ *place) (string, error) {
			text, err := output(ctx, rcloneProgram, "version")
			return rcloneVersion(text), err
		},
	}
}

// rcloneVersion returns the second word of text, which is like "rclone v1.60.1-DEV".
func rcloneVersion(text string) string {
	fields := strings.Fields(text)
	if len(fields) < 2 {
		return "?"
	}
	return strings.TrimPrefix(fields[1], "v")
}
