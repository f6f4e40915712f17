package requestbody

import "net/http"

// Handler serves with Next, whose requests have a [Body] that must arrive at Pace.
type Handler struct {
	Next http.Handler
	Pace Pace
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w, r, x := Of(w, r, h.Pace)
	defer x.End()
	h.Next.ServeHTTP(w, r)
}

// Exchange is a request with a [Body], and what belongs to it, in one allocation.
type Exchange struct {
	request http.Request
	body    Body
	writer  writer
}

// Of returns a request with the [Body] of r, and a ResponseWriter that sends an answer
// first. The caller must use both in place of w and r, and call End when the answer
// has been written. Where r has no body, or has a Body already, they are w and r, and
// the Exchange is nil.
func Of(w http.ResponseWriter, r *http.Request, pace Pace) (http.ResponseWriter, *http.Request, *Exchange) {
	if r.ContentLength == 0 || r.Body == nil || r.Body == http.NoBody || From(r) != nil {
		return w, r, nil
	}
	server, _ := r.Context().Value(http.ServerContextKey).(*http.Server)
	if server == nil || server.ReadTimeout > 0 {
		pace = Pace{} // the server has its own limit, or can't set any
	}
	x := &Exchange{request: *r, body: Body{
		ReadCloser: r.Body, w: w, pace: pace, left: pace.Within, length: r.ContentLength,
		http1: server != nil && r.ProtoMajor == 1, waiting: r.Header.Get("Expect") != "",
	}}
	x.writer = writer{ResponseWriter: w, body: &x.body}
	x.request.Body = &x.body
	return &x.writer, &x.request, x
}

// From returns the Body of r, nil if it has none.
func From(r *http.Request) *Body {
	body, _ := r.Body.(*Body)
	return body
}

// End ends the exchange. A nil Exchange needs none.
func (x *Exchange) End() {
	if x == nil {
		return
	}
	for _, release := range x.body.released {
		release()
	}
	if !x.writer.wrote {
		x.body.AnswerFirst() // net/http writes a header of its own
	}
	x.body.linger(x.writer.wrote)
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
