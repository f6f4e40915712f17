package main

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestMultistatus(t *testing.T) {
	tests := []struct {
		name, body string
		members    int
		wrong      string
	}{
		{"a default namespace", `<multistatus xmlns="DAV:"><response><href>/</href></response></multistatus>`, 1, ""},
		{"a prefix", `<D:multistatus xmlns:D="DAV:"><D:response xmlns:a="b"><D:href>/</D:href></D:response><D:response></D:response></D:multistatus>`, 2, ""},
		{"a long prefix", `<namespace-of-dav:multistatus><namespace-of-dav:response></namespace-of-dav:response></namespace-of-dav:multistatus>`, 1, ""},
		{"other elements", `<D:multistatus><D:response><a:noresponse></a:noresponse><D:responsedescription></D:responsedescription></D:response></D:multistatus>`, 1, ""},
		{"one is missing", `<D:multistatus><D:response></D:response></D:multistatus>`, 2, "1 of 2 members"},
		{"one too many", `<D:multistatus><D:response></D:response></D:multistatus>`, 0, "1 of 0 members"},
		{"cut off", `<D:multistatus><D:response></D:response>`, 1, "cut off"},
		{"empty", "", 0, "cut off"},
		{"cut off after the start tag", `<D:multistatus>`, 0, "cut off"},
		{"with a newline at the end", "<multistatus></multistatus>\n", 0, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			// With a buffer that is only a little larger than longestTag, reads end
			// at all places in the body.
			for size := longestTag + 1; size < longestTag+80; size++ {
				for name, body := range map[string]io.Reader{
					"whole": strings.NewReader(test.body), "bytes": iotest.OneByteReader(strings.NewReader(test.body)),
					"with the end": iotest.DataErrReader(strings.NewReader(test.body)),
				} {
					n, err := multistatus(test.members)(&client{buf: make([]byte, size)}, body)
					wrong := ""
					if w, ok := errors.AsType[*wrongError](err); ok {
						wrong = w.what
					}
					if wrong != test.wrong || n != int64(len(test.body)) {
						t.Fatalf("%s, buffer of %d: got %d bytes, %v; want %d, %q", name, size, n, err, len(test.body), test.wrong)
					}
				}
			}
		})
	}
}
