// Package bench measures davd beside its peers, each work interleaved in one
// run on one machine, so that the ratios mean something where the seconds do
// not. It holds nothing but benchmarks; make bench-peers runs them.
//
// The peer so far is x/net's webdav.Handler on webdav.Dir, in the same process
// and on the same filesystem. That should be one whose speed does not depend
// on a disk: set TMPDIR to a directory on a tmpfs, or on a loop device over
// one.
package bench
