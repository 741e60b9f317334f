package otlp

import (
	"context"
	"errors"
	"mime"

	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/slowburn/slowburn/internal/wire/protobuf"
	"github.com/slowburn/slowburn/processor/otlp/internal/intake"
)

// door handles the requests of one signal and protocol. Its errors are for statusOf.
type door interface {
	Export(ctx context.Context, enc *encoding, q *intake.Request) (response, error)
}

// response is the answer of a door: an ExportResponse of pdata.
type response interface {
	MarshalProto() ([]byte, error)
	MarshalJSON() ([]byte, error)
}

// encoding is one of OTLP's two encodings.
type encoding struct {
	name, contentType string
	marshal           func(response) ([]byte, error)
	marshalStatus     func(*spb.Status) ([]byte, error)
	// tooDeep reports whether pdata, which recurses without a limit, could exhaust the stack on the body.
	tooDeep func(body []byte) bool
}

// errTooDeep is the error of a body that is tooDeep.
var errTooDeep = errors.New("nested deeper than 10000 messages")

var (
	protobufEncoding = &encoding{
		name: "protobuf", contentType: "application/x-protobuf",
		marshal:       response.MarshalProto,
		marshalStatus: func(s *spb.Status) ([]byte, error) { return proto.Marshal(s) },
		tooDeep:       protobuf.TooDeep,
	}
	jsonEncoding = &encoding{
		name: "json", contentType: "application/json",
		marshal:       response.MarshalJSON,
		marshalStatus: func(s *spb.Status) ([]byte, error) { return protojson.Marshal(s) },
		tooDeep:       tooDeepJSON,
	}
)

// tooDeepJSON reports whether brackets outside of strings nest too deep.
func tooDeepJSON(body []byte) bool {
	const most = 10_000
	depth, inText := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case inText && c == '\\':
			i++
		case c == '"':
			inText = !inText
		case inText:
		case c == '{' || c == '[':
			if depth++; depth > most {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

// encodingOf returns the encoding that a Content-Type names, or nil.
func encodingOf(contentType string) *encoding {
	mediaType, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return nil
	}
	for _, enc := range []*encoding{protobufEncoding, jsonEncoding} {
		if enc.contentType == mediaType {
			return enc
		}
	}
	return nil
}
