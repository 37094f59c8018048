// SPDX-License-Identifier: MIT
// go_pool.go - goroutines that take tasks from one channel until it is closed.
// driver/pool_works.c has the essay on what is asked of a pool.

package main

import (
	"context"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

const name = "Go goroutines on a channel"

// As in driver/work.h.
const (
	burst = 64
	long  = 8
	rest  = 200 * time.Millisecond
)

// A function and its argument, and who runs it.
type task struct {
	run  func(*part, uint64)
	item uint64
}

func note(p *part, item uint64) {
	take(p, [1]uint64{item})
}

// What a kind of work is: the task, and what the submitter does.
type kind struct {
	run    func(*part, uint64)
	submit func(chan<- task)
	cost   *costs
}

func runAll(w work, print bool, k kind) {
	tasks := make(chan task, w.capacity)
	jobs := []func(*part){func(*part) {
		k.submit(tasks)
		close(tasks)
	}}
	for c := uint64(0); c < w.consumers; c++ {
		jobs = append(jobs, func(p *part) {
			for t := range tasks {
				t.run(p, t.item)
			}
		})
	}
	crew(jobs, print, k.cost)
}

// --------------------------------------------------------------------- kinds

func submitAll(w work, run func(*part, uint64)) func(chan<- task) {
	return func(tasks chan<- task) {
		for i := uint64(1); i <= w.items; i++ {
			tasks <- task{run, i}
		}
	}
}

func empty(w work) kind {
	return kind{note, submitAll(w, note), nil}
}

func sleeps(w work) kind {
	run := func(p *part, item uint64) {
		time.Sleep(w.span)
		note(p, item)
	}
	return kind{run, submitAll(w, run), nil}
}

// As work_compute of driver/work.h.
func compute(number, steps uint64) uint64 {
	for i := uint64(0); i < steps; i++ {
		number = (number ^ number>>29) * 6364136223846793005
	}
	return number
}

func computes(w work) kind {
	run := func(p *part, item uint64) {
		p.result = compute(item, w.rate)
		note(p, item)
	}
	return kind{run, submitAll(w, run), nil}
}

// A task that counts when it has run, and how many have.
func counted() (func(*part, uint64), *uint64) {
	ran := new(uint64)
	return func(p *part, item uint64) {
		note(p, item)
		atomic.AddUint64(ran, 1)
	}, ran
}

func await(ran *uint64, wanted uint64) {
	for atomic.LoadUint64(ran) < wanted {
		time.Sleep(50 * time.Microsecond)
	}
}

func whileHeld(w work) kind {
	run, ran := counted()
	cost := &costs{switches: -1}
	held, letGo := make(chan bool), make(chan bool)
	hold := func(*part, uint64) {
		held <- true
		<-letGo
	}
	return kind{run, func(tasks chan<- task) {
		for item := uint64(1); item <= w.items; {
			for i := uint64(0); i < w.consumers; i++ {
				tasks <- task{hold, 0}
			}
			for i := uint64(0); i < w.consumers; i++ {
				<-held
			}
			began := time.Now()
			for i := uint64(0); item <= w.items && i <= w.capacity/2; i++ {
				tasks <- task{run, item}
				item++
			}
			cost.wall += time.Since(began).Nanoseconds()
			for i := uint64(0); i < w.consumers; i++ {
				letGo <- true
			}
			await(ran, item-1)
		}
	}, cost}
}

func onTime(w work, atOnce uint64) kind {
	begun := make([]time.Time, w.items)
	run := func(p *part, item uint64) {
		p.late = append(p.late, time.Since(begun[item-1]).Nanoseconds())
		if atOnce > 1 && item%atOnce == long {
			time.Sleep(w.span)
		}
		note(p, item)
	}
	return kind{run, func(tasks chan<- task) {
		start := time.Now()
		for i := uint64(0); i < w.items; i++ {
			if i%atOnce == 0 {
				time.Sleep(time.Until(start.Add(time.Duration(i * 1e9 / w.rate))))
			}
			begun[i] = time.Now()
			tasks <- task{run, i + 1}
		}
	}, nil}
}

// Each has a context that ends, and looks when it is told so.
func overstaying(w work) kind {
	count, ran := counted()
	run := func(p *part, item uint64) {
		bounds, cancel := context.WithTimeout(context.Background(), w.span)
		due, _ := bounds.Deadline()
		<-bounds.Done()
		p.late = append(p.late, time.Since(due).Nanoseconds())
		cancel()
		count(p, item)
	}
	return kind{run, func(tasks chan<- task) {
		for i := uint64(1); i <= w.items; i++ {
			tasks <- task{run, i}
			if i%w.consumers == 0 {
				await(ran, i)
			}
		}
	}, nil}
}

// What all threads cost but the one that looks on.
func others() costs {
	mine, all := usage(thisThread), usage(syscall.RUSAGE_SELF)
	return costs{0, all.cpu - mine.cpu, all.switches - mine.switches}
}

func idle(w work) kind {
	run, ran := counted()
	cost := &costs{}
	return kind{run, func(tasks chan<- task) {
		submitAll(w, run)(tasks)
		await(ran, w.items)
		runtime.LockOSThread()
		time.Sleep(rest)
		before, began := others(), time.Now()
		for left := w.span; left > 0; left = w.span - time.Since(began) {
			wait := syscall.NsecToTimespec(left.Nanoseconds())
			syscall.Nanosleep(&wait, nil) // on this thread; a signal ends it
		}
		after := others()
		cost.wall = time.Since(began).Nanoseconds()
		cost.switches = after.switches - before.switches
		if after.cpu > before.cpu { // told in steps
			cost.cpu = after.cpu - before.cpu
		}
		runtime.UnlockOSThread()
	}, cost}
}

func kindOf(name string, w work) kind {
	switch name {
	case "tasks":
		return empty(w)
	case "submit":
		return whileHeld(w)
	case "start":
		return onTime(w, 1)
	case "behind":
		return onTime(w, burst)
	case "sleeps":
		return sleeps(w)
	case "computes":
		return computes(w)
	case "deadlines":
		return overstaying(w)
	case "idle":
		return idle(w)
	case "exits":
		absent("a worker whose goroutine a task ends is lost")
	}
	absent("a pool, not a queue")
	return kind{}
}

func do(name string, w work) {
	kindOf(name, w)
	if w.producers > 1 {
		absent("one submitter only")
	}
	warmUp := w
	warmUp.items = w.items / 16 / w.consumers * w.consumers
	if name == "idle" {
		warmUp.span = 0
	}
	runAll(warmUp, false, kindOf(name, warmUp))
	runAll(w, true, kindOf(name, w))
}
