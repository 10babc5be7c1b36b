package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/freshet-go/freshet/examples/internal/show"
)

// life is a process with a cache on the bolt file.
type life struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	out    *json.Decoder
	errors bytes.Buffer
}

// begin starts this very program as the process with the cache.
func begin(ctx context.Context, what, url, path string) (*life, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	l := &life{cmd: exec.CommandContext(ctx, self, what, url, path)}
	l.cmd.Env = append(os.Environ(), childEnv+"=1")
	l.cmd.Stderr = &l.errors
	if l.stdin, err = l.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := l.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	l.out = json.NewDecoder(out)
	return l, l.cmd.Start()
}

// says waits for its report.
func (l *life) says() (r report, err error) {
	if err := l.out.Decode(&r); err != nil {
		_ = l.stdin.Close()
		return r, errors.Join(fmt.Errorf("it said nothing: %w", err), l.cmd.Wait(), errors.New(strings.TrimSpace(l.errors.String())))
	}
	return r, nil
}

// kill is kill -9. It returns how the process ended.
func (l *life) kill() (how string, err error) {
	if err := l.cmd.Process.Kill(); err != nil {
		return "", err
	}
	err = l.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return "", err
	}
	return l.cmd.ProcessState.String(), nil
}

// seen is all that was measured.
type seen struct {
	started, killed, back time.Time
	how                   string
	first, second         report
	learned, returned     map[string]counts // at the origin
	worked                int               // reloads answered until the kill
	edited                []string          // while the process was dead
	now                   map[string]int    // editions at the origin at the end
}

const (
	workFor = 300 * time.Millisecond
	editOf  = 10 // every tenth brief record is edited while the process is dead
)

// play is the show.
func play(ctx context.Context, dir string, scr *show.Screen) (err error) {
	begun := time.Now()
	if dir == "" {
		if dir, err = os.MkdirTemp("", "freshet-restart-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	path := filepath.Join(dir, "lights.db")
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	o, err := openOrigin()
	if err != nil {
		return err
	}
	defer o.close()
	scr.Text("freshet restart: %d records served at %s", allRecords, o.url())
	scr.Text("   %3d steady, max-age=3600", howMany[steady])
	scr.Text("   %3d brief, max-age=1", howMany[brief])
	scr.Text("   %3d busy, max-age=1, edited all the time", howMany[busy])

	s := &seen{}
	if err := s.firstLife(ctx, o, path, scr); err != nil {
		return fmt.Errorf("the first life: %w", err)
	}
	if err := s.meanwhile(ctx, o, scr); err != nil {
		return err
	}
	if err := s.secondLife(ctx, o, path, scr); err != nil {
		return fmt.Errorf("the second life: %w", err)
	}
	return scr.Conclude(s.claims(), begun)
}

func (s *seen) firstLife(ctx context.Context, o *origin, path string, scr *show.Screen) error {
	s.started = time.Now()
	l, err := begin(ctx, learnAndWork, o.url(), path)
	if err != nil {
		return err
	}
	if s.first, err = l.says(); err != nil {
		return err
	}
	s.learned = o.count()
	scr.Title("1  It learns (process %d)", l.cmd.Process.Pid)
	scr.Text("   an empty file; every record read once in %s and on disk", show.Millis(s.first.Took))
	answers(scr, s.learned)

	if _, err := l.stdin.Write([]byte{'\n'}); err != nil {
		return errors.Join(err, l.cmd.Wait())
	}
	begun := time.Now()
	for time.Since(begun) < workFor || o.answered(busy) < 100 {
		o.edit(keysOf(busy)...)
		if err := pause(ctx, time.Millisecond); err != nil {
			return errors.Join(err, l.stdin.Close(), l.cmd.Wait())
		}
	}
	s.how, err = l.kill()
	s.killed = time.Now()
	s.worked = o.count()[busy].requests
	scr.Title("2  kill -9")
	scr.Text("   it was reloading the busy records, %d answers in %s: %s", s.worked, show.Millis(s.killed.Sub(begun)), s.how)
	return err
}

// meanwhile the process is dead, what it knew grows stale, and some is edited.
func (s *seen) meanwhile(ctx context.Context, o *origin, scr *show.Screen) error {
	for i, key := range keysOf(brief) {
		if i%editOf == 0 {
			s.edited = append(s.edited, key)
		}
	}
	o.edit(s.edited...)
	scr.Text("   dead for %s: the brief records go stale, and %d of them are edited", show.Millis(briefAge+100*time.Millisecond), len(s.edited))
	return pause(ctx, briefAge+100*time.Millisecond)
}

func (s *seen) secondLife(ctx context.Context, o *origin, path string, scr *show.Screen) error {
	o.count()
	s.back = time.Now()
	l, err := begin(ctx, comeBack, o.url(), path)
	if err != nil {
		return err
	}
	if s.second, err = l.says(); err != nil {
		return err
	}
	s.returned, s.now = o.count(), map[string]int{}
	for _, look := range s.second.Looks {
		s.now[look.Key] = o.edition(look.Key)
	}
	if err := errors.Join(l.cmd.Wait(), l.stdin.Close()); err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(l.errors.String()))
	}
	scr.Title("3  It comes back (process %d)", l.cmd.Process.Pid)
	scr.Text("   the file opened in %s; every record read once in %s", show.Millis(s.second.Opened), show.Millis(s.second.Took))
	answers(scr, s.returned)
	return nil
}

// pause waits for d.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// answers prints what the origin counted.
func answers(scr *show.Screen, by map[string]counts) {
	scr.Text("   %-8s %9s %6s %6s %8s", "origin:", "requests", "200", "304", "bytes")
	for _, kind := range []string{steady, brief, busy} {
		c := by[kind]
		scr.Text("   %-8s %9d %6d %6d %8d", kind, c.requests, c.full, c.unchanged, c.bytes)
	}
}
