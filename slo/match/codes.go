package match

import (
	"math/bits"
	"strconv"
)

// Fact is something that several attributes of a span may say.
type Fact uint8

// The facts.
const (
	NoFact Fact = iota
	// HTTPCode is the status code of HTTP, as a number or as text.
	HTTPCode
	// RPCCode is the status code of an RPC: gRPC's as a number or by name, Connect's by name, that of JSON-RPC or Dubbo.
	RPCCode
	// ErrorType is the class of an error.
	ErrorType

	NumFacts
)

// Spelling is an attribute that says a fact.
type Spelling struct {
	Key  string
	Fact Fact
	// Own says that numbers are not those of gRPC.
	Own bool
}

// Spellings are all attributes that say a fact, the best of each fact first. The conventions are OpenTelemetry's semantic
// conventions up to 1.45: model/rpc/registry.yaml, model/rpc/deprecated/registry-deprecated.yaml, model/http/registry.yaml and
// model/http/deprecated/registry-deprecated.yaml.
var Spellings = [...]Spelling{
	{Key: "http.response.status_code", Fact: HTTPCode},        // since 1.20, stable
	{Key: "http.status_code", Fact: HTTPCode},                 // before 1.20, and Envoy's, as text
	{Key: "rpc.status_code", Fact: RPCCode},                   // from 1.44 on the name of the next
	{Key: "rpc.response.status_code", Fact: RPCCode},          // since 1.39: UNAVAILABLE, -32602
	{Key: "rpc.grpc.status_code", Fact: RPCCode},              // until 1.38: 14
	{Key: "rpc.connect_rpc.error_code", Fact: RPCCode},        // until 1.38: unavailable
	{Key: "rpc.jsonrpc.error_code", Fact: RPCCode, Own: true}, // until 1.38: -32602
	{Key: "grpc.status_code", Fact: RPCCode},                  // Envoy's, as text: 14
	{Key: "grpc.code", Fact: RPCCode},                         // go-grpc-middleware's: Unavailable
	{Key: "error.type", Fact: ErrorType},
}

// RPCKey is the name of the condition over RPC codes, and the newest name of the attribute.
const RPCKey = "rpc.status_code"

// HTTPKey is the name of the condition over HTTP codes.
const HTTPKey = "http.response.status_code"

// byLength has the index of the first spelling with a key of a length, plus one; sameLength leads on from each spelling.
var (
	byLength   [64]uint8
	sameLength [len(Spellings)]uint8
	lengths    uint64
)

func init() {
	for i := len(Spellings) - 1; i >= 0; i-- {
		n := len(Spellings[i].Key)
		sameLength[i] = byLength[n]
		byLength[n] = uint8(i + 1)
		lengths |= 1 << n
	}
}

// SpellingOf returns the index in Spellings of an attribute's key, -1 if it says no fact. It is called for every attribute of
// every span, so it first looks at the key's length.
func SpellingOf(key []byte) int {
	n := len(key)
	if n >= 64 || lengths&(1<<n) == 0 {
		return -1
	}
	for at := byLength[n]; at != 0; at = sameLength[at-1] {
		if Spellings[at-1].Key == string(key) {
			return int(at - 1)
		}
	}
	return -1
}

// rpcNames are the names of gRPC's status codes, by number. Connect has the same in lower case.
var rpcNames = [...][]byte{
	[]byte("OK"), []byte("CANCELLED"), []byte("UNKNOWN"), []byte("INVALID_ARGUMENT"), []byte("DEADLINE_EXCEEDED"), []byte("NOT_FOUND"),
	[]byte("ALREADY_EXISTS"), []byte("PERMISSION_DENIED"), []byte("RESOURCE_EXHAUSTED"), []byte("FAILED_PRECONDITION"), []byte("ABORTED"),
	[]byte("OUT_OF_RANGE"), []byte("UNIMPLEMENTED"), []byte("INTERNAL"), []byte("UNAVAILABLE"), []byte("DATA_LOSS"), []byte("UNAUTHENTICATED"),
}

// foldedNames are rpcNames without what spellings differ by, and foldedCanceled is the other spelling of one of them.
var (
	foldedNames    [len(rpcNames)]string
	foldedCanceled = "CANCELED"
)

func init() {
	var scratch [maxFolded]byte
	for i, name := range rpcNames {
		foldedNames[i] = string(fold(scratch[:0], name))
	}
}

// maxFolded is longer than any name.
const maxFolded = 24

// fold appends a text in upper case, without underscores, dashes and spaces. It returns nil if that is longer than a name.
func fold(dst, text []byte) []byte {
	for _, c := range text {
		switch {
		case c == '_' || c == '-' || c == ' ':
			continue
		case c >= 'a' && c <= 'z':
			c -= 'a' - 'A'
		}
		if len(dst) == maxFolded {
			return nil
		}
		dst = append(dst, c)
	}
	return dst
}

// RPCNumber returns the name of an RPC code that is a number: gRPC's name for 0 to 16, otherwise the number, written to scratch.
func RPCNumber(n int64, scratch []byte) []byte {
	if n >= 0 && n < int64(len(rpcNames)) {
		return rpcNames[n]
	}
	return strconv.AppendInt(scratch[:0], n, 10)
}

// RPCText returns the name of an RPC code that is a text: gRPC's name for any spelling of it, otherwise the text.
func RPCText(text []byte) []byte {
	if n, ok := number(text); ok && n < len(rpcNames) {
		return rpcNames[n]
	}
	var scratch [maxFolded]byte
	folded := fold(scratch[:0], text)
	if folded == nil {
		return text
	}
	for i, name := range foldedNames {
		if string(folded) == name {
			return rpcNames[i]
		}
	}
	if string(folded) == foldedCanceled {
		return rpcNames[1]
	}
	return text
}

// HTTPNumber returns an HTTP status code, 0 for a number that is none.
func HTTPNumber(n int64) int {
	if n < minHTTP || n > maxHTTP {
		return 0
	}
	return int(n)
}

// HTTPText returns the HTTP status code of a text, 0 if it is none.
func HTTPText(text []byte) int {
	n, _ := number(text)
	return HTTPNumber(int64(n))
}

// number reads a short decimal number.
func number(text []byte) (n int, ok bool) {
	if len(text) == 0 || len(text) > 4 {
		return 0, false
	}
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int(c-'0')
	}
	return n, true
}

// minHTTP and maxHTTP bound status codes of HTTP, with those beyond 599 that servers invented.
const minHTTP, maxHTTP = 100, 999

// Bitmap is a set of HTTP status codes. 0 stands for a span without one.
type Bitmap [(maxHTTP + 64) / 64]uint64

// Has reports whether a code of HTTPNumber is in the set.
func (b *Bitmap) Has(code int) bool { return b[uint(code)/64%uint(len(b))]&(1<<(uint(code)%64)) != 0 }

func (b *Bitmap) add(code int) { b[code/64] |= 1 << (code % 64) }

// len returns the number of codes.
func (b *Bitmap) count() (n int) {
	for _, word := range b {
		n += bits.OnesCount64(word)
	}
	return n
}
