package web

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// problem is a problem document (RFC 9457): what went wrong, and in Detail a sentence that says what to do.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

// failure writes an error in the form that the clients of a path expect.
type failure func(w http.ResponseWriter, status int, format string, args ...any)

var (
	_ failure = writeProblem
	_ failure = writeJaegerError
)

func writeProblem(w http.ResponseWriter, status int, format string, args ...any) {
	body := problem{"about:blank", http.StatusText(status), status, fmt.Sprintf(format, args...)}
	writeError(w, "application/problem+json", status, body)
}

// writeError writes a body of numbers and strings, which always encodes.
func writeError(w http.ResponseWriter, contentType string, status int, body any) {
	h := w.Header()
	for _, ofTheAnswer := range []string{"Content-Length", "Content-Encoding", "ETag", "Last-Modified"} {
		h.Del(ofTheAnswer)
	}
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // fails only where the client has gone: there is nobody left to tell
}

// writeJSON writes an answer. It is encoded whole before the first byte leaves, so one that cannot be is an error and
// not half an answer.
func writeJSON(w http.ResponseWriter, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		writeProblem(w, http.StatusInternalServerError, "The answer could not be written as JSON: %v. Please report this.", err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body) // fails only where the client has gone
}
