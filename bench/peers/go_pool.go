// SPDX-License-Identifier: MIT
// go_pool.go - goroutines that take tasks from one channel until it is closed.

package main

const name = "Go goroutines on a channel"

// A function and its argument, and who runs it.
type task struct {
	run  func(*part, uint64)
	item uint64
}

func note(p *part, item uint64) {
	take(p, [1]uint64{item})
}

func runAll(w work, print bool) {
	tasks := make(chan task, w.capacity)
	jobs := []func(*part){func(*part) {
		for i := uint64(1); i <= w.items; i++ {
			tasks <- task{note, i}
		}
		close(tasks)
	}}
	for c := uint64(0); c < w.consumers; c++ {
		jobs = append(jobs, func(p *part) {
			for t := range tasks {
				t.run(p, t.item)
			}
		})
	}
	crew(jobs, print)
}

func do(kind string, w work) {
	if kind != "tasks" {
		absent("a pool, not a queue")
	}
	if w.producers > 1 {
		absent("one submitter only")
	}
	warmUp := w
	warmUp.items = w.items / 16
	runAll(warmUp, false)
	runAll(w, true)
}
