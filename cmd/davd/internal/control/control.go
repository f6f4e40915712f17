// Package control is how an operator's command reaches a davd that is running: HTTP
// over a Unix socket beside its state, which belongs to the user who runs davd. A
// command is a POST of JSON to its name, and the answer is JSON.
package control

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"path/filepath"
)

// Path returns the path of the socket of the davd that has its state in a file. Its
// name is short, because a socket's path may have about 100 bytes.
func Path(stateFile string) string {
	hash := sha256.Sum256([]byte(filepath.Base(stateFile)))
	return filepath.Join(filepath.Dir(stateFile), "control-"+hex.EncodeToString(hash[:8]))
}

// Commands are the commands that a davd knows. The zero value has none.
type Commands struct{ mux http.ServeMux }

// maxRequest bounds the arguments of a command, in bytes.
const maxRequest = 1 << 20

// Add adds a command. An error that do returns is shown to the operator.
func Add[In, Out any](c *Commands, name string, do func(context.Context, In) (Out, error)) {
	c.mux.HandleFunc("POST /"+name, func(w http.ResponseWriter, r *http.Request) {
		var in In
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest)).Decode(&in); err != nil {
			answer(w, http.StatusBadRequest, failure{"the arguments can't be read: " + err.Error()})
			return
		}
		out, err := do(r.Context(), in)
		if err != nil {
			answer(w, http.StatusConflict, failure{err.Error()})
			return
		}
		answer(w, http.StatusOK, out)
	})
}

// failure is the answer to a command that has failed.
type failure struct {
	Error string `json:"error"`
}

func answer(w http.ResponseWriter, status int, content any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(content) // the operator has gone, or not
}
