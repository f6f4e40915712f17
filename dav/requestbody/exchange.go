package requestbody

import "net/http"

// Handler serves with Next, whose requests have a [Body] that must arrive at Pace.
type Handler struct {
	Next http.Handler
	Pace Pace
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w, r, end := Of(w, r, h.Pace)
	defer end()
	h.Next.ServeHTTP(w, r)
}

// exchange is a request with a body, and what belongs to it, in one allocation.
type exchange struct {
	request http.Request
	body    Body
	writer  writer
}

// Of returns a request with the [Body] of r, and a ResponseWriter that sends an answer
// first. The caller must use both in place of w and r, and call end when the answer
// has been written. Where r has no body, or has a Body already, they are w and r.
func Of(w http.ResponseWriter, r *http.Request, pace Pace) (_ http.ResponseWriter, _ *http.Request, end func()) {
	if r.ContentLength == 0 || r.Body == nil || r.Body == http.NoBody || From(r) != nil {
		return w, r, func() {}
	}
	server, _ := r.Context().Value(http.ServerContextKey).(*http.Server)
	if server == nil || server.ReadTimeout > 0 {
		pace = Pace{} // the server has its own limit, or can't set any
	}
	x := &exchange{request: *r, body: Body{
		ReadCloser: r.Body, w: w, pace: pace, left: pace.Within, length: r.ContentLength,
		http1: server != nil && r.ProtoMajor == 1, waiting: r.Header.Get("Expect") != "",
	}}
	x.writer = writer{ResponseWriter: w, body: &x.body}
	x.request.Body = &x.body
	return &x.writer, &x.request, x.end
}

// From returns the Body of r, nil if it has none.
func From(r *http.Request) *Body {
	body, _ := r.Body.(*Body)
	return body
}

func (x *exchange) end() {
	x.body.release()
	if !x.writer.wrote {
		x.body.AnswerFirst() // net/http writes a header of its own
	}
	x.body.linger()
}

// writer sends the header of an answer without waiting for the rest of the body.
type writer struct {
	http.ResponseWriter

	body  *Body
	wrote bool
}

// Unwrap is for http.ResponseController.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (w *writer) WriteHeader(status int) {
	if status >= http.StatusOK && !w.wrote {
		w.wrote = true
		w.body.AnswerFirst()
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements io.Writer.
func (w *writer) Write(p []byte) (int, error) {
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(p)
}

// FlushError sends the header, if it has not been sent.
func (w *writer) FlushError() error {
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Flush implements http.Flusher.
func (w *writer) Flush() { _ = w.FlushError() }
