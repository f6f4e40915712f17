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
	client.Options
	probe probeOptions
}

// connection returns the settings of all client commands.
func (o *clientOptions) connection() []*setting.Setting {
	return []*setting.Setting{
		setting.New("user", "NAME[:PASSWORD]", "", setting.Value(&o.user, setting.Text),
			"your user name; if the password is missing, davd looks in DAVD_PASSWORD and ~/.netrc, then asks you"),
		setting.New("cacert", "FILE", "", setting.Value(&o.caCert, setting.Text),
			"also trust the certificates in this PEM file"),
		setting.New("progress", "WHEN", "auto", setting.Word(&o.progress, "auto", "always", "never"),
			"when to show the progress: auto, always or never; on a terminal it is a bar, elsewhere a line every 10 s after the first 2 s (auto) or every second (always)"),
	}
}

func (o *clientOptions) recursive(help string) *setting.Setting {
	return &setting.Setting{Name: "recursive", Short: "r", FlagOnly: true, Into: setting.Switch(&o.Recursive), Help: help}
}

func (o *clientOptions) force() *setting.Setting {
	help := "replace what already exists; without this, that is an error"
	return &setting.Setting{Name: "force", Short: "f", FlagOnly: true, Into: setting.Switch(&o.Force), Help: help}
}

func (o *clientOptions) long() *setting.Setting {
	help := "show modification times and sizes in bytes"
	return &setting.Setting{Name: "long", Short: "l", FlagOnly: true, Into: setting.Switch(&o.Long), Help: help}
}

func (o *clientOptions) human() *setting.Setting {
	help := "show sizes with a unit, such as 1.2 MB; implies --long"
	return &setting.Setting{Name: "human", Short: "H", FlagOnly: true, Into: setting.Switch(&o.Human), Help: help}
}

func (o *clientOptions) level() *setting.Setting {
	return &setting.Setting{
		Name: "level", Short: "L", Takes: "DEPTH", Default: "0", FlagOnly: true, Into: setting.Value(&o.Levels, parseLevel),
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
