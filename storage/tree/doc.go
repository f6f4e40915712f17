// Package tree works on whole trees of a [storage.FS]: it walks, copies,
// moves and removes them, and reports each member to a [Monitor].
//
// Copy and Move put a tree in its place in one step: it is built under a
// reserved name beside the destination, and only when it is whole does it
// change places with what was there. Until then nothing at the destination
// has been touched; an error, or the end of the context, leaves it as it was
// and removes what was built.
//
// A member that fails does not stop the others, where RFC 4918 asks for that
// (§9.6.1, §9.8.3): the error is then a [*PartialError] that names each. What
// makes the rest pointless (the end of the context, no space, a backend that
// has become read-only) ends the whole.
package tree
