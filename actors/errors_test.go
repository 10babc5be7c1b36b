package actors

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// W3: the error says once that the origin may have applied the write.
func TestW3_AnUnknownOutcomeIsSaidOnce(t *testing.T) {
	for err, want := range map[error]string{
		ErrUnknown:                         `freshet: write of "k": the origin may have applied it`,
		fmt.Errorf("%w: lost", ErrUnknown): `freshet: write of "k": the origin may have applied it: lost`,
		ErrTimeout:                         `freshet: write of "k": the origin may have applied it: the origin did not answer in time`,
	} {
		require.EqualError(t, &WriteError{Key: "k", Unknown: true, Err: err}, want)
	}
}
