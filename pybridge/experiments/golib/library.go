// A library for Python in the manner of the study (docs: the four experiments): built as c-shared, called through ctypes. A call
// takes one message and gives one message. The library copies what comes in, because Python may move on, and copies what
// goes out into memory of C, because Go's collector may not see it; the caller copies that once more and frees it.
//
// SPDX-License-Identifier: MIT
package main

/*
#include <stdlib.h>
#include <time.h>

static long long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}
*/
import "C"

import (
	"encoding/binary"
	"errors"
	"runtime"
	"unsafe"
)

const failed = -1

// The functions that Call knows, by number. What comes in belongs to the function.
var functions = []func(message []byte, arrays []array) ([]byte, error){echo, sum, addOne, makeBytes}

// echo gives back what came in.
func echo(message []byte, arrays []array) ([]byte, error) { return message, nil }

// sum adds up the bytes of the first array.
func sum(message []byte, arrays []array) ([]byte, error) {
	var total uint64
	for _, value := range arrays[0].values {
		total += uint64(value)
	}
	reply, values := newMessage(word)
	binary.LittleEndian.PutUint64(values, total)
	return reply, nil
}

// addOne adds one to every byte, in the library's own copy.
func addOne(message []byte, arrays []array) ([]byte, error) {
	values := arrays[0].values
	for i := range values {
		values[i]++
	}
	return message, nil
}

// makeBytes makes as many bytes as the first int32 says, none of them zero, so that they really take memory.
func makeBytes(message []byte, arrays []array) ([]byte, error) {
	if arrays[0].kind != kindInt32 || len(arrays[0].values) == 0 {
		return nil, errors.New("make takes an int32")
	}
	size := int(binary.LittleEndian.Uint32(arrays[0].values))
	if size > maxBytes-3*word {
		return nil, errors.New("more than 1 GiB")
	}
	reply, values := newMessage(size)
	for i := range values {
		values[i] = byte(i%251 + 1)
	}
	return reply, nil
}

// When the steps of the last call ended, for the picture: copied in, worked, copied out.
var steps [3]C.longlong

// Call runs a function and gives the size of its reply, or a negative number. The reply is freed with Release.
//
//export Call
func Call(function C.int, message unsafe.Pointer, size C.longlong, reply *unsafe.Pointer) C.longlong {
	if function < 0 || int(function) >= len(functions) || size < 0 || size > maxBytes {
		return failed
	}
	own := C.GoBytes(message, C.int(size))
	steps[0] = C.now()
	arrays, err := unpack(own)
	if err != nil {
		return failed
	}
	result, err := functions[function](own, arrays)
	if err != nil {
		return failed
	}
	steps[1] = C.now()
	*reply = C.CBytes(result)
	steps[2] = C.now()
	return C.longlong(len(result))
}

// Release frees a reply.
//
//export Release
func Release(reply unsafe.Pointer) { C.free(reply) }

// StepEnd tells when a step of the last call ended, in nanoseconds of the monotonic clock.
//
//export StepEnd
func StepEnd(step C.int) C.longlong { return steps[step] }

// Heap tells how many bytes Go's heap holds, garbage that was not collected yet included.
//
//export Heap
func Heap() C.longlong {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return C.longlong(stats.HeapAlloc)
}

func main() {}
