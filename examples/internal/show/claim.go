package show

import (
	"errors"
	"fmt"
)

// Claim is something that an example shows, and whether it was so.
type Claim struct {
	Holds bool
	Says  string // what is claimed, with the numbers that were measured
	Found string // what was found, where the claim does not hold
}

// Claimed makes a Claim. found and args say what was measured, as for fmt.Sprintf.
func Claimed(holds bool, says, found string, args ...any) Claim {
	return Claim{Holds: holds, Says: says, Found: fmt.Sprintf(found, args...)}
}

// Verify is nil where all claims hold, and else an error that names those that do not.
func Verify(claims []Claim) error {
	var wrong []error
	for _, c := range claims {
		if !c.Holds {
			wrong = append(wrong, fmt.Errorf("not true: %s (%s)", c.Says, c.Found))
		}
	}
	return errors.Join(wrong...)
}
