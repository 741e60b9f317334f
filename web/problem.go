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

func writeProblem(w http.ResponseWriter, status int, format string, args ...any) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// The client has gone if this fails: there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(problem{"about:blank", http.StatusText(status), status, fmt.Sprintf(format, args...)})
}

func writeJSON(w http.ResponseWriter, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		writeProblem(w, http.StatusInternalServerError, "The answer could not be written as JSON: %v.", err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(body)
}
