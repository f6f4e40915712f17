// Package dav is an http.Handler for WebDAV (RFC 4918). While a long COPY, MOVE,
// DELETE or PROPFIND is under way, it keeps the client's connection alive with interim
// responses of status 102 (RFC 2518 §10.1).
//
// [Handler] can replace x/net's webdav.Handler: it has the same fields and accepts the
// same implementations of FileSystem and LockSystem. In addition:
//
//   - COPY and MOVE put the whole new tree in place of the old one in a single step,
//     once it is complete. If source and destination overlap, the request is refused
//     before anything changes.
//   - If some members fail, the operation continues with the others, and a 207
//     (Multi-Status) names the failures (RFC 4918 §9.6.1, §9.8.3).
//   - A COPY, MOVE or DELETE finishes even if its client disconnects.
//   - Every operation counts its members, and reports its progress in the header
//     Progress of its interim responses.
//
// # Interim responses
//
// The Handler sends interim responses for the four methods named above until the final
// response begins, but never to HTTP/1.0. [interim.Policy] says when, and which clients get them.
// Each one carries
//
//	Progress: 1200/10000 "photos/2024/img%2001.jpg" 8020/8591489 (bytes)
//
// (draft-wright-http-progress-02: members done and in all, the current member relative
// to the request URI, bytes done and in all; totals are left out until they are final).
// If the client sent Prefer: processing, it also carries
//
//	Status-URI: 507 <http://host/a/b>, 204 <http://host/a/c>
//
// (RFC 2518 §9.7: the members of the source that were finished since the last interim
// response, failures first). The first one then also has the Location of the
// operation's status document. The answer to a PROPFIND is held back until it is
// complete or too large to hold, and then streamed. From then on, newlines between its
// response elements keep the connection alive.
//
// # Operations
//
// Each operation has a status document ([operation.Name]) that only its principal can
// see: JSON ([operation.Status]), a page for browsers, or a stream of events. A GET of
// the document with Prefer: processing receives interim responses until the operation
// ends. A DELETE of the document stops the operation and rolls it back. The document is
// kept for a day in [Handler.State].
//
// A client can send a COPY, MOVE or DELETE with Prefer: respond-async (RFC 7240 §4.1).
// If the operation takes longer than 100 ms, or than n seconds with wait=n, the answer
// is a 202 (Accepted) with the Location of the status document, and the operation goes
// on.
//
// A client can safely repeat a request after giving up. If an identical request is
// under way, the repeated one joins it and gets its answer. If the answer to an identical
// request could not be delivered, the repeated one gets that answer, provided that it
// comes within two minutes and nothing has changed since.
package dav
