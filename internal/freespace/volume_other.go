//go:build !unix

package freespace

import "errors"

func volume(string) (Space, error) { return Space{}, errors.New("not known on this system") }
