package storetest

import "time"

// D5: the later of two records by ReadAt wins.
var orderTests = []test{
	{"D5_TheLaterWins", func(p *probe) {
		p.set("key", p.read(20, "later"))
		p.set("key", p.read(10, "late, but older"))
		p.wantValue("key", "later")
		p.set("key", p.read(30, "latest"))
		p.wantValue("key", "latest")
	}},
	{"D5_ANanosecondDecides", func(p *probe) {
		r := p.read(0, "b")
		r.ReadAt = r.ReadAt.Add(999_999_998)
		p.set("key", r)
		r.Value, r.ReadAt = []byte("a"), r.ReadAt.Add(-1)
		p.set("key", r)
		p.wantValue("key", "b")
		r.Value, r.ReadAt = []byte("c"), r.ReadAt.Add(2)
		p.set("key", r)
		p.wantValue("key", "c")
		r.Value, r.ReadAt = []byte("d"), r.ReadAt.Add(1) // into the next second
		p.set("key", r)
		p.wantValue("key", "d")
	}},
	{"D5_AnEqualOneReplaces", func(p *probe) {
		p.set("key", p.read(10, "first"))
		p.set("key", p.read(10, "second"))
		p.wantValue("key", "second")
	}},
	{"D5_OldAndFarTimes", func(p *probe) {
		for i, year := range []int{1, 1601, 1969, 1970, 1999, 2262, 2263, 9998} {
			r := p.read(0, string(rune('a'+i)))
			r.ReadAt = time.Date(year, 2, 3, 4, 5, 6, 7, time.UTC)
			p.set("key", r)
			p.wantRecord("key", r)
		}
		p.set("key", p.read(0, "of today"))
		p.wantValue("key", "h")
	}},
}

// D5: a deletion keeps older records out.
var tombstoneTests = []test{
	{"D5_DeleteErases", func(p *probe) {
		p.set("key", p.read(10, "v"))
		p.set("other", p.read(10, "other"))
		p.erase("key", 10)
		p.wantNone("key")
		p.wantValue("other", "other")
	}},
	{"D5_DeleteKeepsOlderRecordsOut", func(p *probe) {
		p.set("key", p.read(10, "v"))
		p.erase("key", 20)
		for _, n := range []int{10, 19, 20} {
			p.set("key", p.read(n, "a late write"))
			p.wantNone("key")
		}
		p.set("key", p.read(21, "read after the erase"))
		p.wantValue("key", "read after the erase")
		p.set("key", p.read(15, "a late write"))
		p.wantValue("key", "read after the erase")
	}},
	{"D5_DeleteOfAnAbsentKey", func(p *probe) {
		p.erase("key", 20)
		p.set("key", p.read(20, "a late write"))
		p.wantNone("key")
	}},
	{"D5_DeleteLeavesTheLaterRecord", func(p *probe) {
		p.set("key", p.read(30, "later"))
		p.erase("key", 20)
		p.wantValue("key", "later")
	}},
	{"D5_AnOlderDeleteDoesNotLowerTheTombstone", func(p *probe) {
		p.erase("key", 20)
		p.erase("key", 10)
		p.set("key", p.read(15, "a late write"))
		p.wantNone("key")
	}},
}

// D5: the tombstone that a later record came through is still there when that
// record expires.
var outlivingTests = []test{
	{"D5_ATombstoneOutlivesTheLaterRecord", func(p *probe) {
		p.erase("key", 20)
		r := p.read(30, "later, but short")
		r.ExpiresAt = p.now().Add(50 * time.Millisecond)
		p.set("key", r)
		p.wantUntil(r.ExpiresAt, "key", "later, but short")
		p.pass(r.ExpiresAt.Sub(p.now()))
		p.wantNone("key")
		p.set("key", p.read(10, "a late write"))
		p.wantNone("key")
		p.set("late", r)
		p.erase("late", 20) // the record is later, and the tombstone stays beside it
		p.pass(r.ExpiresAt.Sub(p.now()))
		p.set("late", p.read(10, "a late write"))
		p.wantNone("late")
	}},
}

// D5: DeletePrefix is Delete of every key that starts with it, there or not.
var prefixTests = []test{
	{"D5_DeletePrefixErases", func(p *probe) {
		for _, key := range []string{"a", "a:", "a:1", "a:2", "a;1", "b:1", "A:1"} {
			p.set(key, p.read(10, key))
		}
		p.erasePrefix("a:", 10)
		for _, key := range []string{"a:", "a:1", "a:2"} {
			p.wantNone(key)
		}
		for _, key := range []string{"a", "a;1", "b:1", "A:1"} {
			p.wantValue(key, key)
		}
	}},
	{"D5_DeletePrefixKeepsOutKeysNotPresent", func(p *probe) {
		p.erasePrefix("a:", 20)
		p.set("a:never seen", p.read(20, "a late write"))
		p.wantNone("a:never seen")
		p.set("a:never seen", p.read(21, "read after the erase"))
		p.wantValue("a:never seen", "read after the erase")
		p.set("b", p.read(10, "b"))
		p.wantValue("b", "b")
	}},
	{"D5_DeletePrefixLeavesLaterRecords", func(p *probe) {
		p.set("a:1", p.read(30, "later"))
		p.erasePrefix("a:", 20)
		p.wantValue("a:1", "later")
	}},
	{"D5_TheEmptyPrefixIsEverything", func(p *probe) {
		p.set("a", p.read(10, "a"))
		p.set("b", p.read(30, "b"))
		p.erasePrefix("", 20)
		p.wantNone("a")
		p.wantValue("b", "b")
		p.set("c", p.read(20, "a late write"))
		p.wantNone("c")
	}},
	{"D5_PrefixesWithinPrefixes", func(p *probe) {
		p.erasePrefix("a:b:", 30)
		p.erasePrefix("a:", 20)
		p.erasePrefix("a:b:", 10) // older: lowers nothing
		for key, n := range map[string]int{"a:b:1": 30, "a:1": 20, "a:b": 20} {
			p.set(key, p.read(n, "a late write"))
			p.wantNone(key)
			p.set(key, p.read(n+1, key))
			p.wantValue(key, key)
		}
		p.erase("a:1", 40)
		p.erasePrefix("a:", 30) // older: does not take the place of the key's own
		p.set("a:1", p.read(35, "a late write"))
		p.wantNone("a:1")
	}},
	{"D5_PrefixesAreNoPatterns", func(p *probe) {
		odd := []string{"a*", "a?", "a[b]", `a\`, "{a}", "}a", "a%", "^a", "é"}
		for i, prefix := range odd {
			for _, key := range []string{prefix + "1", "ab1", "abc", "b"} {
				p.set(key, p.read(10*i, key))
			}
			p.erasePrefix(prefix, 10*i+5)
			p.wantNone(prefix + "1")
			p.wantValue("ab1", "ab1")
			p.wantValue("abc", "abc")
			p.wantValue("b", "b")
		}
	}},
	{"D5_ManyPrefixes", func(p *probe) {
		keys := make([]string, 50)
		for i := range keys {
			keys[i] = string(rune('a'+i%26)) + string(make26(i)) + ":1"
			p.set(keys[i], p.read(10, "v"))
			p.erasePrefix(keys[i][:len(keys[i])-1], 20)
		}
		for _, key := range keys {
			p.set(key, p.read(15, "a late write"))
			p.wantNone(key)
			p.set(key, p.read(30, "later"))
			p.wantValue(key, "later")
		}
	}},
}

// make26 is i as that many letters, so that prefixes have many lengths.
func make26(i int) []byte {
	b := make([]byte, i)
	for j := range b {
		b[j] = byte('a' + (i+j)%26)
	}
	return b
}
