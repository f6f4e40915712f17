// Package interim sends 102 (Processing) while a server works on a long request, so that
// neither the client nor a proxy gives up. Wrap any handler:
//
//	http.Handle("/", &interim.Handler{Next: &webdav.Handler{
//		FileSystem: interim.Count(fs), LockSystem: webdav.NewMemLS(),
//	}})
//
// # What a 102 is
//
// RFC 2518 §10.1 defines it: the server has accepted the complete request, and has not yet
// completed it. A server should send one when a request takes longer than 20 seconds. It
// may carry the header Status-URI (RFC 2518 §9.7) with the status of members that are
// done. This package adds the header Progress (draft-wright-http-progress-02). RFC 4918
// removed the definition, but the status is registered, and a client must accept any
// informational response before the final one (RFC 9110 §15.2).
//
// # What clients and proxies do with it
//
// Many wait longer: davfs2 and other programs with neon before 0.33, libsoup, Apache
// HttpClient, httpx, aiohttp, Node and Ruby restart their read time-out at each, and so do
// HAProxy, Apache httpd, lighttpd and nghttpx. Others ignore it. But some fail. Python's
// http.client and requests, LWP, OkHttp before 5 and wget2 take it for the final response,
// and most of them then take each answer on the connection for that of the next request.
// Go before 1.24 fails at the sixth, Java at the ninth, neon at the 128th. nginx with
// HTTP/1.1 to the server never answers, Apache httpd answers 502 at the tenth, and Varnish
// 503 at the first. So a [Policy] has a table of all that ([Policy.KnownClients]) and, by
// default, only sends 102s to clients that ask for them (Prefer: processing) or are known to
// survive them, and only if no proxy shows.
//
// # How it works
//
// A [Response] holds the final response back, because an interim response must not come
// after it. An [Emitter] is the only code that writes interim responses. It takes the
// progress from a [Monitor]. [Handler] puts all three together. A server that carries out
// operations of its own uses [Response.Start] or [Hold].
//
// HTTP/2 connections can also be kept open with PING frames, whatever the client: set
// [http.HTTP2Config.SendPingTimeout] of the http.Server.
package interim
