package actors

// ghosts remember when the window let somebody go whom the main space did not
// take: who is asked for again so soon that plain LRU had kept it speaks for a
// larger window. The cells themselves cannot say so, where nothing in a small
// window lives long enough to be read again.
//
// A sample of the keys is enough: of a cache of any size it is that of a small
// one.
type ghosts struct {
	slots []ghost // nil: there was none yet
}

type ghost struct{ tag, at uint32 }

const (
	ghostSlots  = 512
	ghostSample = 256 // of the entries are sampled
)

// slot is where hash is remembered, nil where it is none of the sample.
func (g *ghosts) slot(hash uint64, entries int) *ghost {
	hash *= 0xbf58476d1ce4e5b9
	hash ^= hash >> 32
	if hash>>40*uint64(entries) >= ghostSample<<24 {
		return nil
	}
	if g.slots == nil {
		g.slots = make([]ghost, ghostSlots)
	}
	return &g.slots[hash%ghostSlots]
}

// remember notes that hash goes, now accesses having been made.
func (s *ghost) remember(hash uint64, now uint32) { *s = ghost{tag: uint32(hash) | 1, at: now} }

// recall says whether hash went no more than so many accesses ago, and forgets it.
func (s *ghost) recall(hash uint64, now, ago uint32) bool {
	if s.tag != uint32(hash)|1 {
		return false
	}
	s.tag = 0
	return now-s.at <= ago
}
