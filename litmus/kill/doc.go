// Package kill tests that davd keeps its word when it is killed.
//
// Eight clients change a share at the same time with PUT, PATCH, MKCOL, COPY, MOVE,
// DELETE, PROPPATCH, LOCK and UNLOCK. kill -9 ends davd at random moments, also while
// it recovers. A model knows what davd has acknowledged. After each restart, the
// share is compared with the model, over HTTP and on the disk:
//
//   - What was answered with 2xx is there: content, tree, dead properties, locks.
//   - What was refused has changed nothing.
//   - What was under way at the kill is done or not done, never half. Only a DELETE
//     may have removed some of its members.
//   - Nothing that has a reserved name is left.
//
// The tests run on the filesystems that the kernel has, each on a disk of its own,
// and on disks that fill up. They print the seed of what is random; -kill.seed
// repeats the requests, though not the moments of the kills.
//
// A watch on all other filesystems sees whatever davd writes there, which must be
// nothing.
package kill
