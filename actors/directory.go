package actors

import (
	"fmt"
	"strings"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/extensions"
)

// directory finds the caches of all runtimes of one actor system. It is that
// system's one resolver for them: protoactor forgets no resolver, and asks each
// for every address, so runtimes that come and go must not each leave one.
type directory struct {
	mu       sync.Mutex
	runtimes map[string]*Runtime // by prefix
	made     int                 // ever: no runtime inherits the addresses of another
}

var (
	directoryID = extensions.NextExtensionID()
	directories sync.Mutex // held while one is looked for, and made
)

// ExtensionID makes it an extension of its actor system.
func (*directory) ExtensionID() extensions.ExtensionID { return directoryID }

// directoryOf is the directory of system, made and registered there if need be.
func directoryOf(system *actor.ActorSystem) *directory {
	directories.Lock()
	defer directories.Unlock()
	if d, ok := system.Extensions.Get(directoryID).(*directory); ok {
		return d
	}
	d := &directory{runtimes: make(map[string]*Runtime)}
	system.Extensions.Register(d)
	system.ProcessRegistry.RegisterAddressResolver(d.resolve)
	return d
}

// addressPrefix marks the addresses of caches.
const addressPrefix = "freshet"

// enter makes rt known, under a prefix of its own: others may have caches of the
// same names.
func (d *directory) enter(rt *Runtime) (prefix string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	prefix = addressPrefix + "."
	if d.made > 0 {
		prefix = fmt.Sprint(addressPrefix, d.made, ".")
	}
	d.made++
	d.runtimes[prefix] = rt
	return prefix
}

func (d *directory) leave(rt *Runtime) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.runtimes, rt.prefix)
}

// resolve finds the router of the cache that a PID names. Never a cell: a PID
// remembers what it resolved to for ever, and a cell is evicted some day.
func (d *directory) resolve(pid *actor.PID) (actor.Process, bool) {
	prefix, name, _ := strings.Cut(pid.Address, ".")
	d.mu.Lock()
	rt := d.runtimes[prefix+"."]
	d.mu.Unlock()
	if rt == nil {
		return nil, false
	}
	rt.mu.Lock()
	defer rt.mu.Unlock()
	cache, ok := rt.caches[name]
	return cache, ok
}
