// Command gateway is a real S3 server for tests: versitygw with objects in a directory. It has a
// go.mod of its own, so that davd doesn't depend on it. It runs until its standard input ends.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"
)

func main() {
	dir := flag.String("dir", "", "the directory of the buckets; DIR-meta is for metadata")
	address := flag.String("address", "", "host and port")
	access := flag.String("access", "", "access key")
	secret := flag.String("secret", "", "secret key")
	remove := flag.String("remove", "", "a directory to remove in the end")
	flag.Parse()
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer cancel()
		_, _ = io.Copy(io.Discard, os.Stdin)
		// A server that doesn't stop in time must not stay.
		time.AfterFunc(10*time.Second, func() { os.Exit(1) })
	}()
	err := run(ctx, *dir, *address, *access, *secret)
	if *remove != "" {
		err = errors.Join(err, os.RemoveAll(*remove))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, dir, address, access, secret string) error {
	for _, d := range []string{dir, dir + "-meta"} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return err
		}
	}
	store, opts, err := metadata(dir)
	if err != nil {
		return err
	}
	backend, err := posix.New(dir, store, opts)
	if err != nil {
		return err
	}
	return embedgw.RunVersityGW(ctx, backend, &embedgw.Config{
		RootUserAccess: access, RootUserSecret: secret, Ports: []string{address}, HealthPath: "/health",
		MaxConnections: 10000, MaxRequests: 10000, MultipartMaxParts: 10000, KeepAlive: true, Quiet: true,
	})
}

// metadata returns where metadata is stored: in extended attributes, or in files if the
// filesystem has none.
func metadata(dir string) (meta.MetadataStorer, posix.PosixOpts, error) {
	if (meta.XattrMeta{}).Test(dir) == nil {
		return meta.XattrMeta{}, posix.PosixOpts{}, nil
	}
	store, err := meta.NewSideCar(dir + "-meta")
	return store, posix.PosixOpts{SideCarDir: dir + "-meta"}, err
}
