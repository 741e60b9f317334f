// Package api holds the description of the HTTP API.
package api

import _ "embed"

// OpenAPI is openapi.yaml, an OpenAPI 3.1 document.
//
//go:embed openapi.yaml
var OpenAPI []byte
