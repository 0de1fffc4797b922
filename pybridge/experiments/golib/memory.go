// Global memory: messages that stay in the library between calls. It must be made with MemoryInit before it is used.
//
// SPDX-License-Identifier: MIT
package main

import "C"

import (
	"sync"
	"unsafe"
)

const notReady = -2

var memory struct {
	sync.Mutex
	slots [][]byte // nil before MemoryInit
}

// MemoryInit makes so many empty slots; what was there is forgotten.
//
//export MemoryInit
func MemoryInit(slots C.int) {
	memory.Lock()
	defer memory.Unlock()
	memory.slots = make([][]byte, slots)
}

func check(slot C.int) C.longlong {
	if memory.slots == nil {
		return notReady
	}
	if slot < 0 || int(slot) >= len(memory.slots) {
		return failed
	}
	return 0
}

// MemoryPut keeps a copy of a message in a slot.
//
//export MemoryPut
func MemoryPut(slot C.int, message unsafe.Pointer, size C.longlong) C.longlong {
	memory.Lock()
	defer memory.Unlock()
	status := check(slot)
	if status == 0 {
		memory.slots[slot] = C.GoBytes(message, C.int(size))
	}
	return status
}

// MemoryGet gives a copy of what a slot holds and its size; freed with Release.
//
//export MemoryGet
func MemoryGet(slot C.int, reply *unsafe.Pointer) C.longlong {
	memory.Lock()
	defer memory.Unlock()
	if status := check(slot); status < 0 {
		return status
	}
	*reply = C.CBytes(memory.slots[slot])
	return C.longlong(len(memory.slots[slot]))
}

// MemoryFree empties a slot; the collector gives the memory back when it likes.
//
//export MemoryFree
func MemoryFree(slot C.int) C.longlong {
	memory.Lock()
	defer memory.Unlock()
	status := check(slot)
	if status == 0 {
		memory.slots[slot] = nil
	}
	return status
}
