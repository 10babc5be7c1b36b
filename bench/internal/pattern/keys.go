// Package pattern makes the keys and the orders of access of the workloads.
package pattern

import "fmt"

// Keys are n distinct keys of the shape that services use.
func Keys(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = Key(i)
	}
	return keys
}

// Key is the i-th key, a string of its own.
func Key(i int) string { return fmt.Sprintf("user:%08d", i) }
