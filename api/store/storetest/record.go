package storetest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	freshet "github.com/freshet-go/freshet/api"
)

func show(r freshet.Record) string {
	return fmt.Sprintf("{%d bytes %.40q, read %v, expires %v, validator %.40q, %d tags}",
		len(r.Value), r.Value, r.ReadAt, r.ExpiresAt, r.Validator, len(r.Tags))
}

// D3: a record comes back as it went in.
var recordTests = []test{
	{"D3_NothingThere", func(p *probe) { p.wantNone("nobody") }},
	{"D3_RoundTrip", func(p *probe) {
		for i, r := range []freshet.Record{
			{Value: []byte("v"), ReadAt: p.at(1)},
			{Value: []byte("to the nanosecond"), ReadAt: p.at(2).Add(123456789), ExpiresAt: p.at(3_600_000).Add(987654321)},
			{Value: []byte("validator"), ReadAt: p.at(3), Validator: `W/"67ab43"`},
			{Value: []byte("tags"), ReadAt: p.at(4), Tags: []string{"a", "", "Grüße", "a,b", "x\x00y"}},
			{Value: []byte{0, 1, 0xff, 0xfe, '\n', '"'}, ReadAt: p.at(5), Validator: "\x00\xff", Tags: []string{"\xff"}},
			{Value: []byte("another zone"), ReadAt: p.at(6).In(time.FixedZone("", 3600))},
		} {
			p.set(fmt.Sprint("key-", i), r)
			p.wantRecord(fmt.Sprint("key-", i), r)
		}
	}},
	{"D3_EmptyValue", func(p *probe) {
		p.set("nil", freshet.Record{ReadAt: p.at(1)})
		p.wantRecord("nil", freshet.Record{ReadAt: p.at(1)})
		p.set("empty", freshet.Record{Value: []byte{}, ReadAt: p.at(1), Validator: "v"})
		p.wantRecord("empty", freshet.Record{ReadAt: p.at(1), Validator: "v"})
	}},
	{"D3_HugeValue", func(p *probe) {
		huge := make([]byte, p.maxValue)
		chacha := rand.NewChaCha8([32]byte{'f'})
		_, _ = chacha.Read(huge) // incompressible, with every byte in it
		r := freshet.Record{Value: huge, ReadAt: p.at(1)}
		p.set("huge", r)
		p.set("small", p.read(1, "small"))
		p.wantRecord("huge", r)
		p.wantValue("small", "small")
		p.set("huge", p.read(2, "now small"))
		p.wantValue("huge", "now small")
	}},
	{"D3_ManyTags", func(p *probe) {
		r := p.read(1, "v")
		for i := range 1000 {
			r.Tags = append(r.Tags, fmt.Sprint("tag-", i))
		}
		r.Validator = strings.Repeat("v", 10_000)
		p.set("key", r)
		p.wantRecord("key", r)
	}},
	{"D3_NothingOfThePreviousRecordIsLeft", func(p *probe) {
		p.set("key", freshet.Record{Value: []byte("long, long ago"), ReadAt: p.at(1), ExpiresAt: p.at(3_600_000), Validator: "v", Tags: []string{"t"}})
		p.set("key", p.read(2, "bare"))
		p.wantRecord("key", p.read(2, "bare"))
	}},
	{"D3_TheBytesAreTheStoresOwn", func(p *probe) {
		r := freshet.Record{Value: []byte("original"), ReadAt: p.at(1), Tags: []string{"tag"}}
		p.set("key", r)
		copy(r.Value, "SCRIBBLE")
		r.Tags[0] = "SCRIBBLE"
		want := freshet.Record{Value: []byte("original"), ReadAt: p.at(1), Tags: []string{"tag"}}
		p.wantRecord("key", want)
		got, err := p.Get(p.Context(), "key")
		if err != nil {
			p.Fatal(err)
		}
		copy(got.Value, "SCRIBBLE")
		got.Tags[0] = "SCRIBBLE"
		p.wantRecord("key", want)
		_ = append(got.Value, bytes.Repeat([]byte("x"), 64)...)
		p.wantRecord("key", want)
	}},
}

// D3: the expiry is part of the one write.
var expiryTests = []test{
	{"D3_GoneAtItsExpiry", func(p *probe) {
		r := p.read(0, "v")
		r.ExpiresAt = p.now().Add(time.Hour)
		p.set("later", r)
		r.ExpiresAt = p.now().Add(50 * time.Millisecond)
		p.set("soon", r)
		p.set("never", p.read(0, "v"))
		p.pass(r.ExpiresAt.Sub(p.now()))
		p.wantNone("soon")
		p.wantValue("later", "v")
		p.wantValue("never", "v")
	}},
	{"D3_ExpiredOnArrival", func(p *probe) {
		r := p.read(0, "v")
		r.ExpiresAt = p.now().Add(-time.Second)
		p.set("past", r)
		p.wantNone("past")
		p.set("key", p.read(-10, "older, without end"))
		p.set("key", r)
		p.wantNone("key") // the later record is the key's, and it has expired
	}},
	{"D3_TheExpiryGoesWithItsRecord", func(p *probe) {
		r := p.read(0, "soon gone")
		r.ExpiresAt = p.now().Add(50 * time.Millisecond)
		p.set("was mortal", r)
		p.set("was mortal", p.read(1, "for ever"))
		p.set("was immortal", p.read(-1, "for ever"))
		p.set("was immortal", r)
		p.pass(r.ExpiresAt.Sub(p.now()))
		p.wantValue("was mortal", "for ever")
		p.wantNone("was immortal")
	}},
	{"D3_AnIgnoredRecordDoesNotTouchTheExpiry", func(p *probe) {
		r := p.read(5, "later")
		r.ExpiresAt = p.now().Add(50 * time.Millisecond)
		p.set("key", r)
		p.set("key", p.read(4, "older, for ever"))
		p.wantUntil(r.ExpiresAt, "key", "later")
		p.pass(r.ExpiresAt.Sub(p.now()))
		p.wantNone("key")
	}},
}
