package api_test

import (
	"testing"

	"go.uber.org/goleak"
)

// M4: whatever a test does, no goroutine of a cache outlives it.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
