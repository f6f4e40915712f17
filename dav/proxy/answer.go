package proxy

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/internal/status"
)

// rewritesContent reports whether answers to the method may name resources in XML.
func rewritesContent(method string) bool {
	return !interim.Quick(method) && method != http.MethodPut && method != http.MethodPost
}

// translateAnswer translates the addresses in an answer of the upstream.
func (h *Handler) translateAnswer(response *http.Response) error {
	r := clientRequest(response.Request)
	header := response.Header
	if h.Authenticated && response.StatusCode == http.StatusUnauthorized {
		return status.New(http.StatusBadGateway, "the upstream asks for a password, but the passwords of this proxy's users are not passed on")
	}
	if err := withoutConnectionAuth(header); err != nil {
		return err
	}
	header["Via"] = appended(header["Via"], viaSelf)
	for _, name := range [...]string{"Location", "Content-Location"} {
		for i, value := range header[name] {
			header[name][i] = h.hrefToClient(r, value)
		}
	}
	// The proxy asked for this preference itself (withoutOwnPreferences).
	if applied := header["Preference-Applied"]; slices.Contains(applied, "processing") {
		header["Preference-Applied"] = slices.DeleteFunc(applied, func(value string) bool { return value == "processing" })
	}
	for i, cookie := range header["Set-Cookie"] {
		header["Set-Cookie"][i] = h.cookieToClient(r.Context(), cookie)
	}
	if rewritesContent(response.Request.Method) && isXML(header.Get("Content-Type")) {
		return h.translateContent(r, response)
	}
	return nil
}

// cookieToClient returns a Set-Cookie without Domain, which is the upstream's, and with the
// clients' Path (RFC 6265 §4.1.2). A cookie with the prefix __Host- must keep the path "/".
func (h *Handler) cookieToClient(ctx context.Context, cookie string) string {
	prefix := h.prefixOf(ctx)
	parts := strings.Split(cookie, ";")
	kept := parts[:1]
	keepsPath := h.base == prefix || strings.HasPrefix(strings.TrimSpace(cookie), "__Host-")
	for _, part := range parts[1:] {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name = strings.ToLower(name); {
		case name == "domain":
			continue
		case name == "path" && !keepsPath:
			if path, ok := h.toClient(ctx, value); ok {
				part = " Path=" + path
			} else if strings.HasPrefix(h.base+"/", value) {
				part = " Path=" + prefix + "/" // it is for a collection that contains Upstream
			}
		}
		kept = append(kept, part)
	}
	return strings.Join(kept, ";")
}

func isXML(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && (media == "application/xml" || media == "text/xml" || strings.HasSuffix(media, "+xml"))
}

// peekBytes is how much of an answer shows whether its hrefs need a translation. All hrefs
// of a server have the same form.
const peekBytes = 16 << 10

// translateContent translates the hrefs in the XML of an answer, if they need it: if the
// paths differ, or the hrefs are URLs with the upstream's host.
func (h *Handler) translateContent(r *http.Request, response *http.Response) error {
	if coding := response.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return nil // the proxy has not asked for it
	}
	body := response.Body
	if h.base == h.prefixOf(r.Context()) {
		head, err := untilHref(body)
		if err != nil {
			return err
		}
		response.Body = &joinedBody{io.MultiReader(bytes.NewReader(head), body), body}
		if !bytes.Contains(bytes.ToLower(head), []byte("://"+strings.ToLower(hostname(h.Upstream)))) {
			return nil
		}
	}
	response.Body = &joinedBody{newHrefReader(response.Body, func(href string) string { return h.hrefToClient(r, href) }), body}
	response.ContentLength = -1
	response.Header.Del("Content-Length")
	return nil
}

// untilHref reads until the end of the first href, but at most peekBytes. It reads no
// further than it must, because more may come only after some time.
func untilHref(body io.Reader) ([]byte, error) {
	head := make([]byte, 0, peekBytes)
	for len(head) < cap(head) {
		n, err := body.Read(head[len(head):cap(head)])
		head = head[:len(head)+n]
		if _, after, found := bytes.Cut(head, []byte("href>")); errors.Is(err, io.EOF) || found && bytes.Contains(after, []byte("</")) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	return head, nil
}

func hostname(u *url.URL) string { return strings.Trim(u.Hostname(), "[]") }

// joinedBody is a Reader with the Closer of another.
type joinedBody struct {
	io.Reader
	io.Closer
}
