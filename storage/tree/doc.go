// Package tree works on whole trees of a [storage.FS]: it walks, copies, moves and
// removes them, and reports each member to a [Monitor].
//
// Copy and Move put a tree in place in one step. They build it under a reserved name
// beside the destination. Once it is complete, it changes places with whatever was at
// the destination. Until then the destination is untouched. If an error occurs or the
// context ends before that, the destination stays as it was and the unfinished tree is
// removed.
//
// An [Engine] does this, and a [Walk] lists a tree. A server passes one [Workers] to all
// of them, so that together they leave processors for other requests.
//
// Where RFC 4918 asks for it (§9.6.1, §9.8.3), a member that fails does not stop the
// others. The error is then a [*PartialError] that names each failed member. Some
// errors make it pointless to continue: the context has ended, the disk is full, or the
// backend has become read-only. They end the whole operation.
//
// The files depend on each other in this order: workers, turns and monitor; walk…; crew
// and count; copy… and remove…; record; place and stage; operation and move; recover….
package tree
