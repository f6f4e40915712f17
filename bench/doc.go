// Command bench measures davd beside its peers: Apache, nginx, lighttpd and
// golang.org/x/net/webdav, each work interleaved in one run on one machine, so
// that the ratios mean something where the seconds do not.
//
//	go run ./bench                  all works, up to five rounds, in 15 minutes
//	go run ./bench -quick           in about three minutes
//	go run ./bench -run COPY -servers 'davd|nginx' -rounds 9
//
// Each work has its part of the time, and one round at least. rclone is slow: it
// takes part only if -servers names it. Works that only davd can do, or that
// have no peer, are done by a davd alone, in a process of its own.
//
// It prints Markdown: medians with their ratios to davd's, minima, and what
// each work cost the server in processor time and resident size. Beside the
// servers there are floors: what the same work costs without one.
//
// As root on Linux it makes a filesystem of its own, ext4 on a loop device
// over a tmpfs, in namespaces of its own: a disk's speed changes from one
// second to the next, and a tmpfs alone hides what a filesystem costs. All
// that goes with the process, however it ends. Otherwise -dir names a
// directory, on whose filesystem the figures depend.
//
// Every result is checked, by counting members and bytes and by looking into
// some: nobody wins by not doing the work. A server that refuses one, or does
// another, has its answer in the table instead of a time.
package main
