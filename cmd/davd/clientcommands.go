package main

import (
	"context"
	"os"
	"slices"

	"github.com/davd/davd/cmd/davd/internal/client"
	"github.com/davd/davd/cmd/davd/internal/setting"
)

// clientExit ends the help of each client command.
const clientExit = `

Exit status: 0 for success, 1 for failure, 2 for wrong usage, 3 if some members
failed. Each of these is a line on standard error, such as "423 Locked  /path".`

// clientCommands returns the client commands, in the order of the overview.
func clientCommands(p *program) []command {
	o := &clientOptions{}
	all := slices.Concat(listCommands(p, o), fetchCommands(p, o), changeCommands(p, o), []command{probeCommand(p, o)})
	for i := range all {
		all[i].about += clientExit
		all[i].settings = append(all[i].settings, setting.Group("Connection", o.connection()...)...)
	}
	return all
}

func listCommands(p *program, o *clientOptions) []command {
	return []command{
		{
			name: "ls", arguments: "URL",
			settings: flags(o.long(), o.human(), jsonFlag(&o.JSON, "print JSON; sizes are in bytes, and null if the server did not tell")),
			run:      inSession(p, o, parseTarget, func(ctx context.Context, s *client.Session, t target) error { return s.List(ctx, t.url) }),
			about: `
Lists a collection, or a file. On a terminal, collections have a colour unless
the variable NO_COLOR is set.`,
		},
		{
			name: "tree", arguments: "URL",
			settings: flags(o.long(), o.human(), o.level()),
			run:      inSession(p, o, parseTarget, func(ctx context.Context, s *client.Session, t target) error { return s.Tree(ctx, t.url) }),
			about:    "Lists a collection and everything in it.",
		},
	}
}

func fetchCommands(p *program, o *clientOptions) []command {
	return []command{
		{
			name: "get", arguments: "URL [DST]",
			settings: flags(o.recursive("get a collection with everything in it"), o.force()),
			run:      inSession(p, o, parseTarget, counted("got", func(ctx context.Context, s *client.Session, t target) error { return s.Get(ctx, t.url, t.local) })),
			about: `
Gets a file from the server. DST is the new local name or, if it ends with a
slash, the directory to put the file into. The default is the current directory.
If DST is "-", the file goes to standard output. A file appears only once it is
complete, and it keeps its modification time.`,
		},
		{
			name: "put", arguments: "SRC URL",
			settings: flags(o.recursive("put a directory with everything in it; symbolic links are not followed"), o.force()),
			run: inSession(p, o, parseUpload, counted("put", func(ctx context.Context, s *client.Session, t target) error {
				return s.Put(ctx, os.Stdin, t.local, t.url)
			})),
			about: `
Puts a file onto the server. URL is the new name or, if it ends with a slash,
the collection to put the file into. If SRC is "-", the content comes from
standard input.`,
		},
	}
}

func changeCommands(p *program, o *clientOptions) []command {
	return []command{
		{
			name: "cp", arguments: "SRC DST",
			settings: flags(o.recursive("no effect, for compatibility with cp: a collection is always copied with everything in it"), o.force()),
			run:      inSession(p, o, parseTransfer, counted("copied", func(ctx context.Context, s *client.Session, t target) error { return s.Copy(ctx, t.url, t.second) })),
			about: `
Copies a file, or a collection with everything in it, on the server. SRC is a
URL. DST is a URL on the same server, or just its path. DST is the new name or,
if it ends with a slash, the collection to copy into.

  davd cp https://files.example/photos/ /backup/2026`,
		},
		{
			name: "mv", arguments: "SRC DST",
			settings: flags(o.force()),
			run:      inSession(p, o, parseTransfer, counted("moved", func(ctx context.Context, s *client.Session, t target) error { return s.Move(ctx, t.url, t.second) })),
			about: `
Moves or renames a file, or a collection with everything in it, on the server.
SRC is a URL. DST is a URL on the same server, or just its path. DST is the new
name or, if it ends with a slash, the collection to move into.`,
		},
		{
			name: "rm", arguments: "URL",
			settings: flags(o.recursive("remove a collection with everything in it")),
			run:      inSession(p, o, parseTarget, counted("removed", func(ctx context.Context, s *client.Session, t target) error { return s.Remove(ctx, t.url) })),
			about:    "Removes a file or, with -r, a collection.",
		},
		{
			name: "mkdir", arguments: "URL",
			run:   inSession(p, o, parseTarget, func(ctx context.Context, s *client.Session, t target) error { return s.Mkdir(ctx, t.url) }),
			about: "Creates a collection (a directory on the server).",
		},
	}
}
