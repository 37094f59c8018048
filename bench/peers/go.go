// SPDX-License-Identifier: MIT
// go.go - Go's channel, buffered.

package main

import "time"

const name = "Go channel"

// Item k comes from producer k mod P.  With a rate it is due at its own time,
// and the consumer looks how late it is.
func pass[T item](w work, print bool) {
	channel := make(chan T, w.capacity)
	start := time.Now().Add(5 * time.Millisecond)
	late := func(k uint64) int64 {
		return int64(time.Since(start)) - int64(k*1e9/w.rate)
	}
	var jobs []func(*part)
	for p := uint64(0); p < w.producers; p++ {
		first := 1 + p
		jobs = append(jobs, func(*part) {
			var it T
			for i := first; i <= w.items; i += w.producers {
				for w.rate > 0 && late(i) < 0 {
				}
				it[0], it[len(it)-1] = i, i
				channel <- it
			}
		})
	}
	for c := uint64(0); c < w.consumers; c++ {
		jobs = append(jobs, func(p *part) {
			share := w.items / w.consumers
			if w.rate > 0 {
				p.late = make([]int64, 0, share)
			}
			for i := uint64(0); i < share; i++ {
				it := <-channel
				if w.rate > 0 {
					p.late = append(p.late, late(it[0]))
				}
				take(p, it)
			}
		})
	}
	crew(jobs, print, nil)
}

func pingpong[T item](w work, print bool) {
	out, back := make(chan T, w.capacity), make(chan T, w.capacity)
	serve := func(p *part) {
		var it T
		for i := uint64(1); i <= w.items; i++ {
			it[0], it[len(it)-1] = i, i
			out <- it
			it = <-back
			p.hash ^= it[len(it)-1] * hash
		}
	}
	answer := func(p *part) {
		for i := uint64(0); i < w.items; i++ {
			it := <-out
			p.items++
			p.sum += it[0]
			back <- it
		}
	}
	crew([]func(*part){serve, answer}, print, nil)
}
