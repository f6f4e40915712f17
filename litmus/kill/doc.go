// Package kill tests that davd loses nothing that it has acknowledged when it is killed.
//
// Eight clients change a share at the same time with PUT, PATCH, MKCOL, COPY, MOVE,
// DELETE, PROPPATCH, LOCK and UNLOCK. kill -9 ends davd at random moments, also while
// it recovers. A model knows what davd has acknowledged. After each restart, the
// share is compared with the model, over HTTP and on the disk:
//
//   - The results of requests that were answered with 2xx exist: content, tree, dead
//     properties and locks.
//   - Requests that were refused have changed nothing.
//   - Requests that were running at the kill are done completely or not at all. Only a
//     DELETE may have removed some of its members.
//   - No files with reserved names are left.
//
// The tests run on the filesystems that the kernel supports, each on a separate disk, and on
// disks that fill up. They print the seed of the random numbers. -kill.seed repeats the
// requests, but not the moments of the kills.
//
// A watch on all other filesystems checks that davd writes nothing there.
package kill
