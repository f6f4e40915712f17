// Package interim sends 102 (Processing, RFC 2518 §10.1) while a long request is under way,
// so that neither the client nor a proxy gives up.
//
// A [Response] holds the final response back, because an interim response must not come
// after it. [Response.Start] starts an [Emitter], which is the only code that writes
// interim responses. It takes the progress from a [Monitor], and follows a [Policy], which
// knows how clients and proxies handle interim responses.
package interim
