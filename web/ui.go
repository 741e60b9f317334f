package web

import (
	"embed"
	"io/fs"
)

// dist is what `make ui` builds from web/ui. Without Node it holds nothing but a marker, and a page says so.
//
//go:embed all:ui/dist
var dist embed.FS

func built() (fs.FS, error) { return fs.Sub(dist, "ui/dist") }
