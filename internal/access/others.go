package access

import (
	"fmt"
	"os"
)

// others are the bits of a mode that let everybody read, write or enter.
const others = 0o007

// OpenToAll returns a sentence about a directory that everybody may read, write or enter, empty where that is not so. Its mode is left to
// whoever set it: that of a group is how Kubernetes gives a volume to a pod (fsGroup).
func OpenToAll(directory string) string {
	info, err := os.Stat(directory)
	if err != nil || info.Mode().Perm()&others == 0 {
		return ""
	}
	return fmt.Sprintf("%s has mode %#o, so that every user of this machine may look into it: `chmod o= %s` if that is not meant",
		directory, info.Mode().Perm(), directory)
}
