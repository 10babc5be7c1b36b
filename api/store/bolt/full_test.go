package bolt_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/store/bolt"
)

func TestAFileThatCannotBeWritten(t *testing.T) {
	path, opts := filled(t)
	for _, errno := range []error{syscall.EROFS, syscall.EACCES} {
		_, err := bolt.Open(path, bolt.OpenWith(opts, func(name string, flag int, mode os.FileMode) (*os.File, error) {
			return nil, &fs.PathError{Op: "open", Path: name, Err: errno}
		}))
		require.ErrorIs(t, err, errno)
		require.ErrorContains(t, err, "the file cannot be written by this process")
	}
	if os.Geteuid() == 0 {
		t.Log("root may write every file: the rest is for other users")
		return
	}
	require.NoError(t, os.Chmod(path, 0o400))
	_, err := bolt.Open(path, opts)
	require.ErrorContains(t, err, "the file cannot be written by this process")
}

// TestAFullDisk: in a process whose files may not grow beyond 1 MiB, writes fail
// with a clear error, what is there stays readable, and room gives writes again.
func TestAFullDisk(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	child := exec.CommandContext(t.Context(), self)
	child.Env = append(os.Environ(), "FRESHET_BOLT_CHILD=full|"+filepath.Join(t.TempDir(), "db"))
	out, err := child.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "there is no room to write")
	require.Contains(t, string(out), "all is well")
}

func runFull(path string) {
	signal.Ignore(syscall.SIGXFSZ)
	must := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	limit := syscall.Rlimit{}
	must(syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit))
	old := limit.Cur
	limit.Cur = 1 << 20
	must(syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit))
	ctx := context.Background()
	db, err := bolt.Open(path, bolt.Options{})
	must(err)
	s, err := db.Store("users")
	must(err)
	value := bytes.Repeat([]byte("x"), 10_000)
	held := 0
	for ; ; held++ {
		if err = s.Set(ctx, fmt.Sprint(held), freshet.Record{Value: value, ReadAt: at(1)}); err != nil {
			break
		}
	}
	fmt.Println(held, err)
	check := func() {
		for i := range held {
			r, err := s.Get(ctx, fmt.Sprint(i))
			must(err)
			if !bytes.Equal(r.Value, value) {
				panic(i)
			}
		}
	}
	check()
	limit.Cur = old
	must(syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit))
	must(s.Set(ctx, fmt.Sprint(held), freshet.Record{Value: value, ReadAt: at(1)}))
	held++
	must(db.Close())
	db, err = bolt.Open(path, bolt.Options{})
	must(err)
	s, err = db.Store("users")
	must(err)
	check()
	must(db.Close())
	fmt.Println("all is well")
}
