package bolt

import (
	"fmt"
	"runtime/debug"
)

// guard runs do and makes an error, which wraps ErrCorrupt, of what bbolt does
// where the structure of its file is broken: a failed assertion, an index out of
// range, or a fault of memory where a page is not there to be read.
func guard(do func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: the structure of the file is broken: %v", ErrCorrupt, p)
		}
	}()
	return do()
}
