// Work that goes on after the call has returned: one goroutine at a time, watched by polling.
//
// SPDX-License-Identifier: MIT
package main

import "C"

import (
	"math"
	"sync/atomic"
	"unsafe"
)

const (
	idle     = -1.0 // nothing was started
	finished = 2.0
	chunk    = 1 << 20
)

var (
	progress atomic.Uint64 // bits of a float64: idle, 0 to 1 while it works, finished
	total    atomic.Uint64
)

func init() { setProgress(idle) }

func setProgress(value float64) { progress.Store(math.Float64bits(value)) }

// WorkStart sums square roots of the bytes of a message's first array in a goroutine, and returns at once (once the
// message has been copied).
//
//export WorkStart
func WorkStart(message unsafe.Pointer, size C.longlong) C.longlong {
	own := C.GoBytes(message, C.int(size))
	arrays, err := unpack(own)
	if err != nil {
		return failed
	}
	setProgress(0)
	go work(arrays[0].values)
	return 0
}

func work(values []byte) {
	sum := 0.0
	for start := 0; start < len(values); start += chunk {
		end := min(start+chunk, len(values))
		for _, value := range values[start:end] {
			sum += math.Sqrt(float64(value))
		}
		setProgress(float64(end) / float64(len(values)))
	}
	total.Store(math.Float64bits(sum))
	setProgress(finished)
}

// WorkProgress is -1 before any work, 0 to 1 during it and 2 after it.
//
//export WorkProgress
func WorkProgress() C.double { return C.double(math.Float64frombits(progress.Load())) }

// WorkResult is the sum, once the work has finished.
//
//export WorkResult
func WorkResult() C.double { return C.double(math.Float64frombits(total.Load())) }
