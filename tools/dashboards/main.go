// Command dashboards writes the Grafana dashboards of deploy/monitoring/dashboards:
//
//	go run . ../../deploy/monitoring/dashboards
//
// A dashboard is a table of rows and panels (gateway.go, sampling.go, objectives.go); board.go makes Grafana's JSON of it. Panels read the
// metrics as the gateway's own endpoint names them, or those of objectives, from whichever Prometheus data source the reader picks.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// boards are all dashboards.
var boards = []board{gateway, sampling, objectives}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: dashboards <directory>")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "dashboards:", err)
		os.Exit(1)
	}
}

func write(dir string) error {
	for _, b := range boards {
		text, err := b.render()
		if err != nil {
			return fmt.Errorf("%s: %w", b.file, err)
		}
		if err := os.WriteFile(filepath.Join(dir, b.file), text, 0o644); err != nil { //nolint:gosec // anybody may read it
			return err
		}
	}
	return nil
}

// render returns the dashboard's JSON.
func (b board) render() ([]byte, error) {
	built, err := b.build()
	if err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(built, "", "  ")
	return append(text, '\n'), err
}
