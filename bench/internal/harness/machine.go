package harness

import (
	"bufio"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// Machine is where and with what a report was made.
type Machine struct {
	When     time.Time         `json:"when"`
	CPU      string            `json:"cpu"`
	Cores    int               `json:"cores"`
	Procs    int               `json:"gomaxprocs"`
	Memory   string            `json:"memory"`
	System   string            `json:"system"`
	Go       string            `json:"go"`
	Versions map[string]string `json:"versions"` // by module
}

// ThisMachine asks the system.
func ThisMachine() Machine {
	m := Machine{
		When: time.Now().UTC().Truncate(time.Second), CPU: procField("/proc/cpuinfo", "model name"), Cores: runtime.NumCPU(),
		Procs: runtime.GOMAXPROCS(0), Memory: procField("/proc/meminfo", "MemTotal"),
		System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(), Versions: map[string]string{},
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			version := d.Version
			if d.Replace != nil {
				version = "this checkout"
			}
			m.Versions[d.Path] = version
		}
	}
	return m
}

// procField is the value of the first line of a file of /proc with that name,
// "unknown" where there is none.
func procField(file, name string) string {
	f, err := os.Open(file)
	if err != nil {
		return "unknown"
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}
