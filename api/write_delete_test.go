package api_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

func TestW5_DeleteHidesTheValueAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, o := &clerk{}, counting()
		c := serveWrites(t, o, w, config{Freshness: freshet.Freshness{Missing: time.Minute}})
		mustGet(t, c, "k", "v1")
		events := watch(t, c)
		r := erase(c, "k")
		_, err := c.Get(bg, "k")
		require.ErrorIs(t, err, freshet.ErrNotFound)
		s := peeks(t, c, "k", "", 1)
		require.Equal(t, freshet.Missing, s.State)
		require.ErrorIs(t, s.Err, freshet.ErrNotFound)
		_, err = c.GetMany(bg, []string{"k"})
		require.ErrorIs(t, err, freshet.ErrNotFound)
		_, err = c.Fetch(bg, "k").Await(bg)
		require.ErrorIs(t, err, freshet.ErrNotFound)
		w.asks(t, 1, "delete", "k", "").store("")
		gives(t, r, "")
		_, err = c.Get(bg, "k")
		require.ErrorIs(t, err, freshet.ErrNotFound)
		require.Equal(t, 1, o.calls(), "the absence is remembered (F4)")
		events.tells(t, "Optimistic v1>-", "Deleted ->-")
		time.Sleep(time.Minute)
		mustGet(t, c, "k", "v2")
	})
}

func TestW5_ARefusedDeleteRestoresTheValue(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, o := &clerk{}, counting()
		c := serveWrites(t, o, w, config{})
		mustGet(t, c, "k", "v1")
		events := watch(t, c)
		r := erase(c, "k")
		w.order(t, 1).refuse(errOrigin)
		refused(t, r, errOrigin, false)
		mustGet(t, c, "k", "v1")
		require.Equal(t, 1, o.calls())
		events.tells(t, "Optimistic v1>-", "RolledBack ->v1")
	})
}

func TestW5_DeleteOfAnAbsentKey(t *testing.T) {
	for name, k := range map[string]struct {
		err error
		has string
	}{
		"the origin does not mind": {nil, "Deleted ->-"},
		"the origin says so":       {freshet.ErrNotFound, "RolledBack ->-"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := &clerk{auto: func(int, *order) (string, string, error) { return "", "", k.err }}
				o := counting()
				c := serveWrites(t, o, w, config{Freshness: freshet.Freshness{Missing: time.Hour}})
				events := watch(t, c)
				err := c.Delete(bg, "k")
				require.ErrorIs(t, err, k.err)
				var failed *freshet.WriteError
				require.Equal(t, k.err != nil, errors.As(err, &failed) && !failed.Unknown)
				_, err = c.Get(bg, "k")
				require.ErrorIs(t, err, freshet.ErrNotFound)
				require.Zero(t, o.calls(), "nothing is read for it, and the absence is known now")
				events.tells(t, "Optimistic ->-", k.has)
			})
		})
	}
}

func TestW5_WritesDuringADelete(t *testing.T) {
	t.Run("update", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := &clerk{}
			c := serveWrites(t, counting(), w, config{})
			mustGet(t, c, "k", "v1")
			events := watch(t, c)
			d, u := erase(c, "k"), update(c, "k", "again")
			mustGet(t, c, "k", "again")
			w.order(t, 1).store("")
			gives(t, d, "")
			mustGet(t, c, "k", "again")
			w.asks(t, 2, "update", "k", "again").store("again")
			gives(t, u, "again")
			events.tells(t, "Optimistic v1>-", "Optimistic ->again", "Deleted again>again", "Committed again>again")
		})
	})
	t.Run("mutate", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := &clerk{}
			c := serveWrites(t, counting(), w, config{})
			mustGet(t, c, "k", "v1")
			d := erase(c, "k")
			refused(t, mutate(c, "k", appends("+a")), freshet.ErrNotFound, false)
			w.order(t, 1).refuse(errOrigin)
			refused(t, d, errOrigin, false)
			gives(t, get(c, "k"), "v1")
		})
	})
	t.Run("delete of what an update made, refused", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := &clerk{}
			c := serveWrites(t, counting(), w, config{})
			mustGet(t, c, "k", "v1")
			u, d, m := update(c, "k", "U"), erase(c, "k"), update(c, "k", "M")
			w.order(t, 1).store("U")
			gives(t, u, "U")
			w.order(t, 2).refuse(errOrigin)
			refused(t, d, errOrigin, false)
			mustGet(t, c, "k", "M")
			w.order(t, 3).refuse(errOrigin)
			refused(t, m, errOrigin, false)
			mustGet(t, c, "k", "U")
		})
	})
	t.Run("the read is dropped", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w, o := &clerk{}, &origin{deaf: true}
			c := serveWrites(t, o, w, config{Freshness: freshet.Freshness{Missing: time.Hour}})
			require.NoError(t, c.Set(bg, "k", "v"))
			r := c.Reload(bg, "k")
			require.Equal(t, 1, o.calls())
			d := erase(c, "k")
			o.call(t, 1).value("v") // from before the delete
			w.order(t, 1).store("")
			gives(t, d, "")
			_, err := c.Get(bg, "k")
			require.ErrorIs(t, err, freshet.ErrNotFound)
			o.call(t, 2).fail(freshet.ErrNotFound)
			synctest.Wait()
			_, err = r.Result()
			require.ErrorIs(t, err, freshet.ErrNotFound)
		})
	})
}
