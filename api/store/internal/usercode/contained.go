// Package usercode runs what a store is given to call.
package usercode

import "fmt"

// Contained runs f on a goroutine that its panic or Goexit may end, waits for it, and
// says what became of it: "" is that it returned.
func Contained(f func()) (why string) {
	done := make(chan string, 1)
	go func() {
		why := "it called runtime.Goexit"
		defer func() {
			if p := recover(); p != nil {
				why = fmt.Sprintf("it panicked: %v", p)
			}
			done <- why
		}()
		f()
		why = ""
	}()
	return <-done
}
