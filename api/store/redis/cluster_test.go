package redis_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/store/redis"
)

const slots = 16384

// cluster is three servers that share the slots, in order.
type cluster struct {
	nodes []*server
	buses []string
	ids   []string
	named int
}

func startCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{}
	const size = 3
	for i := range size {
		bus := freePort(t)
		n := startServer(t, "--cluster-enabled", "yes", "--cluster-port", bus, "--cluster-node-timeout", "5000")
		n.must("CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(slots*i/size), strconv.Itoa(slots*(i+1)/size-1))
		c.nodes, c.buses, c.ids = append(c.nodes, n), append(c.buses, bus), append(c.ids, n.must("CLUSTER", "MYID"))
	}
	for i, n := range c.nodes {
		n.must("CONFIG", "SET", "cluster-announce-ip", "127.0.0.1")
		n.must("CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(i+1))
		if i > 0 {
			n.must("CLUSTER", "MEET", "127.0.0.1", c.nodes[0].port, c.buses[0])
		}
	}
	for _, n := range c.nodes {
		require.Eventually(t, func() bool { return n.must("CLUSTER", "INFO") == "cluster_state:ok" }, 30*time.Second, 5*time.Millisecond)
	}
	return c
}

// of is the node where the cache of that name lives, as the slots were shared at
// first.
func (c *cluster) of(name string) int {
	slot, err := strconv.Atoi(strings.TrimPrefix(c.nodes[0].must("CLUSTER", "KEYSLOT", "freshet:{"+name+"}:l"), ":"))
	if err != nil {
		panic(err)
	}
	return slot * len(c.nodes) / slots
}

// names are those of caches that live on each of the nodes, not used before.
func (c *cluster) names() []string {
	names := make([]string, len(c.nodes))
	for slices.Contains(names, "") {
		c.named++
		name := fmt.Sprint("cache-", c.named)
		names[c.of(name)] = name
	}
	return names
}

// move moves the slot of a cache, whose keys in Redis are given, to another node.
func (c *cluster) move(name string, to int, keys ...string) {
	from := c.of(name)
	slot := strings.TrimPrefix(c.nodes[0].must("CLUSTER", "KEYSLOT", "freshet:{"+name+"}:l"), ":")
	c.nodes[to].must("CLUSTER", "SETSLOT", slot, "IMPORTING", c.ids[from])
	c.nodes[from].must("CLUSTER", "SETSLOT", slot, "MIGRATING", c.ids[to])
	args := []string{"MIGRATE", "127.0.0.1", c.nodes[to].port, "", "0", "5000", "KEYS"}
	for _, key := range keys {
		args = append(args, "freshet:{"+name+"}:"+key)
	}
	c.nodes[from].must(args...)
	for _, n := range []int{to, from} {
		c.nodes[n].must("CLUSTER", "SETSLOT", slot, "NODE", c.ids[to])
	}
}

func TestCluster(t *testing.T) {
	nodes := startCluster(t)
	for _, test := range []struct {
		name string
		run  func(*testing.T, *cluster)
	}{
		{"Contract", contractOnACluster}, {"D5_APrefixIsErasedAndPurgedOnEveryNode", prefixesOnACluster},
		{"ASlotThatMovesIsFollowed", movesOnACluster}, {"Invalidations", invalidationsOnACluster},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, nodes) })
	}
}

// All keys of a cache have to be in one slot, those that scripts make up
// included, wherever that slot is.
func contractOnACluster(t *testing.T, nodes *cluster) {
	for i, name := range nodes.names() {
		t.Run(fmt.Sprint("node ", i), func(t *testing.T) {
			contract(t, func(t *testing.T) (*redis.Client, *redis.Store) {
				for _, n := range nodes.nodes {
					n.must("FLUSHALL")
				}
				c, err := redis.Open(redis.Options{Addrs: []string{nodes.nodes[0].addr()}, Timeout: 10 * time.Second, Logger: quiet})
				require.NoError(t, err)
				s, err := c.Store(name)
				require.NoError(t, err)
				return c, s
			})
		})
	}
}

func onCluster(t *testing.T, c *cluster, name string) *redis.Store {
	t.Helper()
	client, err := redis.Open(redis.Options{Addrs: []string{c.nodes[0].addr()}, Timeout: 5 * time.Second, Logger: quiet})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	s, err := client.Store(name)
	require.NoError(t, err)
	return s
}

func prefixesOnACluster(t *testing.T, nodes *cluster) {
	for i, name := range nodes.names() {
		s, key := onCluster(t, nodes, name), func(n int) string { return fmt.Sprint("p:", n) }
		nodes.nodes[i].must("FLUSHALL")
		for n := range 700 {
			require.NoError(t, s.Set(t.Context(), key(n), rec(1, "v")))
		}
		require.NoError(t, s.DeletePrefix(t.Context(), "p:", at(5)))
		for n := range 700 {
			require.NoError(t, s.Set(t.Context(), key(n), rec(4, "a late write")))
			_, err := s.Get(t.Context(), key(n))
			require.ErrorIs(t, err, freshet.ErrNotFound)
		}
		require.Eventually(t, func() bool { return nodes.nodes[i].must("DBSIZE") == ":2" }, 10*time.Second, 5*time.Millisecond,
			"the tombstone and the lengths")
	}
}

func movesOnACluster(t *testing.T, nodes *cluster) {
	for i, name := range nodes.names() {
		s := onCluster(t, nodes, name)
		require.NoError(t, s.Set(t.Context(), "k", rec(1, "v")))
		require.NoError(t, s.Delete(t.Context(), "gone", at(5)))
		nodes.move(name, (i+1)%len(nodes.nodes), "r:k", "t:gone")
		r, err := s.Get(t.Context(), "k")
		require.NoError(t, err, "MOVED is followed")
		require.Equal(t, "v", string(r.Value))
		require.NoError(t, s.Set(t.Context(), "gone", rec(4, "a late write")))
		_, err = s.Get(t.Context(), "gone")
		require.ErrorIs(t, err, freshet.ErrNotFound, "its tombstone moved too")
		require.NoError(t, s.DeletePrefix(t.Context(), "k", at(5)))
		_, err = s.Get(t.Context(), "k")
		require.ErrorIs(t, err, freshet.ErrNotFound)
	}
}

// What is heard comes from the node where the cache lives, also after it moved.
func invalidationsOnACluster(t *testing.T, nodes *cluster) {
	for i, name := range nodes.names() {
		here, there := onCluster(t, nodes, name), onCluster(t, nodes, name)
		told := make(chan redis.Invalidation, 1000)
		defer here.OnInvalidate(func(i redis.Invalidation) { told <- i })()
		require.True(t, next(t, told).Lost)
		require.NoError(t, there.Delete(t.Context(), "k", at(1)))
		require.Equal(t, redis.Invalidation{Keys: []string{"k"}}, next(t, told))
		nodes.move(name, (i+1)%len(nodes.nodes), "t:k")
		require.NoError(t, there.Delete(t.Context(), "moved", at(2)))
		for i := next(t, told); !slices.Contains(i.Keys, "moved"); i = next(t, told) {
			require.NotEmpty(t, i.Keys)
		}
	}
}
