// Package slowburn holds the configuration that the gateway runs with when it is given none, and the schema of those that it can
// be given.
package slowburn

import (
	_ "embed"

	"github.com/klauspost/compress/zstd"
)

// DefaultConfig is config.yaml: the pipelines and extensions of a gateway started without --config.
//
//go:embed config.yaml
var DefaultConfig string

// schema is docs/reference/config.schema.json, compressed: it is nine times as long.
//
//go:embed docs/reference/config.schema.json.zst
var schema []byte

// ConfigSchema returns the JSON Schema (draft 7) of a configuration.
func ConfigSchema() ([]byte, error) {
	r, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return r.DecodeAll(schema, nil)
}
