package dav

import (
	"encoding/json"
	"net/http"
)

// problemBase begins the types of problems (RFC 9457) that the draft about resumable uploads defines.
const problemBase = "https://iana.org/assignments/http-problem-types#"

// problem is an error that a program can understand (RFC 9457).
type problem struct {
	status int
	Type   string `json:"type"`
	Title  string `json:"title"`
	// Expected and Provided are offsets.
	Expected *int64 `json:"expected-offset,omitempty"`
	Provided *int64 `json:"provided-offset,omitempty"`
}

func (p *problem) Error() string { return p.Title }

// HTTPStatus returns the status of the answer.
func (p *problem) HTTPStatus() int { return p.status }

func offsetProblem(expected, provided int64) *problem {
	return &problem{
		status: http.StatusConflict, Type: problemBase + "mismatching-upload-offset",
		Title: "the header Upload-Offset is not the offset of the upload", Expected: &expected, Provided: &provided,
	}
}

func lengthProblem(title string) *problem {
	return &problem{status: http.StatusBadRequest, Type: problemBase + "inconsistent-upload-length", Title: title}
}

func completedProblem() *problem {
	return &problem{status: http.StatusBadRequest, Type: problemBase + "completed-upload", Title: "the upload is complete already"}
}

// respond writes p as the response.
func (p *problem) respond(w http.ResponseWriter) {
	body, err := json.Marshal(p)
	if err != nil {
		body = []byte("{}") // can't happen: it consists of texts and numbers
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(p.status)
	_, _ = w.Write(append(body, '\n')) // if that fails, the client has disconnected
}
