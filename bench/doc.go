// Command bench compares the speed of davd with that of its peers: Apache, nginx, lighttpd
// and golang.org/x/net/webdav. All servers take turns at each work, in one run on one
// machine. Therefore the ratios are meaningful even though the seconds depend on the machine.
//
//	go run ./bench                  all works, up to five rounds, in 15 minutes
//	go run ./bench -quick           fewer works, in about three minutes
//	go run ./bench -run COPY -servers 'davd|nginx' -rounds 9
//
// Each work gets a share of the time, and at least one round. rclone is slow, and only takes
// part if -servers matches it. Works that no peer can do are done by davd alone, in a separate
// process.
//
// The program prints Markdown: medians with their ratios to davd's, minima, and the processor
// time and resident size that each work cost the server. Beside the servers it shows floors,
// which are the cost of the same work without a server.
//
// As root on Linux, it creates an ext4 filesystem on a loop device over a tmpfs, in separate
// namespaces. The speed of a disk changes from one second to the next, and a tmpfs alone hides
// the cost of a filesystem. When the process ends, for whatever reason, all of this disappears.
// Otherwise, -dir names a directory, and the results depend on its filesystem.
//
// Every result is checked, by counting members and bytes and by comparing some contents, so
// that a server can't win by not doing the work. If a server refuses a work or does it wrongly,
// the table shows its answer instead of a time.
package main
