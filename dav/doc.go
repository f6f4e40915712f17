// Package dav is an http.Handler for WebDAV (RFC 4918) that keeps a client's
// connection alive while a long COPY, MOVE, DELETE or PROPFIND is under way,
// by interim responses with the status 102 (RFC 2518 §10.1).
//
// [Handler] takes the place of x/net's webdav.Handler: the same fields, the
// same contracts for what is plugged into them. In addition
//
//   - COPY and MOVE put the whole new tree in the place of the old one in one
//     step and never before it is complete; a source and a destination that
//     overlap are refused before anything is touched;
//   - a member that fails is named in a 207 (Multi-Status) while the others go
//     on (RFC 4918 §9.6.1, §9.8.3);
//   - a client that goes away does not stop a COPY, MOVE or DELETE half way;
//   - every operation counts its members, and tells in the header Progress of
//     its interim responses how far it is.
//
// # Interim responses
//
// They are sent for the four methods named above while the final response has
// not begun, never to HTTP/1.0. [Interim] says when and to whom. One carries
//
//	Progress: 1200/10000 "photos/2024/img%2001.jpg" 8020/8591489 (bytes)
//
// (draft-wright-http-progress-02: members done and known, the current member
// relative to the request URI, bytes done and known; a number that is not
// known is left out) and, to a client that sent Prefer: processing,
//
//	Status-URI: 507 <http://host/a/b>, 204 <http://host/a/c>
//
// (RFC 2518 §9.7: members of the source that were resolved since the last one,
// failures first) and, on the first one, the Location of the operation's status
// document. The answer to a PROPFIND is held until it is complete or
// too large to be held, then streamed; a newline between two responses is the
// sign of life from then on.
//
// # Operations
//
// Each operation has a status document ([OperationsName]): JSON
// ([OperationStatus]), a page for a browser or a stream of events, for its
// principal alone. A GET of it with Prefer: processing has interim responses until
// the end. DELETE of it stops the operation and rolls it back. It is kept for a day
// in [Handler.History].
//
// A COPY, MOVE or DELETE with Prefer: respond-async (RFC 7240 §4.1) that takes longer
// than 100 ms, or than the seconds of wait=n, is answered 202 with the Location of
// the status document, and goes on.
//
// A client that gives up and asks again does no harm: a request that is identical to
// one that is under way joins it and has its answer; one that is identical to one
// whose answer could not be delivered, within two minutes and with nothing changed
// since, has that answer.
package dav
