// Package failpoint names the steps that persist something, and lets a test kill the process at any of them.
//
// Its type is Point, a step; points.go lists all of them. Code calls Before and After around the step. In a normal build both do
// nothing and are compiled away. With the build tag failpoint the variable SLOWBURN_FAILPOINT arms one point:
//
//	SLOWBURN_FAILPOINT=spanlog.append:after:100
//
// kills the process by SIGKILL when the step has been done for the hundredth time: no deferred function runs, no buffer is written,
// and files are left as they are. A value that is no such thing ends the process at its start.
//
// A point may be passed by many goroutines at a time; the hits of all of them are counted together.
//
// pingcap/failpoint and etcd's gofail do more, and both rewrite the sources before a build: what is tested would not be what is read,
// and every build would need the step. Neither kills the process. Two empty functions and a build tag do with the toolchain alone.
package failpoint
