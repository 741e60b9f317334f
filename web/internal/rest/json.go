package rest

import (
	"encoding/json"
	"net/http"

	jsoniter "github.com/json-iterator/go"
)

// pageBuffer is how many bytes are written at once.
const pageBuffer = 32 << 10

// JSON streams a JSON document, so that no part of it is in memory twice. Values are written in the order of the calls; Key writes
// the key of the next value of an object. It is for one goroutine.
type JSON struct {
	stream *jsoniter.Stream
	w      http.ResponseWriter // nil where all stays in the stream's buffer
	begun  bool                // the header is written
	more   bool                // the object or array has a value, so that a comma precedes the next
	err    error
}

// Close writes the rest, and returns the error that ended writing, if any. Nothing is written after an error.
func (j *JSON) Close() error {
	j.flush()
	return j.err
}

// Err returns the error that ended writing.
func (j *JSON) Err() error { return j.err }

func (j *JSON) flush() {
	if !j.begun {
		j.begun = true
		j.w.Header().Set("Content-Type", "application/json")
	}
	if j.err == nil {
		_, j.err = j.w.Write(j.stream.Buffer())
	}
	j.stream.SetBuffer(j.stream.Buffer()[:0])
}

// value begins a value.
func (j *JSON) value() {
	if j.stream.Buffered() >= pageBuffer && j.w != nil {
		j.flush()
	}
	if j.more {
		j.stream.WriteMore()
	}
	j.more = true
}

// Object writes an object; content writes its keys and values.
func (j *JSON) Object(content func()) {
	j.value()
	j.stream.WriteObjectStart()
	j.more = false
	content()
	j.stream.WriteObjectEnd()
	j.more = true
}

// Array writes an array; content writes its values.
func (j *JSON) Array(content func()) {
	j.value()
	j.stream.WriteArrayStart()
	j.more = false
	content()
	j.stream.WriteArrayEnd()
	j.more = true
}

// Key writes the key of the next value. It must need no escapes.
func (j *JSON) Key(key string) {
	j.value()
	j.stream.WriteObjectField(key)
	j.more = false
}

// Plain writes a short string of the gateway's own, uncut.
func (j *JSON) Plain(text string) {
	j.value()
	j.stream.WriteStringWithHTMLEscaped(text)
}

// Int writes a number.
func (j *JSON) Int(n int64) {
	j.value()
	j.stream.WriteInt64(n)
}

// Bool writes true or false.
func (j *JSON) Bool(b bool) {
	j.value()
	j.stream.WriteBool(b)
}

// Null writes null.
func (j *JSON) Null() {
	j.value()
	j.stream.WriteNil()
}

// Digits writes a number as a string, which readers with doubles keep exact.
func (j *JSON) Digits(n uint64) {
	j.value()
	j.stream.WriteRaw(`"`)
	j.stream.WriteUint64(n)
	j.stream.WriteRaw(`"`)
}

// Strings writes short texts that the gateway made.
func (j *JSON) Strings(texts []string) {
	j.Array(func() {
		for _, text := range texts {
			j.Plain(text)
		}
	})
}

// Any writes a small value by encoding/json, which must be able to encode it.
func (j *JSON) Any(v any) {
	j.value()
	encoded, err := json.Marshal(v)
	if err != nil {
		encoded = []byte("null")
		j.err = err
	}
	_, _ = j.stream.Write(encoded) // into the buffer
}
