package redis

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"time"

	"github.com/redis/rueidis"

	"github.com/freshet-go/freshet/api/store/internal/record"
)

// Errors that a caller can tell apart with errors.Is.
var (
	// ErrUnreachable says that no connection could be made.
	ErrUnreachable = errors.New("the server is not reachable")
	// ErrTooLarge says that a record exceeds Options.MaxRecord.
	ErrTooLarge = errors.New("the record is too large")
	// ErrMoved says that the key lives on a node of a cluster that this client does
	// not know.
	ErrMoved = errors.New("the key lives on another node of a cluster")
	// ErrNoMemory says that Redis is at its maxmemory and evicts nothing.
	ErrNoMemory = errors.New("the server is out of memory")
	// ErrWrongType says that something else writes under these keys.
	ErrWrongType = errors.New("the key holds another type: something else writes under this namespace")
	// ErrNoScripts says that the server does not run scripts for this user.
	ErrNoScripts = errors.New("the server does not run the script")
)

// Options of a Client. Everything but URL or Addrs may be zero; what is out of
// bounds Open refuses, all of it in one error.
type Options struct {
	// URL is redis://, rediss:// or unix://, as rueidis.ParseURL takes it:
	// redis://user:password@host:6379/0.
	URL string
	// Addrs are host:port of a server, or of nodes of a cluster; instead of URL.
	Addrs []string
	// Username and Password, beside Addrs.
	Username, Password string
	// TLS, beside Addrs. nil: none.
	TLS *tls.Config
	// Namespace begins every key: 1 to 128 of a-z, 0-9, '.', '_' and '-'. "": freshet.
	Namespace string
	// Timeout bounds a call whose context does not. 0: 1 s.
	Timeout time.Duration
	// DialTimeout bounds one attempt to connect. 0: 1 s.
	DialTimeout time.Duration
	// RetryEvery is how long calls fail at once after an attempt to connect failed. 0:
	// 500 ms.
	RetryEvery time.Duration
	// Tombstones is how long an erased key keeps older records out. It has to be
	// longer than a read that began before the erase can take to be written. 0: 10
	// minutes.
	Tombstones time.Duration
	// MaxRecord bounds a record, tags and validator included, in bytes. 0: 64
	// MiB. Redis itself takes no more than 512.
	MaxRecord int
	// NoTracking spares the connection on which a cache hears what other processes
	// erased or changed; also for a server or proxy that has no client tracking.
	NoTracking bool
	// OnCorrupt is told of records that are not readable. It is called from many
	// goroutines and must be quick.
	OnCorrupt func(cache, key string, err error)
	// Logger for what happens in the background. nil: slog.Default().
	Logger *slog.Logger
	// Now is the clock that records expire by. nil: time.Now.
	Now func() time.Time
	// Dial makes the connections. nil: TCP, or TLS where that is set.
	Dial func(network, addr string) (net.Conn, error)
}

const (
	maxLengths  = 64              // distinct lengths of erased prefixes
	purgeStep   = 500             // keys of one SCAN
	claimAfter  = time.Minute     // a purge that was not heard of for so long is anybody's
	newsLive    = time.Minute     // longer than a listener takes to look
	maxPurges   = 1024            // prefixes of this process that wait for their purge
	maxHeard    = 4096            // invalidations that wait for the listeners
	listenEvery = 2 * time.Second // how often the tracking connection is probed
)

// check names everything that is wrong. It shows no URL: that may have a password
// in it.
func (o *Options) check() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	switch {
	case o.URL != "" && len(o.Addrs) > 0:
		wrong("both URL and Addrs are set")
	case o.URL == "" && len(o.Addrs) == 0:
		wrong("neither URL nor Addrs is set")
	}
	if slices.Contains(o.Addrs, "") {
		wrong("one of Addrs is empty")
	}
	if o.URL != "" && (o.Username != "" || o.Password != "" || o.TLS != nil) {
		wrong("Username, Password and TLS go with Addrs; of a URL they are part")
	}
	if o.Namespace != "" && record.CheckName("redis", o.Namespace) != nil {
		wrong("Namespace %.140q is not 1 to 128 of a-z, 0-9, '.', '_' and '-'", o.Namespace)
	}
	for _, d := range []struct {
		name string
		d    time.Duration
	}{
		{"Timeout", o.Timeout}, {"DialTimeout", o.DialTimeout}, {"RetryEvery", o.RetryEvery}, {"Tombstones", o.Tombstones},
	} {
		if d.d < 0 {
			wrong("%s is negative: %v", d.name, d.d)
		}
	}
	if o.MaxRecord < 0 {
		wrong("MaxRecord is negative: %d", o.MaxRecord)
	}
	if len(errs) > 0 {
		return fmt.Errorf("freshet: redis: Options: %w", errors.Join(errs...))
	}
	return nil
}

// option checks o, fills in the defaults and says it in rueidis's words.
func (o *Options) option() (rueidis.ClientOption, error) {
	var c rueidis.ClientOption
	if err := o.check(); err != nil {
		return c, err
	}
	if o.URL != "" {
		parsed, err := rueidis.ParseURL(o.URL)
		if err != nil { // err may have the URL in it, and the URL a password
			return c, errors.New("freshet: redis: the URL is not one of redis://, rediss:// or unix:// as rueidis.ParseURL takes it")
		}
		c = parsed
	} else {
		c.InitAddress, c.Username, c.Password, c.TLSConfig = o.Addrs, o.Username, o.Password, o.TLS
	}
	o.Namespace = orDefault(o.Namespace, "freshet")
	o.Timeout = orDefault(o.Timeout, time.Second)
	o.DialTimeout = orDefault(o.DialTimeout, time.Second)
	o.RetryEvery = orDefault(o.RetryEvery, 500*time.Millisecond)
	o.Tombstones = orDefault(o.Tombstones, 10*time.Minute)
	o.MaxRecord = orDefault(o.MaxRecord, 64<<20)
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	c.Dialer.Timeout = o.DialTimeout
	c.ConnWriteTimeout = max(o.Timeout, 5*time.Second)
	c.ClientName = "freshet"
	if o.Dial != nil {
		dial := o.Dial
		c.DialFn = func(addr string, _ *net.Dialer, _ *tls.Config) (net.Conn, error) { return dial("tcp", addr) }
	}
	return c, nil
}

func orDefault[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}
