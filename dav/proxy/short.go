package proxy

import (
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/http/httputil"
	"net/url"
	"strings"
)

// hopByHop are the headers that are about one connection (RFC 9110 §7.6.1).
var hopByHop = [...]string{
	"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

// simple reports whether short may serve r: a GET, HEAD or PROPFIND whose body, if it has
// one, is in memory, and with nothing special about its connection.
func simple(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, "PROPFIND":
	default:
		return false
	}
	if r.ContentLength != 0 && r.GetBody == nil || r.Header["Te"] != nil || r.Header["Upgrade"] != nil {
		return false
	}
	connection := strings.ToLower(strings.Join(r.Header["Connection"], ","))
	return connection == "" || connection == "keep-alive" || connection == "close"
}

// short passes on a simple request. It does what httputil.ReverseProxy would, in about two
// thirds of the time, because it need not expect upgrades or bodies. ctx is the context of the
// upstream's request. Interim responses of the upstream are only for a sink.
func (h *Handler) short(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
	ctx = context.WithValue(ctx, clientRequestKey{}, r)
	if s, ok := w.(*sink); ok {
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{Got1xxResponse: s.inform})
	}
	out := (&http.Request{
		Method: r.Method, URL: new(url.URL), Header: r.Header.Clone(), Body: r.Body, GetBody: r.GetBody, ContentLength: r.ContentLength,
	}).WithContext(ctx)
	removeHopByHop(out.Header)
	if out.Header["User-Agent"] == nil {
		out.Header["User-Agent"] = []string{""} // otherwise net/http adds its own
	}
	h.rewrite(&httputil.ProxyRequest{In: r, Out: out})
	response, err := h.reverse.Transport.RoundTrip(out)
	if err != nil {
		return h.upstreamError(out, err)
	}
	defer response.Body.Close()
	if err := h.translateAnswer(response); err != nil {
		return err
	}
	removeHopByHop(response.Header)
	header := w.Header()
	for name, values := range response.Header {
		if header[name] != nil {
			values = append(header[name], values...)
		}
		header[name] = values
	}
	w.WriteHeader(response.StatusCode)
	if err := h.copyBody(w, response); err != nil {
		panic(http.ErrAbortHandler) // the client must see that the answer is not complete
	}
	return nil
}

func removeHopByHop(header http.Header) {
	for _, names := range header["Connection"] {
		for name := range strings.SplitSeq(names, ",") {
			header.Del(strings.TrimSpace(name))
		}
	}
	for _, name := range hopByHop {
		delete(header, name)
	}
}

// copyBody copies the content. If its length is unknown, each part goes out at once, because
// the next may come only after some time.
func (h *Handler) copyBody(w http.ResponseWriter, response *http.Response) error {
	buffer := h.reverse.BufferPool.Get()
	defer h.reverse.BufferPool.Put(buffer)
	if response.ContentLength >= 0 {
		_, err := io.CopyBuffer(onlyWriter{w}, response.Body, buffer)
		return err
	}
	control := http.NewResponseController(w)
	for {
		n, err := response.Body.Read(buffer)
		if n > 0 {
			if _, err := w.Write(buffer[:n]); err != nil {
				return err
			}
			_ = control.Flush() // the next Write fails too
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

type onlyWriter struct{ io.Writer }
