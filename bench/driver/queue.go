// SPDX-License-Identifier: MIT
// queue.go - work for a channel of Go.  go.go has the channel.

package main

func doWith[T item](kind string, w work) {
	warmUp := w
	warmUp.rate = 0
	warmUp.items = w.items / 16 / (w.producers * w.consumers) * (w.producers * w.consumers)
	switch kind {
	case "pass", "paced":
		pass[T](warmUp, false)
		pass[T](w, true)
	case "pingpong":
		pingpong[T](warmUp, false)
		pingpong[T](w, true)
	default:
		absent("a queue, not a pool")
	}
}

func do(kind string, w work) {
	switch w.size {
	case 8:
		doWith[[1]uint64](kind, w)
	case 16:
		doWith[[2]uint64](kind, w)
	case 32:
		doWith[[4]uint64](kind, w)
	case 64:
		doWith[[8]uint64](kind, w)
	case 128:
		doWith[[16]uint64](kind, w)
	default:
		doWith[[32]uint64](kind, w)
	}
}
