package rest

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/slowburn/slowburn/internal/brief"
	"github.com/slowburn/slowburn/web/api"
)

// Failure writes an error in the format that the clients of a path expect.
type Failure func(w http.ResponseWriter, status int, format string, args ...any)

var _ Failure = WriteProblem

// WriteProblem writes a problem document. Its detail is cut: it repeats what the client sent.
func WriteProblem(w http.ResponseWriter, status int, format string, args ...any) {
	body := api.Problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: brief.Text(fmt.Sprintf(format, args...), brief.Answer),
	}
	WriteError(w, "application/problem+json", status, body)
}

// WriteError writes a body of numbers and strings, which always encodes.
func WriteError(w http.ResponseWriter, contentType string, status int, body any) {
	h := w.Header()
	for _, ofTheAnswer := range []string{"Content-Length", "Content-Encoding", "ETag", "Last-Modified"} {
		h.Del(ofTheAnswer)
	}
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // fails only if the client is gone
}

// WriteJSON writes an answer. It encodes the whole answer before it writes, so that a failure to encode is an error and not
// half an answer.
func WriteJSON(w http.ResponseWriter, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		WriteProblem(w, http.StatusInternalServerError, "The answer could not be written as JSON: %v. Please report this.", err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body) // fails only if the client is gone
}
