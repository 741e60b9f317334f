package access

import (
	"fmt"
	"os"
)

// others are the bits of a mode that allow everybody to read, write or enter.
const others = 0o007

// OpenToAll returns a warning about a directory that everybody may read, write or enter; it is empty for any other. The mode stays as it
// was set: Kubernetes gives a volume to a pod by the mode of the group (fsGroup).
func OpenToAll(directory string) string {
	info, err := os.Stat(directory)
	if err != nil || info.Mode().Perm()&others == 0 {
		return ""
	}
	return fmt.Sprintf("%s has mode %#o, so that every user of this machine can read it: run `chmod o= %s` to prevent that",
		directory, info.Mode().Perm(), directory)
}
