// Package control lets an operator send commands to a running davd. It uses HTTP over a
// Unix socket beside the state of that davd. Only the user who runs davd can use the socket.
// A command is a POST of JSON to the command's name, and the answer is JSON.
package control

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"path/filepath"
)

// Path returns the path of the control socket of the davd whose database is stateFile. The
// name of the socket is short because its path may only have about 100 bytes.
func Path(stateFile string) string {
	hash := sha256.Sum256([]byte(filepath.Base(stateFile)))
	return filepath.Join(filepath.Dir(stateFile), "control-"+hex.EncodeToString(hash[:8]))
}

// Commands is the set of commands that a davd accepts. The zero value is empty.
type Commands struct{ mux http.ServeMux }

// maxRequest limits the arguments of a command, in bytes.
const maxRequest = 1 << 20

// Add adds the command name. do executes it, and its error is shown to the operator.
func Add[In, Out any](c *Commands, name string, do func(context.Context, In) (Out, error)) {
	c.mux.HandleFunc("POST /"+name, func(w http.ResponseWriter, r *http.Request) {
		var in In
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest)).Decode(&in); err != nil {
			answer(w, http.StatusBadRequest, failure{"can't read the arguments: " + err.Error()})
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

// failure is the answer to a failed command.
type failure struct {
	Error string `json:"error"`
}

func answer(w http.ResponseWriter, status int, content any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(content) // an error means that the operator's command has ended
}
