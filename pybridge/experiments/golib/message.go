// Messages: arrays packed into one string of bytes, the only thing that crosses between Python and this library.
//
//	word 0          number of arrays, 1 to 255
//	word 1 .. n     one header of 8 bytes per array: kind in the lowest byte, number of values in the others
//	then            the values of each array, padded to 8 bytes
//
// All words are little-endian. A message has at most 1 GiB.
//
// SPDX-License-Identifier: MIT
package main

import (
	"encoding/binary"
	"errors"
)

const (
	kindInt32   = 1
	kindFloat32 = 2
	kindByte    = 3

	word      = 8
	maxArrays = 255
	maxBytes  = 1 << 30
)

var widths = map[byte]int{kindInt32: 4, kindFloat32: 4, kindByte: 1}

// An array is a part of the message that it was read from.
type array struct {
	kind   byte
	values []byte
}

func padded(size int) int { return (size + word - 1) / word * word }

// unpack finds the arrays of a message; their values are not copied.
func unpack(message []byte) ([]array, error) {
	if len(message) < word || len(message) > maxBytes {
		return nil, errors.New("a message has 8 bytes to 1 GiB")
	}
	count := binary.LittleEndian.Uint64(message)
	if count < 1 || count > maxArrays || len(message) < word*int(count+1) {
		return nil, errors.New("a message has 1 to 255 arrays")
	}
	arrays := make([]array, count)
	at := word * int(count+1)
	for i := range arrays {
		header := binary.LittleEndian.Uint64(message[word*(i+1):])
		kind := byte(header)
		width, known := widths[kind]
		length := header >> 8
		if !known || length > maxBytes || at+int(length)*width > len(message) {
			return nil, errors.New("an array has an unknown kind, or does not fit its message")
		}
		size := int(length) * width
		arrays[i] = array{kind, message[at : at+size]}
		at = min(at+padded(size), len(message))
	}
	return arrays, nil
}

// newMessage makes the message of one array of bytes, and that array within it, still zero.
func newMessage(size int) (message, values []byte) {
	message = make([]byte, 2*word+padded(size))
	binary.LittleEndian.PutUint64(message, 1)
	binary.LittleEndian.PutUint64(message[word:], uint64(size)<<8|kindByte)
	return message, message[2*word : 2*word+size]
}
