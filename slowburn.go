// Package slowburn holds the configuration that the gateway runs with when it is given none.
package slowburn

import _ "embed"

// DefaultConfig is config.yaml: the pipelines and extensions of a gateway started without --config.
//
//go:embed config.yaml
var DefaultConfig string
