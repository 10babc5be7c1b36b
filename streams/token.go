package streams

import (
	"encoding/base64"
	"encoding/binary"
	"hash/fnv"
)

// Token is a place in the stream of one life of one cache. It is opaque, safe in text (letters, digits, - and _), and
// comparable only for equality. The zero value means "no place": [Since] of it is from now on.
type Token string

// A token is 18 bytes: the life, the revision, and a checksum that keeps a mangled token from being taken for a place
// that nobody was at.
const tokenBytes = 8 + 8 + 2

func makeToken(life, revision uint64) Token {
	var raw [tokenBytes]byte
	binary.BigEndian.PutUint64(raw[0:], life)
	binary.BigEndian.PutUint64(raw[8:], revision)
	binary.BigEndian.PutUint16(raw[16:], tokenSum(life, revision))
	return Token(base64.RawURLEncoding.EncodeToString(raw[:]))
}

func parseToken(t Token) (life, revision uint64, err error) {
	var raw [tokenBytes]byte
	if len(t) != base64.RawURLEncoding.EncodedLen(tokenBytes) { // also: the decoder overlooks line ends
		return 0, 0, ErrToken
	}
	if n, err := base64.RawURLEncoding.Strict().Decode(raw[:], []byte(t)); err != nil || n != tokenBytes {
		return 0, 0, ErrToken
	}
	life = binary.BigEndian.Uint64(raw[0:])
	revision = binary.BigEndian.Uint64(raw[8:])
	if life == 0 || binary.BigEndian.Uint16(raw[16:]) != tokenSum(life, revision) {
		return 0, 0, ErrToken
	}
	return life, revision, nil
}

// tokenSum also stands for the version of the format: a change of one is a change of the other.
func tokenSum(life, revision uint64) uint16 {
	x := life*0x9e3779b97f4a7c15 ^ (revision+1)*0xbf58476d1ce4e5b9
	x ^= x >> 31
	x *= 0x94d049bb133111eb
	return uint16(x >> 48)
}

// lifeOf folds the cache's name into its epoch, so that a token of one cache is none of another even where somebody
// gives both the same epoch.
func lifeOf(cache string, epoch uint64) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(cache)) // never fails, by its contract
	life := h.Sum64() ^ epoch
	if life == 0 {
		life = 1 // 0 says "no place"
	}
	return life
}
