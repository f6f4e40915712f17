package main

import (
	"context"
	"os"

	"github.com/davd/davd/cmd/davd/internal/client"
	"github.com/davd/davd/cmd/davd/internal/setting"
)

// clientCommands returns the client commands, in the order of the overview.
func clientCommands(p *program) []command {
	o := &clientOptions{}
	var commands []command
	for _, table := range [][]clientCommand{listCommands(o), fetchCommands(o), changeCommands(o), {probeCommand(o)}} {
		for i := range table {
			commands = append(commands, table[i].command(p, o))
		}
	}
	return commands
}

func listCommands(o *clientOptions) []clientCommand {
	return []clientCommand{
		{
			name: "ls", arguments: "URL", parse: parseTarget,
			settings: []*setting.Setting{o.longSetting()},
			run: func(ctx context.Context, s *client.Session, t target) error {
				return s.List(ctx, t.url, o.long)
			},
			about: `
Lists a collection, or a file.
`,
		},
		{
			name: "tree", arguments: "URL", parse: parseTarget,
			settings: []*setting.Setting{o.longSetting(), o.levelSetting()},
			run: func(ctx context.Context, s *client.Session, t target) error {
				return s.Tree(ctx, t.url, client.TreeOptions{Depth: o.level, Long: o.long})
			},
			about: `
Lists a collection and everything in it.
`,
		},
	}
}

func fetchCommands(o *clientOptions) []clientCommand {
	return []clientCommand{
		{
			name: "get", arguments: "URL [DST]", parse: parseTarget,
			settings: []*setting.Setting{o.recursiveSetting("get a collection with everything in it"), o.forceSetting()},
			run: func(ctx context.Context, s *client.Session, t target) error {
				return s.Get(ctx, t.url, t.local, o.fetch())
			},
			about: `
Gets a file from the server. DST is the new local name or, if it ends with a
slash, the directory to put the file into. The default is the current directory.
If DST is "-", the file goes to standard output. A file appears only once it is
complete, and it keeps its modification time.
`,
		},
		{
			name: "put", arguments: "SRC URL", parse: parseUpload,
			settings: []*setting.Setting{o.recursiveSetting("put a directory with everything in it; symbolic links are not followed"), o.forceSetting()},
			run: func(ctx context.Context, s *client.Session, t target) error {
				return s.Put(ctx, os.Stdin, t.local, t.url, o.fetch())
			},
			about: `
Puts a file onto the server. URL is the new name or, if it ends with a slash,
the collection to put the file into. If SRC is "-", the content comes from
standard input.
`,
		},
	}
}

func changeCommands(o *clientOptions) []clientCommand {
	return []clientCommand{
		{
			name: "cp", arguments: "SRC DST", parse: parseTransfer,
			settings: []*setting.Setting{o.recursiveSetting("no effect, for compatibility with cp: a collection is always copied with everything in it"), o.forceSetting()},
			run: func(ctx context.Context, s *client.Session, t target) error {
				return s.Copy(ctx, t.url, t.second, o.force)
			},
			about: `
Copies a file, or a collection with everything in it, on the server. SRC is a
URL. DST is a URL on the same server, or just its path. DST is the new name or,
if it ends with a slash, the collection to copy into.

  davd cp https://files.example/photos/ /backup/2026
`,
		},
		{
			name: "mv", arguments: "SRC DST", parse: parseTransfer,
			settings: []*setting.Setting{o.forceSetting()},
			run: func(ctx context.Context, s *client.Session, t target) error {
				return s.Move(ctx, t.url, t.second, o.force)
			},
			about: `
Moves or renames a file, or a collection with everything in it, on the server.
SRC is a URL. DST is a URL on the same server, or just its path. DST is the new
name or, if it ends with a slash, the collection to move into.
`,
		},
		{
			name: "rm", arguments: "URL", parse: parseTarget,
			settings: []*setting.Setting{o.recursiveSetting("remove a collection with everything in it")},
			run: func(ctx context.Context, s *client.Session, t target) error {
				return s.Remove(ctx, t.url, o.recursive)
			},
			about: `
Removes a file or, with -r, a collection.
`,
		},
		{
			name: "mkdir", arguments: "URL", parse: parseTarget,
			run: func(ctx context.Context, s *client.Session, t target) error {
				return s.Mkdir(ctx, t.url)
			},
			about: `
Creates a collection (a directory on the server).
`,
		},
	}
}
