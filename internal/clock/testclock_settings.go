//go:build testclock

package clock

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// settings are a clock's differences from the machine's.
type settings struct {
	offset time.Duration // of the wall clock
	rate   float64       // of both clocks; positive
	since  time.Time     // the machine's time when the clock began to run at rate; zero is the start of the process
}

// readFile returns the file's settings and its content, which it also returns with an error.
func readFile(path string) (settings, []byte, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return settings{}, nil, fmt.Errorf("%s: %w", variable, err)
	}
	set, err := parse(content)
	if err != nil {
		return settings{}, content, fmt.Errorf("%s: %s: %w", variable, path, err)
	}
	return set, content, nil
}

func parse(content []byte) (settings, error) {
	set := settings{rate: 1}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(content, &keys); err != nil {
		return set, fmt.Errorf(`not a JSON object: %w; write {"offset": "25h", "rate": 60}`, err)
	}
	for key, value := range keys {
		switch key {
		case "offset":
			var text string
			err := json.Unmarshal(value, &text)
			if err == nil {
				set.offset, err = time.ParseDuration(text)
			}
			if err != nil {
				return set, fmt.Errorf(`offset: %s is not a duration; write "25h"`, value)
			}
		case "since":
			if err := json.Unmarshal(value, &set.since); err != nil {
				return set, fmt.Errorf(`since: %s is not a time; write "2026-01-02T15:04:05Z"`, value)
			}
		case "rate":
			if err := json.Unmarshal(value, &set.rate); err != nil || set.rate <= 0 {
				return set, fmt.Errorf("rate: %s is not a positive number; write 60", value)
			}
		default:
			return set, fmt.Errorf("%s: not one of offset, rate, since", key)
		}
	}
	return set, nil
}
