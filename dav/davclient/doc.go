// Package davclient is a WebDAV client that shows the progress of a long COPY,
// MOVE, DELETE or PROPFIND: it asks the server for interim responses and passes
// each one to the program.
//
// [Transport] is an http.RoundTripper for any net/http client. It sends the
// preference "processing" (draft-wright-http-progress) and calls a function for
// each interim response with the parsed [Progress].
//
// [WithFollow] follows a COPY, MOVE or DELETE to its end through any proxy: the
// server may answer early (Prefer: respond-async, RFC 7240), and the client then
// polls it for progress.
//
// [Client] is a small WebDAV client (RFC 4918) on top of Transport. It leaves the
// work on a tree to the server and never walks the tree itself. Its errors are
// [*Error], which names the members that failed (RFC 4918 §13).
//
// The package does not trust servers: it limits how much it reads of a header or
// of XML, and sends credentials only to the host they were given for.
package davclient
