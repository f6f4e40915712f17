package main

import (
	"fmt"
	"strconv"

	"github.com/davd/davd/cmd/davd/internal/client"
	"github.com/davd/davd/cmd/davd/internal/setting"
)

// clientOptions holds the settings of all client commands.
type clientOptions struct {
	user, caCert, progress string

	recursive, force, long bool
	level                  int

	probe probeOptions
}

// connection returns the settings of all client commands.
func (o *clientOptions) connection() []*setting.Setting {
	return []*setting.Setting{
		{
			Name: "user", Takes: "NAME[:PASSWORD]", Into: setting.Value(&o.user, setting.Text),
			Help: "your user name; if the password is missing, davd looks in DAVD_PASSWORD and ~/.netrc, then asks you",
		},
		{Name: "cacert", Takes: "FILE", Into: setting.Value(&o.caCert, setting.Text), Help: "also trust the certificates in this PEM file"},
		{
			Name: "progress", Takes: "WHEN", Default: "auto", Into: setting.Word(&o.progress, "auto", "always", "never"),
			Help: "when to show the progress: auto, always or never; on a terminal it is a bar, elsewhere a line every 10 s after the first 2 s (auto) or every second (always)",
		},
	}
}

func (o *clientOptions) recursiveSetting(help string) *setting.Setting {
	return &setting.Setting{Name: "recursive", Short: "r", FlagOnly: true, Into: setting.Switch(&o.recursive), Help: help}
}

func (o *clientOptions) forceSetting() *setting.Setting {
	return &setting.Setting{
		Name: "force", Short: "f", FlagOnly: true, Into: setting.Switch(&o.force),
		Help: "replace what already exists; without this, that is an error",
	}
}

func (o *clientOptions) longSetting() *setting.Setting {
	return &setting.Setting{
		Name: "long", Short: "l", FlagOnly: true, Into: setting.Switch(&o.long),
		Help: "show modification times and sizes in bytes",
	}
}

func (o *clientOptions) levelSetting() *setting.Setting {
	return &setting.Setting{
		Name: "level", Short: "L", Takes: "DEPTH", Default: "0", FlagOnly: true, Into: setting.Value(&o.level, parseLevel),
		Help: "how many levels to show; 0 for all",
	}
}

func parseLevel(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q is not a number of levels: write 0 or more", s)
	}
	return n, nil
}

func (o *clientOptions) fetch() client.FetchOptions {
	return client.FetchOptions{Recursive: o.recursive, Force: o.force}
}
