//go:build deploy

package check

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// inNamespace is set in the process that runs the tests: to "yes" where it has the namespaces, or to why it has none.
const inNamespace = "DEPLOY_CHECK_IN_NAMESPACE"

// TestMain starts the tests again in a network with nothing but loopback and with processes and mounts of their own, at the root of the
// repository. When the tests end, in whatever way, their processes, mounts and files end with them.
func TestMain(m *testing.M) {
	switch os.Getenv(inNamespace) {
	case "":
		os.Exit(again())
	case "yes":
		if err := prepare(); err != nil {
			fmt.Fprintln(os.Stderr, "deploy/check:", err)
			os.Exit(1)
		}
	}
	if err := os.Chdir("../.."); err != nil {
		fmt.Fprintln(os.Stderr, "deploy/check:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func again() int {
	runtime.LockOSThread() // Pdeathsig is about the thread
	scratch, err := filepath.Abs("../../bin/check")
	if err == nil {
		err = errors.Join(os.RemoveAll(scratch), os.MkdirAll(scratch, 0o755)) // what a run left that was killed
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "deploy/check:", err)
		return 1
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	stopped := make(chan os.Signal, 1)
	signal.Notify(stopped, os.Interrupt, unix.SIGTERM)
	err = tests(scratch, "yes", unix.CLONE_NEWNET|unix.CLONE_NEWNS|unix.CLONE_NEWPID, stopped)
	if errors.Is(err, unix.EPERM) {
		err = tests(scratch, "namespaces cannot be made here, which needs root with CAP_SYS_ADMIN", 0, stopped)
	}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.Exited():
		return exit.ExitCode()
	case err != nil:
		fmt.Fprintln(os.Stderr, "deploy/check:", err)
		return 1
	}
	return 0
}

// tests runs the tests in a process of their own, with its temporary files below scratch.
func tests(scratch, namespaces string, flags uintptr, stopped <-chan os.Signal) error {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), inNamespace+"="+namespaces, "TMPDIR="+scratch)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flags, Pdeathsig: unix.SIGKILL}
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan struct{})
	defer close(done)
	go func() {
		select {
		case <-stopped:
			_ = cmd.Process.Kill()
		case <-done:
		}
	}()
	return cmd.Wait()
}

// prepare sets loopback up, keeps mounts to this process, and shows it its own processes.
func prepare() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("keep mounts private: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(socket)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, lo); err != nil {
		return fmt.Errorf("set loopback up: %w", err)
	}
	return nil
}

// needNamespaces skips a test that runs a gateway or mounts where there are no namespaces for it.
func needNamespaces(t *testing.T) {
	t.Helper()
	if reason := os.Getenv(inNamespace); reason != "yes" {
		skip(t, reason)
	}
}

// skip leaves a test out and says why, or fails it where DEPLOY_STRICT is set: there all of it must run.
func skip(t *testing.T, reason string) {
	t.Helper()
	noteSkip(t, reason)
	t.SkipNow()
}

// noted are the tests that have said so.
var noted sync.Map

// noteSkip says that some of a test is left out, in the list too that `make deploy-check` prints at its end.
func noteSkip(t *testing.T, reason string) {
	t.Helper()
	if os.Getenv("DEPLOY_STRICT") != "" {
		t.Fatal("DEPLOY_STRICT is set, and " + reason)
	}
	if _, said := noted.LoadOrStore(t.Name(), true); said {
		return
	}
	t.Log("SKIP: " + reason)
	list, err := os.OpenFile("bin/deploy-skipped", os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer list.Close()
	if _, err := fmt.Fprintf(list, "SKIP %s: %s\n", t.Name(), strings.Join(strings.Fields(reason), " ")); err != nil {
		t.Fatal(err)
	}
}
