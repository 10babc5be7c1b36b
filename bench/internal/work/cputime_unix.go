//go:build unix

package work

import (
	"syscall"
	"time"
)

// cpuTime is the processor time that the process has used. Where other
// processes want the processors too, it is the steadier of the two times.
func cpuTime() (time.Duration, bool) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, false
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), true
}
