package main

import (
	"errors"
	"fmt"
)

// claim is something that the program shows, and whether it was so.
type claim struct {
	holds bool
	says  string // what is claimed, in its own words
	found string // what was found where the claim does not hold
}

func claimed(holds bool, says, found string, args ...any) claim {
	return claim{holds: holds, says: says, found: fmt.Sprintf(found, args...)}
}

// verify returns what of claims is not true.
func verify(claims []claim) error {
	var wrong []error
	for _, c := range claims {
		if !c.holds {
			wrong = append(wrong, fmt.Errorf("not true: %s (%s)", c.says, c.found))
		}
	}
	return errors.Join(wrong...)
}
