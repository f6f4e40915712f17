// Package davclient is the other end of interim responses: it asks a server for
// them, and hands a program each one while a COPY, MOVE, DELETE or PROPFIND is
// under way.
//
// [Transport] is a http.RoundTripper for any client of net/http. It sends the
// preference "processing" (draft-wright-http-progress) and calls a function for
// each interim response, with its [Progress] read.
//
// [WithFollow] has a COPY, MOVE or DELETE followed to its end through any proxy: the
// server may answer before (Prefer: respond-async, RFC 7240), and is then asked for
// how far it is.
//
// [Client] is a small WebDAV client (RFC 4918) on top of it. What it is told to
// do, it asks the server to do; it never walks a tree itself. Its errors are
// [*Error], which names the members that failed (RFC 4918 §13).
//
// Servers are not trusted: what is read of a header or of XML is bounded, and
// credentials go to the host that they were given for and to no other.
package davclient
