// Package failpoint names the steps that persist something, and lets a test kill the process at any of them.
//
// Its type is Point, a step; points.go lists all of them. Code calls Before and After around the step. In a normal build both do
// nothing and are compiled away. With the build tag failpoint the variable SLOWBURN_FAILPOINT arms one point:
//
//	SLOWBURN_FAILPOINT=spanlog.append:after:100
//
// kills the process by SIGKILL after the hundredth execution of the step: no deferred function runs, no buffer is written,
// and files stay as they are. A malformed value ends the process at its start.
//
// Many goroutines may pass a point at a time; their hits are counted together.
//
// pingcap/failpoint and etcd's gofail do more, but both rewrite the sources before a build: the tested code would differ from the
// source, and every build would need the step. Neither kills the process. Two empty functions and a build tag need only the toolchain.
package failpoint
