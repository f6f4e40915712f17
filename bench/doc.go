// Command bench measures davd beside its peers: Apache, nginx, lighttpd and
// golang.org/x/net/webdav, each work interleaved in one run on one machine, so
// that the ratios mean something where the seconds do not.
//
//	go run ./bench                  all works, five rounds
//	go run ./bench -quick           in under three minutes
//	go run ./bench -run COPY -servers 'davd|nginx' -rounds 9
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
