// Restart kills itself with SIGKILL and comes back warm:
//
//	go run ./examples/restart
//
// It starts an HTTP origin and then itself, as a process with a cache on a bolt
// file. That process learns, is killed in mid-work, and is started again. What
// the program claims it has counted at the origin: it exits with 1 and says what
// was not true if a claim fails.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/freshet-go/freshet/examples/internal/show"
)

func main() {
	if len(os.Args) == 4 && os.Getenv(childEnv) != "" {
		os.Exit(child(os.Args[1], os.Args[2], os.Args[3], os.Stdin, os.Stdout, os.Stderr))
	}
	show.Main(run)
}

// patience bounds a whole run, which takes about three seconds.
const patience = time.Minute

const usage = `Usage: go run ./examples/restart [flags]

Starts an HTTP origin on the loopback interface and a process with a cache on a
bolt file, kills that process with SIGKILL while it works, and starts it again.
Exits with 1 if it does not come back warm.

Flags:
`

// run is the whole program but for the process that is killed.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("restart", flag.ContinueOnError)
	noColor := flags.Bool("no-color", false, "no colours, as with NO_COLOR in the environment")
	dir := flags.String("dir", "", "keep the bolt file in this `directory`, to look at it (default: a temporary one)")
	if code, goOn := show.Parse(flags, usage, args, nil, stdout, stderr); !goOn {
		return code
	}
	bounded, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("it is not done after %v: something hangs", patience))
	defer cancel()
	err := play(bounded, *dir, show.New(stdout, show.Options{NoColor: *noColor}))
	if err != nil && bounded.Err() != nil {
		err = errors.Join(context.Cause(bounded), err)
	}
	return show.Exit(ctx, "restart", err, stderr)
}
