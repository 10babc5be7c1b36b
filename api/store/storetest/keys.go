package storetest

import (
	"errors"
	"strings"

	freshet "github.com/freshet-go/freshet/api"
)

var keyTests = []test{
	{"EveryValidKeyIsAKeyOfItsOwn", func(p *probe) {
		keys := []string{
			"k", strings.Repeat("k", 4095), strings.Repeat("k", 4096), strings.Repeat("界", 1365),
			" ", "  ", "\t", "\n", "\r\n", "\x01", "\x7f", "a b", " a", "a ",
			"../admin", "..", ".", "/", "//", "a/b", `a\b`, "a?b", "a#b", "%2e%2e", "%00", "a&b=c",
			"*", "a*", "?", "[a]", "{", "}", "{}", "{a}b", "}a{", "{{a}}", ":", "a:b", "::", "$", "'", `"`, "`", ";--",
			"é", "e\u0301", "K", "\u212a", "İ", "i", "I", "👩‍👩‍👧", "\ufeffbom", "\u202e", "\U0010ffff", "nil", "null", "0",
		}
		for i, key := range keys {
			p.set(key, p.read(i, key))
		}
		for i, key := range keys {
			p.wantRecord(key, p.read(i, key))
		}
		for _, key := range keys {
			p.erase(key, len(keys))
			p.wantNone(key)
		}
	}},
	{"ABadKeyIsRefused", func(p *probe) {
		for _, key := range []string{"\x00", "a\x00b", "\xff", "a\xc3", "\xed\xa0\x80", strings.Repeat("k", 4097), strings.Repeat("k", 1<<20)} {
			for call, err := range p.calls(p.Context(), key) {
				if !errors.Is(err, freshet.ErrBadKey) {
					p.Errorf("%s(%.40q): %.200v, want ErrBadKey", call, key, err)
				} else if len(err.Error()) > 16_000 {
					p.Errorf("%s of a key of %d bytes has an error of %d bytes", call, len(key), len(err.Error()))
				}
			}
		}
		_, err := p.Get(p.Context(), "")
		for call, err := range map[string]error{
			"Get":    err,
			"Set":    p.Set(p.Context(), "", p.read(1, "v")),
			"Delete": p.Delete(p.Context(), "", p.at(1)),
		} {
			if !errors.Is(err, freshet.ErrBadKey) {
				p.Errorf("%s of the empty key: %v, want ErrBadKey", call, err)
			}
		}
	}},
}
